"""Inbound messages out of Twilio's own list.

https://www.twilio.com/docs/messaging/api/message-resource
Twilio tries a webhook a few times within fifteen seconds, and then never again.
"""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

from bot.consent.events import Event
from handlers.webhooks.backfill_source import BackfillOutdated, BackfillPage, BackfillUnavailable
from handlers.webhooks.payload_parsing import at, checked, list_at, text_at
from handlers.webhooks.provider import InvalidPayload
from handlers.webhooks.providers.twilio.webhook import Twilio, inbound

#: Seconds for each step of an answer.
_WITHIN = 5.0
_LARGEST = 16 * 1024 * 1024
#: The most that Twilio gives.
_PAGE = 1000


class TwilioBackfill:
    """The messages that contacts wrote to one account."""

    name: ClassVar[str] = Twilio.name

    def __init__(self, *, account_sid: str, auth_tokens: Sequence[str], api_url: str) -> None:
        """`api_url` without a slash at its end. Of several tokens the first that holds."""
        parts = urlsplit(api_url)
        self._host, self._secure, self._base = parts.netloc, parts.scheme == "https", parts.path
        self._list = f"/2010-04-01/Accounts/{account_sid}/Messages.json"
        self._keys = [
            base64.b64encode(f"{account_sid}:{token}".encode()).decode() for token in auth_tokens
        ]

    def pages(self, since: datetime, resume: str | None) -> Iterator[BackfillPage]:
        """Outbound messages are in the list, too, and are left out."""
        asked = {"DateSent>": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", "PageSize": _PAGE}
        place = resume or f"{self._list}?{urlencode(asked)}"
        while True:
            page = self._page(place)
            yield page
            if page.next is None:
                return
            place = page.next

    def _page(self, place: str) -> BackfillPage:
        answer = self._get(place)
        found = [one for one in list_at(answer, "messages") if isinstance(one, dict)]
        if not isinstance(at(answer, "messages"), list):
            raise BackfillUnavailable("its answer is no list of messages")
        following = at(answer, "next_page_uri")
        # A path of this very list, so at this very host: no other address is ever called.
        if following is not None and not str(following).startswith(f"{self._list}?"):
            raise BackfillUnavailable("its next page would be elsewhere")
        times = [time for one in found if (time := _time(one))]
        return BackfillPage(
            events=tuple(event for one in found for event in _events(one)),
            next=following,
            newest=max(times, default=None),
        )

    def _get(self, place: str) -> Any:
        for key in list(self._keys):
            status, body = self._answer(place, key)
            if status != 401:
                break
            # Last the next time.
            self._keys.remove(key)
            self._keys.append(key)
        if status in (400, 404, 410):
            raise BackfillOutdated(f"it answers {status}")
        if status != 200:
            raise BackfillUnavailable(f"it answers {status}")
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise BackfillUnavailable("its answer is no JSON") from None

    def _answer(self, place: str, key: str) -> tuple[int, bytes]:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._host, timeout=_WITHIN)
        try:
            headers = {"Authorization": f"Basic {key}", "Accept": "application/json"}
            connection.request("GET", self._base + place, headers=headers)
            answer = connection.getresponse()
            body = answer.read(_LARGEST + 1)
        except (OSError, http.client.HTTPException):
            raise BackfillUnavailable("it does not answer") from None
        finally:
            connection.close()
        if len(body) > _LARGEST:
            raise BackfillUnavailable("its answer is too large")
        return answer.status, body


def _events(message: dict[str, Any]) -> tuple[Event, ...]:
    """As the webhook would have told it, and under the same id; nothing for our own messages."""
    if text_at(message, "direction") != "inbound":
        return ()
    form = {
        "MessageSid": text_at(message, "sid"),
        "From": text_at(message, "from"),
        "To": text_at(message, "to"),
        "Body": text_at(message, "body"),
        "MessagingServiceSid": text_at(message, "messaging_service_sid"),
    }
    try:
        return inbound(checked(form), _time(message)).events
    except InvalidPayload:
        return ()


def _time(message: dict[str, Any]) -> datetime | None:
    try:
        found = parsedate_to_datetime(text_at(message, "date_sent"))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
