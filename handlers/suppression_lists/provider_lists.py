"""The seam for a provider's suppression lists: each provider's folder has a client that keeps this
protocol."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Protocol

from bot.consent.events import Event
from bot.consent.known_providers import KnownLists
from bot.consent.suppressions import Cause, ListedAddress

#: What Optin does with lists of bounces, unsubscribes and complaints.
EVERY_LIST = KnownLists(
    shows=frozenset({Cause.UNSUBSCRIBE, Cause.COMPLAINT, Cause.BOUNCE, Cause.OURS}),
    adds=True,
    removes=frozenset({Cause.UNSUBSCRIBE, Cause.BOUNCE, Cause.OURS, Cause.UNKNOWN}),
)


class ListsUnavailable(Exception):
    """The provider can't be asked now: it is down, slow, limits the rate, or answers nonsense.

    The text is for the log and for people, and holds nothing out of the answer.
    """

    def __init__(self, problem: str, *, retry_after: timedelta | None = None) -> None:
        """`retry_after` is the wait that the provider asked for."""
        super().__init__(problem)
        self.retry_after = retry_after
        #: Of `add`: whether calls before this one may have added some of the addresses.
        self.partly = False


class ListsForbidden(ListsUnavailable):
    """The key is wrong, or lacks a scope. The text says what to do."""

    def __init__(self, problem: str, *, cure: str = "") -> None:
        """`problem` alone is in `what`; `cure` says which scope the key needs, and where to get
        it."""
        super().__init__(f"{problem} {cure}".strip())
        self.what, self.cure = problem, cure


class ReadOutdated(ListsUnavailable):
    """The provider does not know any more where the read was: begin anew."""


class AddressRefused(Exception):
    """The provider does not take this one address. Others are not concerned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPage:
    """Some of a provider's lists, in any order. An entry may come twice."""

    entries: tuple[ListedAddress, ...] = ()
    #: What an SMS provider tells: missed opt-outs, as its webhook would have told them.
    events: tuple[Event, ...] = ()
    #: From where to go on; None at the end.
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What came of one address that was to be added."""

    #: As it was asked for.
    address: str
    #: Why the provider did not take it; empty where it did.
    problem: str = ""
    #: Whether it may take it later.
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ListCheck:
    """Something that `optin doctor` says of a provider's lists."""

    what: str
    #: What to do about it; None where all is well.
    cure: str | None = None
    #: Only advice: nothing is broken.
    advice: bool = False


class ProviderLists(Protocol):
    """The lists of one provider. Every method but `check` raises `ListsUnavailable`.

    No method can name a list without an address, so nothing can empty one. Nothing but what was
    asked for is believed: a page that would be elsewhere, or the entry of another address, is
    `ListsUnavailable`.
    """

    #: The provider's id.
    name: ClassVar[str]
    #: Addresses that one call adds, at most.
    most_added: ClassVar[int]
    #: False where the provider has nothing to read: `pages` gives one empty page, `find` nothing,
    #: and what the provider took from Optin counts as confirmed.
    readable: ClassVar[bool]
    #: Says that the key is another one now, and perhaps the account: a keyed hash, not the key.
    account: str

    def pages(self, resume: str | None) -> Iterator[ListPage]:
        """Everything on the lists; from the `next` of an earlier page on, where one is given. What
        is added meanwhile may be left out."""
        ...

    def find(self, address: str) -> Sequence[ListedAddress]:
        """The entries of this address, in whatever case the list spells it. Raises
        `AddressRefused`."""
        ...

    def add(self, addresses: Sequence[str]) -> Sequence[Added]:
        """Adds these to the list of opt-outs; one result for each, in this order. Adding what is
        there changes nothing."""
        ...

    def remove(self, entry: ListedAddress) -> None:
        """Takes off one entry, as `find` gave it. What is not there is done. Raises
        `AddressRefused`, also for every entry with the cause COMPLAINT. Where Optin's own add
        stands as a complaint (Amazon SES), the caller gives that entry with the cause OURS."""
        ...

    def check(self) -> Iterator[ListCheck]:
        """Asks the provider what `optin doctor` says: the key's scopes, and settings there that
        make its lists useless."""
        ...
