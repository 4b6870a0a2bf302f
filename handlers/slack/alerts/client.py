"""The calls to Slack: post, update, add a file, look for a message that may be there already.

The client never retries a call itself: a post is not idempotent, so a second one would be a second
message.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.consent.alerts import INSTALLER, Alert, AlertKind, DeliveryState
from bot.consent.use_cases import COMMAND
from bot.consent.use_cases.alerts.storm_list import Listed
from handlers.cells import defused, line
from handlers.slack.alerts.render.alert_blocks import Drawn, drawn
from handlers.slack.members import is_agent, is_gone, is_manager
from handlers.slack.roles import Roles
from handlers.slack.slack_faults import passes

POST = "chat.postMessage"
UPDATE = "chat.update"
UPLOAD = "files.upload"
HISTORY = "conversations.history"
REPLIES = "conversations.replies"
#: Methods that only read.
LOOKING = frozenset({HISTORY, REPLIES})

#: Seconds that Slack has to answer.
PATIENCE = 10
#: The most by which our clock and Slack's may differ.
_SKEW = timedelta(minutes=2)
#: Of the metadata of each message.
EVENT_TYPE = "optin_alert"
_PAGE = 200
#: Rows of a storm's list: the file stays below a megabyte.
MOST_LISTED = 20_000


def client(token: str, base_url: str) -> WebClient:
    """A client for the worker alone, without retries."""
    return WebClient(token=token, base_url=base_url, timeout=PATIENCE, retry_handlers=[])


def method(alert: Alert) -> str:
    """The method that delivers it, or that looks for its message."""
    if alert.delivery.state is DeliveryState.UNKNOWN:
        return REPLIES if alert.thread else HISTORY
    if alert.delivery.ts is not None:
        return UPDATE
    return UPLOAD if is_file(alert) else POST


def is_private(alert: Alert) -> bool:
    """Whether it goes to a person. Optin does not read people's direct messages, so a post with an
    unknown result is repeated."""
    return alert.slack_channel == INSTALLER or alert.slack_channel.startswith(("U", "W"))


def is_direct(alert: Alert) -> bool:
    """Whether it goes to direct messages, of a person or by the conversation's own id."""
    return is_private(alert) or alert.slack_channel.startswith("D")


def is_file(alert: Alert) -> bool:
    """Whether it is a file. In plain text, it is a sentence."""
    return alert.kind is AlertKind.STORM_LIST and not alert.delivery.plainness


def is_for_managers(alert: Alert) -> bool:
    """A request, or the reminder in its thread. Other reminders go to the person who asked."""
    return alert.kind is AlertKind.CASE or (
        alert.kind is AlertKind.CASE_REMINDER and alert.thread is not None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertClient:
    """One workspace. Every call raises one of `slack_errors.CALL_FAILED`."""

    client: WebClient
    roles: Roles
    #: What people type in Slack, as sentences name it.
    command: str = COMMAND

    def post(self, alert: Alert, channel: str, parent: str | None, look: Drawn) -> tuple[str, str]:
        """Slack's ids of the new message, and of the conversation it is in."""
        answer = self.client.chat_postMessage(
            channel=channel,
            text=look.text,
            blocks=look.blocks or None,
            thread_ts=parent,
            metadata={"event_type": EVENT_TYPE, "event_payload": _payload(alert)},
            unfurl_links=False,
            unfurl_media=False,
        )
        return str(answer["ts"]), str(answer["channel"])

    def update(self, alert: Alert, ts: str, look: Drawn) -> None:
        # An empty list takes the blocks away where the sentence alone is left.
        self.client.chat_update(
            channel=alert.delivery.posted_in or alert.slack_channel,
            ts=ts,
            text=look.text,
            blocks=look.blocks,
        )

    def upload(self, alert: Alert, parent: str | None, rows: Sequence[Listed]) -> None:
        self.client.files_upload_v2(
            channel=alert.slack_channel,
            thread_ts=parent,
            filename=_filename(alert),
            title="Opt-outs of this storm",
            content=_csv(rows),
            initial_comment=drawn(alert, command=self.command).text,
        )

    def find(self, alert: Alert, since: datetime, parent: str | None) -> str | None:
        """Slack's id of the message, if it is there: posted since then with our metadata, or our
        file."""
        for message in self._messages(alert.slack_channel, since, parent):
            if _is(message, alert):
                return str(message["ts"])
        return None

    def installers(self) -> Iterator[str]:
        """Managers who can be told that something is wrong, in this order: those whom the settings
        name by id, then the members of their groups. Skips people who have left, and groups that
        Slack does not show."""
        asked: set[str] = set()
        for user in self._managers():
            if user not in asked and not self._is_gone(user):
                asked.add(user)
                yield user

    def _is_gone(self, user: str) -> bool:
        try:
            return is_gone(self.client, user)
        except SlackApiError as error:
            if passes(error):
                raise
            return False  # the post will show it

    def _managers(self) -> Iterator[str]:
        groups = sorted(id for id in self.roles.managers if id.startswith("S"))
        yield from sorted(self.roles.managers.difference(groups))
        for group in groups:
            try:
                members = self.client.usergroups_users_list(usergroup=group)["users"]
            except SlackApiError as error:
                if passes(error):
                    raise
                continue
            yield from map(str, members)

    def may_have(self, alert: Alert) -> bool:
        """Whether the recipient may still read it. Requests go only to managers, and a person who
        subscribed as a manager may have lost the role or left since."""
        if not is_private(alert) or not is_for_managers(alert):
            return True
        return is_manager(self.client, self.roles, alert.slack_channel)

    def may_see_contact(self, alert: Alert) -> bool:
        """Whether it goes to one person who may look contacts up at this moment."""
        if not is_private(alert) or alert.slack_channel == INSTALLER:
            return False
        return is_agent(self.client, self.roles, alert.slack_channel)

    def channels(self, alert: Alert) -> Iterator[str]:
        """Where it may go, in order of preference: a channel, or a person's direct messages."""
        if alert.slack_channel == INSTALLER:
            yield from self.installers()
        else:
            yield alert.slack_channel

    def _messages(
        self, channel: str, since: datetime, parent: str | None
    ) -> Iterator[dict[str, Any]]:
        asked: dict[str, Any] = {
            "channel": channel,
            "oldest": f"{(since - _SKEW).timestamp():.6f}",
            "include_all_metadata": True,
            "limit": _PAGE,
        }
        cursor = ""
        while True:
            if parent:
                page = self.client.conversations_replies(ts=parent, cursor=cursor, **asked)
            else:
                page = self.client.conversations_history(cursor=cursor, **asked)
            yield from page["messages"]
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return


def _payload(alert: Alert) -> dict[str, str]:
    """The metadata of the message. A head of the log is read back from there."""
    head = {"head": alert.text or ""} if alert.kind is AlertKind.HEAD else {}
    return {"id": alert.id, **head}


def _is(message: dict[str, Any], alert: Alert) -> bool:
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") or {}
    if metadata.get("event_type") == EVENT_TYPE and payload.get("id") == alert.id:
        return True
    return any(file.get("name") == _filename(alert) for file in message.get("files") or ())


def _filename(alert: Alert) -> str:
    """The same for every attempt; another for every list."""
    return f"opt-outs-{alert.id[:12]}.csv"


def _csv(rows: Sequence[Listed]) -> str:
    listed = [
        line((f"{row.at:%Y-%m-%d %H:%M:%S}Z", defused(row.masked or "unknown"), row.contact or ""))
        for row in rows[:MOST_LISTED]
    ]
    return "".join([line(("refused_at", "number_or_address", "contact_id")), *listed])
