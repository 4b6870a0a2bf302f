"""Amazon SES's suppression list, of one account in one region.

https://docs.aws.amazon.com/ses/latest/dg/sending-email-suppression-list.html
The list has bounces and complaints and no other reason. Amazon sends regardless of case, and finds
an entry by its exact spelling alone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from bot.consent.suppressions import Cause, ListedAddress, Listing, why
from bot.consent.write_backs import ECHO_WITHIN
from handlers.suppression_lists.address_paths import in_ascii, is_mailbox
from handlers.suppression_lists.list_calls import ListCalls
from handlers.suppression_lists.list_entries import (
    NEVER_TAKEN_OFF,
    account_hash,
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
    ListsForbidden,
    ListsUnavailable,
)
from handlers.suppression_lists.sealed_cursor import CursorSeal
from handlers.suppression_lists.spellings import Spellings
from handlers.webhooks.payload_parsing import at, list_at, moment, text_at
from handlers.webhooks.providers.ses.amazon_signature import AmazonKey, signed_headers
from handlers.webhooks.providers.ses.webhook import Ses

_PATH = "/v2/email/suppression/addresses"
_PAGE = 1_000
_CAUSES: Mapping[str, Cause] = {"BOUNCE": Cause.BOUNCE, "COMPLAINT": Cause.COMPLAINT}
#: Of a complaint that Amazon got from a mailbox provider. An entry that was put there has no id of
#: a report.
_REPORTED = "reported"
#: Pages in which one look-up searches odd spellings, and how far a search reaches back behind the
#: one before.
_SEARCHED, _OVERLAP = 20, timedelta(hours=1)
_KEY = (
    "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and OPTIN_SES_REGION, and allow the key "
    "ses:ListSuppressedDestinations, ses:GetSuppressedDestination and ses:GetAccount; to write, "
    "also ses:PutSuppressedDestination and ses:DeleteSuppressedDestination."
)


class SesLists:
    """The list of the account that the access key belongs to."""

    name: ClassVar[str] = Ses.name
    most_added: ClassVar[int] = 25
    readable: ClassVar[bool] = True

    def __init__(self, *, key: AmazonKey, api_url: str) -> None:
        self.account = account_hash(self.name, key.secret, key.id, key.region, api_url)
        self._cursors = CursorSeal(key.secret)
        self._spellings = Spellings()
        self._search = threading.Lock()
        #: Since when odd spellings were not searched, and where a search has come to.
        self._searched_until: datetime | None = None
        self._search_query: list[tuple[str, str]] | None = None
        self._search_began = datetime.now(UTC)
        self._calls = ListCalls(
            label="Amazon SES",
            api_url=api_url,
            headers=lambda call: signed_headers(call, key, datetime.now(UTC)),
            forbidden=_KEY,
        )

    def pages(self, resume: str | None) -> Iterator[ListPage]:
        """By Amazon's own token, which expires: the read then begins anew. Nobody says what is in
        a token, so it is sealed."""
        token = text_at(self._cursors.open(resume), "token") if resume else ""
        while True:
            query = [("PageSize", str(_PAGE)), *([("NextToken", token)] if token else [])]
            entries, following = self._page(query, outdated={400} if token else set())
            if following and following == token:
                raise ListsUnavailable("Amazon SES's next page is the same page again")
            next_ = self._cursors.seal({"token": following}) if following else None
            yield ListPage(entries=entries, next=next_)
            if not following:
                return
            token = following

    def _page(
        self, query: Sequence[tuple[str, str]], outdated: set[int]
    ) -> tuple[tuple[ListedAddress, ...], str]:
        answer = self._calls.get(_PATH, query, outdated=outdated)
        rows = rows_in(answer, "SuppressedDestinationSummaries", "Amazon SES")
        # A tenant's list is another one, and stops mail of that tenant alone.
        ours = (_entry(row) for row in rows if not text_at(row, "TenantName"))
        entries = tuple(mailboxes_in(ours, "Amazon SES"))
        for entry in entries:
            self._spellings.note(entry.address)
        return entries, text_at(answer, "NextToken")

    def find(self, address: str) -> Sequence[ListedAddress]:
        """In every spelling that the list has of it. For that the list is searched once, and then
        only for what is new."""
        if not is_mailbox(address):
            raise AddressRefused("is not an address that a provider's API can name")
        self._search_spellings()
        found: dict[str, ListedAddress] = {}
        for spelling in self._spellings.of(address):
            row = self._calls.find(_PATH, spelling, says_missing=_is_missing)
            if row is not None:
                entry = _entry(at(row, "SuppressedDestination"))
                found.setdefault(entry.address, entry)
        return only_of(address, found.values(), "Amazon SES")

    def _search_spellings(self) -> None:
        """Goes on with the search. Raises `ListsUnavailable` where it has not come to its end."""
        with self._search:
            if self._search_query is None:
                self._search_began = datetime.now(UTC)
                since = self._searched_until
                start = [("StartDate", f"{since - _OVERLAP:%Y-%m-%dT%H:%M:%SZ}")] if since else []
                self._search_query = [("PageSize", str(_PAGE)), *start]
            for _ in range(_SEARCHED):
                query = [pair for pair in self._search_query if pair[0] != "NextToken"]
                try:
                    _, token = self._page(self._search_query, outdated={400})
                except ListsUnavailable:
                    if len(query) != len(self._search_query):
                        self._search_query = query  # its token may have expired
                    raise
                if not token:
                    self._searched_until, self._search_query = self._search_began, None
                    return
                self._search_query = [*query, ("NextToken", token)]
            raise ListsUnavailable(
                "Optin is still reading Amazon SES's list, for how it spells addresses",
                retry_after=timedelta(seconds=1),
            )

    def add(self, addresses: Sequence[str]) -> Sequence[Added]:
        """As complaints, one by one. What stands there stays: it would be overwritten, and Amazon
        sends nothing to the address anyway."""
        return one_by_one(addresses, self._add)

    def _add(self, address: str) -> Added:
        plain = in_ascii(address)
        try:
            row = self._calls.find(_PATH, plain, says_missing=_is_missing)
            if row is None:
                body = {"EmailAddress": plain, "Reason": "COMPLAINT"}
                self._calls.send("PUT", _PATH, body, of_one=True)
                return Added(address=address)
        except AddressRefused as refused:
            return Added(address=address, problem=str(refused))
        known = _entry(at(row, "SuppressedDestination"))
        ours = known.since is not None and datetime.now(UTC) - known.since < ECHO_WITHIN
        if known.listing.cause is Cause.COMPLAINT and ours and known.place != _REPORTED:
            return Added(address=address)  # from an earlier attempt
        return Added(address=address, problem=f"stands there already: {why(known.listing)}")

    def remove(self, entry: ListedAddress) -> None:
        """In the spelling of the list; never a complaint, unless the caller knows it for Optin's
        own."""
        if entry.listing.cause is Cause.COMPLAINT or entry.place == _REPORTED:
            raise AddressRefused(NEVER_TAKEN_OFF)
        self._calls.delete(_PATH, entry.address)

    def check(self) -> Iterator[ListCheck]:
        """Reads one page, and for which reasons the account's list acts at all."""
        self._page([("PageSize", "1")], outdated=set())
        yield ListCheck(what="Amazon SES's suppression list can be read.")
        try:
            account = self._calls.get("/v2/email/account")
        except ListsForbidden:
            yield ListCheck(
                what="For which reasons Amazon SES uses its suppression list, Optin can't tell.",
                cure="Allow the key ses:GetAccount.",
                advice=True,
            )
            return
        reasons = list_at(account, "SuppressionAttributes", "SuppressedReasons")
        if missing := [one for one in ("BOUNCE", "COMPLAINT") if one not in reasons]:
            only = {"BOUNCE": "complaints only", "COMPLAINT": "bounces only"}[missing[0]]
            if len(missing) > 1:
                only = "no reason at all"
            yield ListCheck(
                what=f"Amazon SES's suppression list acts for {only}: Amazon sends to the other "
                "addresses that stand on it.",
                cure="Switch both reasons on, under Configuration, Suppression list, Account-level "
                "settings.",
                advice=True,
            )


def _is_missing(told: Any) -> bool:
    """Amazon has the type of a fault in a header or here; an unknown path has none."""
    said = " ".join(text_at(told, name) for name in ("__type", "message", "Message")).lower()
    return "notfound" in said or "does not exist" in said or "not found" in said


def _entry(row: Any) -> ListedAddress:
    reason = text_at(row, "Reason")
    cause = _CAUSES.get(reason, Cause.UNKNOWN)
    reported = cause is Cause.COMPLAINT and text_at(row, "Attributes", "FeedbackId")
    return ListedAddress(
        address=text_at(row, "EmailAddress"),
        listing=Listing(provider=Ses.name, cause=cause),
        since=moment(at(row, "LastUpdateTime")),
        reason=reason_of(reason),
        place=_REPORTED if reported else "",
    )
