"""Mailgun's suppression lists: bounces, unsubscribes, complaints, of each sending domain.

https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/suppressions
The webhook's events do not name a list, so that Optin keeps one entry for all domains.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from bot.consent.suppressions import Cause, ListedAddress, Listing
from handlers.suppression_lists.address_paths import in_ascii, name_segment
from handlers.suppression_lists.basic_auth import basic_auth
from handlers.suppression_lists.list_calls import ListCalls
from handlers.suppression_lists.list_entries import (
    NEVER_TAKEN_OFF,
    account_hash,
    add_in_halves,
    mailboxes_in,
    one_by_one,
    only_of,
    reason_of,
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
from handlers.suppression_lists.sealed_cursor import CursorSeal
from handlers.suppression_lists.spellings import Spellings
from handlers.webhooks.payload_parsing import at, list_at, moment, text_at
from handlers.webhooks.providers.mailgun.webhook import Mailgun

#: The most that one page may have.
_PAGE = 1_000
#: Read one after the other, for each domain.
_CAUSES: Mapping[str, Cause] = {
    "bounces": Cause.BOUNCE,
    "unsubscribes": Cause.UNSUBSCRIBE,
    "complaints": Cause.COMPLAINT,
}
#: Everything from this domain.
_ALL_TAGS = "*"
_KEY = (
    "Set OPTIN_MAILGUN_API_KEY to an API key of the account, under API Security. A sending key of "
    "a domain has no access to the lists."
)


class MailgunLists:
    """The lists of these domains. An address that is added stands on the list of each."""

    name: ClassVar[str] = Mailgun.name
    most_added: ClassVar[int] = 1_000
    readable: ClassVar[bool] = True

    def __init__(self, *, api_key: str, domains: Sequence[str], api_url: str) -> None:
        self.account = account_hash(self.name, api_key, api_url, *sorted(domains))
        self._lists = [(domain, list_) for domain in domains for list_ in _CAUSES]
        self._domains = domains
        self._spellings = Spellings()
        self._api_url = urlsplit(api_url)
        self._cursors = CursorSeal(api_key)
        self._calls = ListCalls(
            label="Mailgun",
            api_url=api_url,
            headers=lambda _: basic_auth("api", api_key),
            forbidden=_KEY,
        )

    def pages(self, resume: str | None) -> Iterator[ListPage]:
        """One list after the other, in the order of the alphabet. The cursor has what Mailgun's
        address of the next page has: an entry's address among it, so it is sealed."""
        number, asked = self._place(resume)
        while True:
            domain, list_ = self._lists[number]
            query = asked or [("limit", str(_PAGE))]
            answer = self._calls.get(_path(domain, list_), query, outdated={400} if asked else ())
            rows = rows_in(answer, "items", "Mailgun")
            following = self._following(answer, domain, list_, asked) if rows else None
            entries = mailboxes_in((_entry(domain, list_, row) for row in rows), "Mailgun")
            number, asked = (number, following) if following else (number + 1, None)
            more = number < len(self._lists)
            cursor = self._cursors.seal({"list": number, "asked": asked}) if more else None
            page = ListPage(entries=tuple(entries), next=cursor)
            for entry in page.entries:
                self._spellings.note(entry.address)
            yield page
            if not more:
                return

    def _place(self, resume: str | None) -> tuple[int, list[tuple[str, str]] | None]:
        """Which list, and the query of its page. Raises `ReadOutdated`."""
        if resume is None:
            return 0, None
        cursor = self._cursors.open(resume)
        number, asked = cursor.get("list"), cursor.get("asked")
        if not isinstance(number, int) or not 0 <= number < len(self._lists):
            raise ReadOutdated("Mailgun's domains are others now: the read begins anew")
        return number, [(str(name), str(value)) for name, value in asked] if asked else None

    def _following(
        self, answer: Any, domain: str, list_: str, asked: Sequence[tuple[str, str]] | None
    ) -> list[tuple[str, str]] | None:
        """The query of the next page; None after a page whose next is itself.

        Raises `ListsUnavailable` if that is not a page of this very list, at this very host.
        """
        next_ = text_at(answer, "paging", "next")
        if not next_:
            return None
        try:
            parts = urlsplit(next_)
        except ValueError:
            parts = urlsplit("")
        here = (self._api_url.scheme, self._api_url.netloc, self._calls.base + _path(domain, list_))
        query = parse_qsl(parts.query, keep_blank_values=True)
        if (parts.scheme, parts.netloc, parts.path) != here or not query:
            raise ListsUnavailable("Mailgun's next page would be elsewhere")
        return query if query != asked else None

    def find(self, address: str) -> Sequence[ListedAddress]:
        """On each list of each domain."""
        found: dict[tuple[str, str], ListedAddress] = {}
        for spelling in self._spellings.of(address):
            for domain, list_ in self._lists:
                row = self._calls.find(_path(domain, list_), spelling, says_missing=_is_missing)
                if row is not None:
                    entry = _entry(domain, list_, row)
                    found.setdefault((entry.place, entry.address), entry)
        return only_of(address, found.values(), "Mailgun")

    def add(self, addresses: Sequence[str]) -> Sequence[Added]:
        """To the unsubscribes of each domain, for all tags."""
        results = one_by_one(
            self._domains, lambda one: add_in_halves(addresses, partial(self._add, one))
        )
        return [
            next((one for one in of_one if one.problem), of_one[0])
            for of_one in zip(*results, strict=True)
        ]

    def _add(self, domain: str, addresses: Sequence[str]) -> Sequence[Added]:
        rows = [{"address": in_ascii(one), "tags": [_ALL_TAGS]} for one in addresses]
        self._calls.send("POST", _path(domain, "unsubscribes"), rows, of_one=True)
        return [Added(address=one) for one in addresses]

    def remove(self, entry: ListedAddress) -> None:
        """Takes it off the list where it was seen, with all its tags; never off the complaints."""
        domain, _, list_ = entry.place.rpartition("/")
        theirs = (domain, list_) not in self._lists or list_ == "complaints"
        if theirs or entry.listing.cause is Cause.COMPLAINT:
            raise AddressRefused(NEVER_TAKEN_OFF)
        self._calls.delete(_path(domain, list_), entry.address)

    def check(self) -> Iterator[ListCheck]:
        """Reads one entry of each list, and the allowlist of each domain."""
        for domain in self._domains:
            try:
                for list_ in _CAUSES:
                    self._calls.get(_path(domain, list_), [("limit", "1")], outdated={404})
            except ReadOutdated:
                yield ListCheck(
                    what=f"Mailgun does not know the domain {domain}.",
                    cure="Check OPTIN_MAILGUN_DOMAINS. A domain in the EU needs "
                    "OPTIN_MAILGUN_API_URL=https://api.eu.mailgun.net.",
                )
                continue
            yield ListCheck(what=f"Mailgun's suppression lists of {domain} can be read.")
            yield from self._allowlist(domain)

    def _allowlist(self, domain: str) -> Iterator[ListCheck]:
        try:
            answer = self._calls.get(_path(domain, "whitelists"), [("limit", "1")])
        except ListsUnavailable:
            return
        if list_at(answer, "items"):
            yield ListCheck(
                what=f"Mailgun's allowlist of {domain} has entries: no bounce puts these on the "
                "bounce list.",
                cure=f"Look at the allowlist of {domain} in Mailgun, under Suppressions. Each "
                "domain has one of its own.",
                advice=True,
            )


def _is_missing(told: Any) -> bool:
    """`Address not found in bounces table`, and not `Domain not found`."""
    return "address" in text_at(told, "message").lower()


def _path(domain: str, list_: str) -> str:
    return f"/v3/{name_segment(domain)}/{list_}"


def _entry(domain: str, list_: str, row: Any) -> ListedAddress:
    tags = [tag for tag in list_at(row, "tags") if isinstance(tag, str) and tag != _ALL_TAGS]
    return ListedAddress(
        address=text_at(row, "address"),
        listing=Listing(provider=Mailgun.name, cause=_CAUSES[list_]),
        since=_time(at(row, "created_at")),
        reason=reason_of(text_at(row, "error"), *tags),
        place=f"{domain}/{list_}",
    )


def _time(told: object) -> datetime | None:
    """A date as mails have it, `Fri, 21 Oct 2011 11:02:55 UTC`, or in ISO 8601."""
    try:
        return moment(parsedate_to_datetime(told if isinstance(told, str) else "").isoformat())
    except (ValueError, IndexError, TypeError, OverflowError):
        return moment(told)
