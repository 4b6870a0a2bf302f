"""SendGrid's suppression lists: bounces, invalid addresses, spam reports, unsubscribes.

https://www.twilio.com/docs/sendgrid/api-reference/suppressions-suppressions
Blocks are not read: SendGrid sends to those addresses again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from bot.consent.addresses import key_of
from bot.consent.suppressions import Cause, ListedAddress, Listing
from handlers.suppression_lists.address_paths import in_ascii, name_segment
from handlers.suppression_lists.list_calls import ListCalls
from handlers.suppression_lists.list_entries import (
    NEVER_TAKEN_OFF,
    account_hash,
    add_in_halves,
    cursor_text,
    in_steps,
    mailboxes_in,
    only_of,
    read_cursor,
    rows_in,
    rows_of,
)
from handlers.suppression_lists.provider_lists import (
    Added,
    AddressRefused,
    ListCheck,
    ListPage,
    ListsUnavailable,
    ReadOutdated,
)
from handlers.suppression_lists.spellings import Spellings
from handlers.webhooks.payload_parsing import at, list_at, moment, text_at
from handlers.webhooks.providers.sendgrid import list_check
from handlers.webhooks.providers.sendgrid.list_rows import (
    CAUSES,
    GROUP,
    UNSUBSCRIBES,
    in_group,
    is_of,
    listed,
    mark_of,
)
from handlers.webhooks.providers.sendgrid.webhook import Sendgrid

#: The most that one page may have.
_PAGE = 500
#: Of one list, before the read is given up.
_MOST_STEPS_BACK = 100
_GROUPS = "groups"
#: Read one after the other.
_LISTS = (*CAUSES, _GROUPS)
#: Where one address of a list is found.
_ONE = {name: f"/v3/suppression/{name}" for name in ("bounces", "invalid_emails", "spam_reports")}
_GLOBAL = "/v3/asm/suppressions/global"
_PAIRS = "/v3/asm/suppressions"
#: Bytes of the list of all groups, which has no pages: some 600,000 entries. Seconds for it.
_LARGEST, _WHOLE_WITHIN = 64 * 1024 * 1024, 120.0
_KEY = (
    "Make an API key under Settings, API Keys with Suppressions (and, for writing, with its full "
    "access) and set OPTIN_SENDGRID_API_KEY to it. A key of an EU subuser needs "
    "OPTIN_SENDGRID_API_URL=https://api.eu.sendgrid.com."
)


class SendgridLists:
    """The lists of one account or subuser, by an API key."""

    name: ClassVar[str] = Sendgrid.name
    most_added: ClassVar[int] = 500
    readable: ClassVar[bool] = True

    def __init__(self, *, api_key: str, api_url: str) -> None:
        self.account = account_hash(self.name, api_key, api_url)
        self._spellings = Spellings()
        self._calls = ListCalls(
            label="SendGrid",
            api_url=api_url,
            headers=lambda _: {"Authorization": f"Bearer {api_key}"},
            forbidden=_KEY,
            largest=_LARGEST,
        )

    # Reading

    def pages(self, resume: str | None) -> Iterator[ListPage]:
        """One list after the other. `end_time` stays the same, so that what is added meanwhile
        moves nothing."""
        if resume is None:
            until = int(datetime.now(UTC).timestamp())
            resume = cursor_text({"list": _LISTS[0], "offset": 0, "until": until})
        place = read_cursor(resume)
        while True:
            try:
                list_, until = place["list"], int(place["until"])
                following = _after(list_, until)
            except (KeyError, ValueError, TypeError):
                raise ReadOutdated("the place where the read was is not known any more") from None
            if list_ == _GROUPS:
                yield from self._group_pages(place)
                return
            yield (page := self._page(place, list_, until, following))
            if page.next is None:
                return
            place = read_cursor(page.next)

    def _page(
        self, place: Mapping[str, Any], list_: str, until: int, following: Mapping[str, Any]
    ) -> ListPage:
        """One page. It begins with the last entry of the page before. If that is not there, entries
        were taken off meanwhile and the rest has moved up: the read steps back."""
        offset, last = int(place.get("offset", 0)), place.get("last")
        query = [("end_time", str(until)), ("limit", str(_PAGE)), ("offset", str(offset))]
        rows = rows_of(self._calls.get(f"/v3/suppression/{list_}", query), "SendGrid")
        if last and (not rows or mark_of(rows[0]) != last):
            back = int(place.get("back", 0)) + 1
            cursor = {"list": list_, "offset": max(0, offset - _PAGE), "until": until, "back": back}
            if back > _MOST_STEPS_BACK:
                raise ListsUnavailable("SendGrid's list changes faster than it can be read")
            return ListPage(next=cursor_text(cursor))
        entries = self._entries(list_, rows)
        if len(rows) < _PAGE:
            return ListPage(entries=entries, next=cursor_text(following))
        cursor = {
            "list": list_,
            "offset": offset + _PAGE - 1,
            "until": until,
            "last": mark_of(rows[-1]),
            "back": int(place.get("back", 0)),
        }
        return ListPage(entries=entries, next=cursor_text(cursor))

    def _group_pages(self, place: Mapping[str, Any]) -> Iterator[ListPage]:
        known = self._groups()
        rows = rows_of(self._calls.get(_PAIRS, within=_WHOLE_WITHIN), "SendGrid")
        entries = [in_group(row) for row in rows if text_at(row, "group_id") in known]
        cursor = {"list": _GROUPS, "until": place["until"]}
        step = str(place.get("step", ""))
        yield from in_steps(self._noted(entries), step, cursor, None)

    def _groups(self) -> frozenset[str]:
        """The groups that there are. An entry of a deleted group stops nothing."""
        rows = rows_of(self._calls.get("/v3/asm/groups"), "SendGrid")
        return frozenset(filter(None, (text_at(row, "id") for row in rows)))

    def _entries(self, list_: str, rows: Sequence[Any]) -> tuple[ListedAddress, ...]:
        return self._noted([listed(list_, row) for row in rows])

    def _noted(self, entries: Sequence[ListedAddress]) -> tuple[ListedAddress, ...]:
        found = tuple(mailboxes_in(entries, "SendGrid"))
        for entry in found:
            self._spellings.note(entry.address)
        return found

    # One address

    def find(self, address: str) -> Sequence[ListedAddress]:
        """By the exact path, and never by `?email=` alone, which finds what begins alike."""
        found: dict[tuple[str, str], ListedAddress] = {}
        for spelling in self._spellings.of(address):
            for entry in self._find(spelling):
                found.setdefault((entry.place, entry.address), entry)
        return only_of(address, found.values(), "SendGrid")

    def _find(self, address: str) -> Iterator[ListedAddress]:
        for list_, place in _ONE.items():
            rows = self._one(place, address)
            for row in rows_of(rows, "SendGrid") if rows is not None else ():
                yield listed(list_, row)
        if spelled := text_at(self._one(_GLOBAL, address), "recipient_email"):
            yield self._unsubscribed(spelled)
        suppressed = self._one(_PAIRS, address)
        if suppressed is None:
            return
        groups = [
            text_at(row, "id")
            for row in rows_in(suppressed, "suppressions", "SendGrid")
            if at(row, "suppressed") is True
        ]
        if groups:
            yield from self._in_groups(address, groups)

    def _one(self, place: str, address: str) -> Any:
        return self._calls.find(place, address, says_missing=_is_missing)

    def _unsubscribed(self, address: str) -> ListedAddress:
        """The entry with its time, which only the list of all has."""
        query = [("email", address), ("limit", str(_PAGE))]
        rows = rows_of(self._calls.get(f"/v3/suppression/{UNSUBSCRIBES}", query), "SendGrid")
        times = [moment(at(row, "created")) for row in rows if is_of(row, address)]
        since = max(filter(None, times), default=None)
        return ListedAddress(
            address=address,
            listing=Listing(provider=Sendgrid.name, cause=Cause.UNSUBSCRIBE),
            since=since,
            place=UNSUBSCRIBES,
        )

    def _in_groups(self, address: str, groups: Sequence[str]) -> Iterator[ListedAddress]:
        """The same for groups."""
        rows = rows_of(self._calls.get(_PAIRS, within=_WHOLE_WITHIN), "SendGrid")
        timed = {text_at(row, "group_id"): row for row in rows if is_of(row, address)}
        for group in groups:
            yield in_group(timed.get(group) or {"email": address, "group_id": group})

    # Writing

    def add(self, addresses: Sequence[str]) -> Sequence[Added]:
        """To the global unsubscribes."""
        return add_in_halves(addresses, self._add)

    def _add(self, addresses: Sequence[str]) -> Sequence[Added]:
        body = {"recipient_emails": [in_ascii(one) for one in addresses]}
        answer = self._calls.send("POST", _GLOBAL, body, of_one=True)
        listed_now = list_at(answer.content, "recipient_emails")
        told = {key_of(one) for one in listed_now if isinstance(one, str)}
        return [
            Added(address=one)
            if key_of(one) in told
            else Added(address=one, problem="SendGrid left it out of its answer", again=True)
            for one in addresses
        ]

    def remove(self, entry: ListedAddress) -> None:
        """Takes it off the list where it was seen; never off the spam reports."""
        group = entry.place.removeprefix(GROUP)
        if entry.listing.cause is Cause.COMPLAINT:
            raise AddressRefused(NEVER_TAKEN_OFF)
        if entry.place in _LISTS_TO_WRITE:
            place = _LISTS_TO_WRITE[entry.place]
        elif group != entry.place:
            place = f"/v3/asm/groups/{name_segment(group)}/suppressions"
        else:
            raise AddressRefused(NEVER_TAKEN_OFF)
        self._calls.delete(place, entry.address)

    def check(self) -> Iterator[ListCheck]:
        """Reads one entry of each list, then what `list_check` asks."""
        for list_ in CAUSES:
            self._calls.get(f"/v3/suppression/{list_}", [("limit", "1")])
        groups = len(self._groups())
        yield ListCheck(what=f"SendGrid's suppression lists can be read, with {groups} groups.")
        yield from list_check.scopes(self._calls)
        yield from list_check.address_whitelist(self._calls)


#: Where an entry is taken off, by its place.
_LISTS_TO_WRITE = {
    "bounces": _ONE["bounces"],
    "invalid_emails": _ONE["invalid_emails"],
    UNSUBSCRIBES: _GLOBAL,
}


def _is_missing(told: Any) -> bool:
    return bool(list_at(told, "errors"))


def _after(list_: str, until: int) -> dict[str, Any]:
    """The beginning of the next list. Raises ValueError."""
    where = _LISTS.index(list_)
    return {"list": _LISTS[min(where + 1, len(_LISTS) - 1)], "offset": 0, "until": until}
