"""Telnyx's opt-outs, which can only be read: they tell of a STOP that Optin missed.

https://developers.telnyx.com/api-reference/opt-out-management/list-opt-outs
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from bot.consent.events import Event, EventKind
from bot.consent.model import Channel
from bot.consent.suppressions import ListedAddress
from handlers.suppression_lists.list_calls import ListCalls
from handlers.suppression_lists.list_entries import (
    account_hash,
    cursor_text,
    read_cursor,
    rows_in,
)
from handlers.suppression_lists.provider_lists import (
    Added,
    AddressRefused,
    ListCheck,
    ListPage,
    ListsUnavailable,
    ReadOutdated,
)
from handlers.webhooks.payload_parsing import at, checked, moment, phone, text_at
from handlers.webhooks.provider import InvalidPayload
from handlers.webhooks.providers.telnyx.codes import CODES, OPTED_OUT
from handlers.webhooks.providers.telnyx.webhook import Telnyx

_PATH = "/v2/messaging_optouts"
_PAGE = 250
_KEY = "Set OPTIN_TELNYX_API_KEY to an API key (v2) of the account, under API Keys."


class TelnyxOptOuts:
    """The opt-outs of every messaging profile of the account."""

    name: ClassVar[str] = Telnyx.name
    most_added: ClassVar[int] = 1
    readable: ClassVar[bool] = True

    def __init__(self, *, api_key: str, api_url: str) -> None:
        self.account = account_hash(self.name, api_key, api_url)
        self._calls = ListCalls(
            label="Telnyx",
            api_url=api_url,
            headers=lambda _: {"Authorization": f"Bearer {api_key}"},
            forbidden=_KEY,
        )

    def pages(self, resume: str | None) -> Iterator[ListPage]:
        """By number. The time at which the read ends stays the same, so that what is added
        meanwhile moves nothing. Where a block was lifted meanwhile, the rest has moved up: the read
        steps back by a page."""
        cursor = read_cursor(resume) if resume else {}
        until = text_at(cursor, "until") or f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        number, before = cursor.get("page", 1), cursor.get("rows", 0)
        if not isinstance(number, int) or number < 1 or not isinstance(before, int):
            raise ReadOutdated("the place where the read was is not known any more")
        while True:
            answer = self._page(number, _PAGE, until)
            pages, rows = _count(answer, "total_pages"), _count(answer, "total_results")
            moved = number > 1 and rows < before
            events = tuple(
                event
                for row in rows_in(checked(answer), "data", "Telnyx")
                for event in _events(row)
            )
            more = moved or number < pages
            number, before = number - 1 if moved else number + 1, rows
            place = {"page": number, "rows": before, "until": until}
            yield ListPage(events=events, next=cursor_text(place) if more else None)
            if not more:
                return

    def _page(self, number: int, size: int, until: str) -> Any:
        query = [
            ("created_at[lte]", until),
            ("page[number]", str(number)),
            ("page[size]", str(size)),
            # Otherwise the last digits are stars.
            ("redaction_enabled", "false"),
        ]
        return self._calls.get(_PATH, query)

    def find(self, address: str) -> Sequence[ListedAddress]:
        """Nothing: Telnyx can't be asked for one number, and tells events instead of entries."""
        return ()

    def add(self, addresses: Sequence[str]) -> Sequence[Added]:
        """Telnyx takes none."""
        return [Added(address=one, problem="can't be added at Telnyx") for one in addresses]

    def remove(self, entry: ListedAddress) -> None:
        """Raises `AddressRefused`: only the contact lifts a block."""
        raise AddressRefused("can't be taken off at Telnyx: the contact texts START")

    def check(self) -> Iterator[ListCheck]:
        """Reads one row."""
        until = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        rows_in(self._page(1, 1, until), "data", "Telnyx")
        yield ListCheck(what="Telnyx's opt-outs can be read. They can't be written by anybody.")


def _count(answer: Any, name: str) -> int:
    found = at(answer, "meta", name)
    if not isinstance(found, int):
        raise ListsUnavailable("Telnyx's answer does not say how much there is")
    return found


def _events(row: Any) -> Iterator[Event]:
    """A failure that says so, as the webhook would have told it. Raises `ListsUnavailable` for a
    number with stars: it would be nobody's."""
    contact, sender = text_at(row, "to"), text_at(row, "from")
    if "*" in contact:
        raise ListsUnavailable("Telnyx leaves digits out of the numbers")
    profile, created = text_at(row, "messaging_profile_id"), text_at(row, "created_at")
    try:
        address = phone(contact)
        ours = phone(sender) if sender else None
    except InvalidPayload:
        return
    told = "\0".join((profile, sender, address, created))
    failure, sentence = CODES[OPTED_OUT]
    yield Event(
        provider=Telnyx.name,
        # The row has no id, and is the same at each read.
        id=f"telnyx:opt_out:{hashlib.sha256(told.encode('utf-8', 'replace')).hexdigest()[:32]}",
        kind=EventKind.FAILED,
        channel=Channel.SMS,
        address=address,
        occurred_at=moment(created),
        sender=ours,
        service=profile or None,
        failure=failure,
        code=OPTED_OUT,
        meaning=sentence,
    )
