"""The alert channel as a witness: heads of the log are messages there.

Optin posts them through the outbox, so a head is there at least once. It reads back only its own
messages, from their metadata.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.consent.errors import Invalid, Refused
from bot.consent.log.heads import LogHead, read_head_text
from bot.consent.use_cases import Service
from bot.consent.use_cases.alerts.head_alerts import newest_posted, post_head
from handlers.slack.alerts.client import EVENT_TYPE
from handlers.witnesses.witness import WitnessFailed, is_wanted

#: Messages of a page, and pages that are read.
_PAGE, _MOST_PAGES = 200, 100


class SlackWitness:
    """See `witness.Witness`."""

    name = "slack"

    def __init__(self, service: Service, client: WebClient) -> None:
        self._service = service
        self._client = client

    def publish(self, head: LogHead) -> None:
        """Enqueues the head as an alert."""
        try:
            post_head(self._service, head)
        except Refused as error:
            raise WitnessFailed(error.sentence) from None

    def newest(self) -> LogHead | None:
        return newest_posted(self._service)

    def latest(self, log: str, elsewhere: Collection[str] = ()) -> LogHead | None:
        """The first among the newest 20,000 messages of the channel."""
        wanted = (head for head in self._heads() if is_wanted(head.log, log, elsewhere))
        return next(wanted, None)

    def remembered(self) -> list[LogHead]:
        """Those among the newest 20,000 messages of the channel."""
        return list(self._heads())[::-1]

    def _heads(self) -> Iterator[LogHead]:
        """The newest first."""
        if self._service.alert_channel is None:
            raise WitnessFailed("OPTIN_ALERT_CHANNEL is not set.")
        try:
            us = str(self._client.auth_test()["user_id"])
            for message in self._messages():
                if (head := _head_of(message, us)) is not None:
                    yield head
        except SlackApiError as error:
            raise WitnessFailed(f"Slack says {error.response.get('error')}.") from None
        except (SlackClientError, OSError):
            raise WitnessFailed("Slack can't be reached.") from None

    def _messages(self) -> Iterator[dict[str, Any]]:
        """The newest first."""
        cursor = ""
        for _ in range(_MOST_PAGES):
            page = self._client.conversations_history(
                channel=self._service.alert_channel or "",
                include_all_metadata=True,
                limit=_PAGE,
                cursor=cursor,
            )
            yield from page["messages"]
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return


def _head_of(message: dict[str, Any], us: str) -> LogHead | None:
    """None where the message is no head, or not ours: anybody may post metadata."""
    metadata = message.get("metadata") or {}
    head = (metadata.get("event_payload") or {}).get("head")
    if message.get("user") != us or metadata.get("event_type") != EVENT_TYPE or not head:
        return None
    try:
        return read_head_text(str(head))
    except Invalid:
        raise WitnessFailed("A message of the alert channel has a damaged head.") from None
