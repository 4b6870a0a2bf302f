"""Channels that are shared with another organisation (Slack Connect). Alerts are withheld there.

Alerts quote what contacts wrote, and requests quote evidence: both are for the company's own
people. Slack is asked before each call whether the channel is shared, and the answer is remembered
for some seconds. Slack's events about a change make it forgotten at once.
https://docs.slack.dev/apis/slack-connect/
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from slack_sdk import WebClient

from handlers.slack.alerts.slack_errors import CALL_FAILED, ErrorKind, SlackFailure, slack_failure

INFO = "conversations.info"
#: Why nothing is posted, beside Slack's own words.
SHARED = "shared_with_another_organisation"
#: Slack does not tell us whether it is, for want of the scope to ask.
UNSEEN = "channels_read_missing"
#: Seconds. Slack allows some fifty questions in a minute.
_REMEMBERED = 5.0
#: Slack said why it does not answer, and asking again at once is no use.
_KNOWN = frozenset({ErrorKind.LIMITED, ErrorKind.TOKEN, ErrorKind.CHANNEL})


class SharedChannels:
    """Asked by the worker, told of changes by Slack's events. Safe across threads."""

    def __init__(
        self, client: WebClient, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._monotonic = monotonic
        self._lock = threading.Lock()
        #: By Slack channel: why nothing may be posted there, and until when that is remembered.
        self._known: dict[str, tuple[SlackFailure | None, float]] = {}
        self._changed: set[str] = set()

    def refusal(self, slack_channel: str) -> SlackFailure | None:
        """Why nothing may be posted in this channel now; None where all is well."""
        now = self._monotonic()
        with self._lock:
            known = self._known.get(slack_channel)
        if known is not None and now < known[1]:
            return known[0]
        found = self._ask(slack_channel)
        until = now + (found.wait.total_seconds() if found and found.wait else _REMEMBERED)
        with self._lock:
            self._known[slack_channel] = found, until
        return found

    def changed(self, slack_channel: str) -> None:
        """Slack said that something about the channel's sharing is different now."""
        with self._lock:
            self._known.pop(slack_channel, None)
            self._changed.add(slack_channel)

    def take_changed(self) -> set[str]:
        """The channels that changed since this was asked last."""
        with self._lock:
            changed, self._changed = self._changed, set()
        return changed

    def _ask(self, slack_channel: str) -> SlackFailure | None:
        try:
            answer = self._client.conversations_info(channel=slack_channel)
            shared = is_shared(answer["channel"])
        except (*CALL_FAILED, KeyError) as error:
            return _unanswered(slack_failure(error))
        return SlackFailure(trouble=ErrorKind.CHANNEL, word=SHARED) if shared else None


def is_shared(channel: Mapping[str, Any]) -> bool:
    """Whether another organisation reads this channel, or will: whoever accepts an invitation sees
    what was posted before. A channel between the workspaces of one organisation is not shared."""
    between_workspaces = channel.get("is_shared") and not channel.get("is_org_shared")
    pending = ("is_pending_ext_shared", "pending_shared", "pending_connected_team_ids")
    return bool(
        channel.get("is_ext_shared") or between_workspaces or any(map(channel.get, pending))
    )


def _unanswered(failed: SlackFailure) -> SlackFailure:
    """Where Slack does not say whether the channel is shared, nothing is posted."""
    if failed.word == "missing_scope":
        return SlackFailure(trouble=ErrorKind.CHANNEL, word=UNSEEN)
    if failed.trouble in _KNOWN:
        return failed
    # A question may be asked again, whatever became of it.
    return SlackFailure(trouble=ErrorKind.UNREACHED, word=failed.word)
