"""Resend's suppressions, of the team. Contacts and topics are another list, which is not read.

https://resend.com/changelog/suppression-list-support
https://resend.com/docs/api-reference/suppressions/list-suppressions
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from bot.consent.addresses import key_of
from bot.consent.suppressions import Cause, ListedAddress, Listing
from handlers.suppression_lists.address_paths import in_ascii
from handlers.suppression_lists.list_calls import ListCalls
from handlers.suppression_lists.list_entries import (
    NEVER_TAKEN_OFF,
    account_hash,
    add_in_halves,
    cursor_text,
    mailboxes_in,
    only_of,
    read_cursor,
    reason_of,
    rows_in,
)
from handlers.suppression_lists.provider_lists import (
    Added,
    AddressRefused,
    ListCheck,
    ListPage,
    ListsUnavailable,
)
from handlers.suppression_lists.spellings import Spellings
from handlers.webhooks.payload_parsing import at, moment, text_at
from handlers.webhooks.providers.resend.webhook import Resend

#: The most that one page may have.
_PAGE = 100
_PATH = "/suppressions"
#: By the origin; without one that is known, our own side put it there, as the webhook has it.
_CAUSES: Mapping[str, Cause] = {"bounce": Cause.BOUNCE, "complaint": Cause.COMPLAINT}
_KEY = (
    "Set OPTIN_RESEND_API_KEY to a key with Full access, under API Keys; a key that may only send "
    "has no access to the list. If the key is right, Resend's suppression list is not available "
    "to this team yet: leave OPTIN_RESEND_API_KEY out until it is."
)


class ResendLists:
    """The suppression list of one team."""

    name: ClassVar[str] = Resend.name
    most_added: ClassVar[int] = 100
    readable: ClassVar[bool] = True

    def __init__(self, *, api_key: str, api_url: str) -> None:
        self.account = account_hash(self.name, api_key, api_url)
        self._spellings = Spellings()
        self._calls = ListCalls(
            label="Resend",
            api_url=api_url,
            headers=lambda _: {"Authorization": f"Bearer {api_key}"},
            forbidden=_KEY,
            refuses_key=lambda _, told: "api key" in text_at(told, "message").lower(),
        )

    def pages(self, resume: str | None) -> Iterator[ListPage]:
        """By the id of the last entry of the page before. If that entry is gone, Resend no longer
        knows the place, and the read begins anew."""
        after = text_at(read_cursor(resume), "after") if resume else ""
        while True:
            rows, more = self._page(after)
            last = text_at(rows[-1], "id") if rows else ""
            if more and (not last or last == after):
                raise ListsUnavailable("Resend's list has no next page, and says that it has")
            entries = tuple(mailboxes_in(map(_entry, rows), "Resend"))
            for entry in entries:
                self._spellings.note(entry.address)
            yield ListPage(entries=entries, next=cursor_text({"after": last}) if more else None)
            if not more:
                return
            after = last

    def _page(self, after: str) -> tuple[Sequence[Any], bool]:
        query = [("limit", str(_PAGE)), *([("after", after)] if after else [])]
        outdated = {400, 404, 422} if after else set[int]()
        # For the whole list, a 404 says that this team has none.
        answer = self._calls.get(_PATH, query, outdated=outdated, denied=() if after else {404})
        return rows_in(answer, "data", "Resend"), at(answer, "has_more") is True

    def find(self, address: str) -> Sequence[ListedAddress]:
        """One entry at most: Resend's list has one for each address."""
        found: dict[str, ListedAddress] = {}
        for spelling in self._spellings.of(address):
            row = self._calls.find(_PATH, spelling, says_missing=_is_missing)
            if row is not None:
                entry = _entry(row)
                found.setdefault(entry.place or entry.address, entry)
        return only_of(address, found.values(), "Resend")

    def add(self, addresses: Sequence[str]) -> Sequence[Added]:
        """Duplicates collapse in the answer, so that nothing is matched by its position."""
        return add_in_halves(addresses, self._add)

    def _add(self, addresses: Sequence[str]) -> Sequence[Added]:
        body = {"emails": [in_ascii(one) for one in addresses]}
        answer = self._calls.send("POST", f"{_PATH}/batch/add", body, of_one=True)
        told = rows_in(answer.content, "data", "Resend")
        if not any("email" in row for row in told):
            # Ids alone: a read says which of them stand there.
            return [Added(address=one) for one in addresses]
        taken = {key_of(text_at(row, "email")) for row in told}
        return [
            Added(address=one)
            if key_of(one) in taken
            else Added(address=one, problem="Resend left it out of its answer", again=True)
            for one in addresses
        ]

    def remove(self, entry: ListedAddress) -> None:
        """By its id, so that an entry that came meanwhile stays; never a complaint."""
        if entry.listing.cause is Cause.COMPLAINT:
            raise AddressRefused(NEVER_TAKEN_OFF)
        self._calls.delete_entry(_PATH, entry.place)

    def check(self) -> Iterator[ListCheck]:
        """Reads one page."""
        self._page("")
        yield ListCheck(what="Resend's suppression list can be read.")


def _is_missing(told: Any) -> bool:
    return text_at(told, "name") == "not_found" or text_at(told, "error", "name") == "not_found"


def _entry(row: Any) -> ListedAddress:
    origin = text_at(row, "origin")
    return ListedAddress(
        address=text_at(row, "email"),
        listing=Listing(provider=Resend.name, cause=_CAUSES.get(origin, Cause.OURS)),
        since=moment(at(row, "created_at")),
        reason=reason_of(origin),
        place=text_at(row, "id"),
    )
