"""A provider's suppression lists in memory, and the writes to them made one at a time: what the
worker does, without its threads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.consent.addresses import key_of
from bot.consent.known_providers import KnownLists, KnownProviders
from bot.consent.model import Channel, ConsentValue, Contact
from bot.consent.suppressions import Cause, ListedAddress, Listing
from bot.consent.use_cases import (
    Details,
    Service,
    StatusUpdate,
    add,
    approve,
    change,
    profile,
    verify,
)
from bot.consent.use_cases.lists.finish_reads import ReadEnd, finish_read, lift_gone
from bot.consent.use_cases.lists.judge_entries import judge_entries
from bot.consent.use_cases.lists.list_state import confirm_writes
from bot.consent.use_cases.lists.reads import begin_read, take_page
from bot.consent.use_cases.lists.settle_writes import OutcomeKind, WriteOutcome, settle_write
from bot.consent.use_cases.lists.writes import claim_writes
from bot.consent.write_backs import WriteAction, WriteBack, WriteState
from bot.runtime.clock import Stopped
from tests.support.cases_fixtures import ask
from tests.support.consent_fixtures import AGENT, MANAGER, OPERATOR, open_service
from tests.support.take_fixtures import MAILBOX

BY_PHONE = StatusUpdate(email=ConsentValue.NO, reason="Asked by phone")
REMOVED = frozenset({Cause.UNSUBSCRIBE, Cause.OURS, Cause.UNKNOWN, Cause.BOUNCE})
EVERY = KnownLists(
    reads=True,
    adds=True,
    removes=REMOVED,
    shows=frozenset({Cause.UNSUBSCRIBE, Cause.COMPLAINT, Cause.BOUNCE, Cause.OURS}),
    shows_scopes=True,
)


@dataclass(kw_only=True)
class ListInMemory:
    """One provider's lists. It counts the calls for each address."""

    name: str
    clock: Stopped
    #: As what it shows an address that was added: some providers tell no origins.
    added_as: Cause = Cause.UNSUBSCRIBE
    entries: list[ListedAddress] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    def put(
        self,
        address: str,
        cause: Cause = Cause.UNSUBSCRIBE,
        *,
        since: datetime | None = None,
        scope: str = "",
    ) -> ListedAddress:
        """Something that happened at the provider, now where no time is given."""
        listing = Listing(provider=self.name, cause=cause, scope=scope)
        entry = ListedAddress(address=address, listing=listing, since=since or self.clock())
        self.entries = [one for one in self.entries if not _same(one, entry)]
        self.entries.append(entry)
        return entry

    def find(self, address: str) -> list[ListedAddress]:
        """The entries of one address."""
        return [one for one in self.entries if key_of(one.address) == key_of(address)]

    def add(self, address: str) -> None:
        self.added.append(address)
        there = (one.listing for one in self.find(address) if not one.listing.scope)
        if not any(one.cause is self.added_as for one in there):
            self.put(address, self.added_as)

    def remove(self, entry: ListedAddress) -> None:
        assert entry.listing.cause is not Cause.COMPLAINT
        self.removed.append(f"{entry.listing.name}:{key_of(entry.address)}")
        self.entries.remove(entry)

    @property
    def addresses(self) -> list[str]:
        """The addresses with an entry, each once."""
        return sorted({key_of(entry.address) for entry in self.entries})


def _same(one: ListedAddress, other: ListedAddress) -> bool:
    return (one.listing, key_of(one.address)) == (other.listing, key_of(other.address))


def with_lists(service: Service, lists: Mapping[str, KnownLists]) -> Service:
    """The service with these providers' lists on."""
    known = {
        id: replace(one, lists=lists[id]) if id in lists else one
        for id, one in service.providers.by_id.items()
    }
    return replace(service, providers=KnownProviders(known))


@dataclass(kw_only=True)
class Lists:
    """A service whose providers' lists are in memory."""

    service: Service
    clock: Stopped
    by_name: Mapping[str, ListInMemory]

    @property
    def sendgrid(self) -> ListInMemory:
        return self.by_name["sendgrid"]

    def confirm(self) -> None:
        """A whole read of each provider, and an operator's yes."""
        for name in self.by_name:
            self.read(name)
            confirm_writes(self.service, name, OPERATOR)

    def read(
        self, name: str = "sendgrid", *, page: int = 3, rehearse: bool = False, account: str = "a"
    ) -> ReadEnd:
        """Reads the provider's lists, and looks up what they did not show."""
        read = begin_read(self.service, name, account=account, token="reader", rehearse=rehearse)
        assert read is not None
        entries = self.by_name[name].entries
        pages = [entries[at : at + page] for at in range(0, len(entries), page)] or [[]]
        for number, some in enumerate(pages, 1):
            next = str(number) if number < len(pages) else None
            read = take_page(self.service, read, some, (), next)
            assert read is not None
        end = finish_read(self.service, read)
        assert end is not None
        if not rehearse:
            for address in end.to_look_up:
                found = self.by_name[name].find(address)
                lift_gone(self.service, name, address, found, asked=self.clock())
        return end

    def claim(self, name: str = "sendgrid", *, limit: int = 100) -> list[WriteBack]:
        return claim_writes(self.service, name, limit=limit, token="worker")

    def work(self, name: str = "sendgrid") -> list[WriteBack]:
        """Makes the calls that are due, as the worker does. The rows after it."""
        done = []
        for write in self.claim(name):
            row = settle_write(self.service, write, self.call(write))
            if row is not None:
                done.append(row)
        return done

    def work_until_done(self, name: str = "sendgrid") -> None:
        """The same until nothing is open, and a minute passes between."""
        for _ in range(10):
            self.work(name)
            if not self.open(name):
                return
            self.clock.advance(timedelta(minutes=1))

    def call(self, write: WriteBack) -> WriteOutcome:
        """The call of one write, and what came of it."""
        there = self.by_name[write.provider]
        if write.action is WriteAction.ADD and write.attempts == 1:
            there.add(write.address)
            return WriteOutcome(kind=OutcomeKind.ADDED)
        found = there.find(write.address)
        judged = judge_entries(write, found, self.service.providers.added_as(write.provider))
        if write.action is WriteAction.ADD:
            if not judged.mine:
                there.add(write.address)
            return WriteOutcome(kind=OutcomeKind.ADDED, found=found)
        if judged.newer is not None:
            return WriteOutcome(kind=OutcomeKind.NEWER, entry=judged.newer, found=found)
        if not judged.mine:
            return WriteOutcome(kind=OutcomeKind.GONE, found=found)
        if write.state is WriteState.SENT:
            return WriteOutcome(kind=OutcomeKind.AGAIN, found=found)
        for entry in judged.mine:
            there.remove(entry)
        return WriteOutcome(kind=OutcomeKind.REMOVED, found=found)

    def rows(self, address: str) -> dict[str, tuple[WriteAction, WriteState]]:
        """What is wanted of each entry of this address, and how far it came."""
        with self.service.store.reading() as records:
            writes = records.write_backs.of(key_of(address))
        return {write.listing: (write.action, write.state) for write in writes}

    def open(self, name: str) -> list[WriteBack]:
        """The writes that are not done."""
        later = self.clock() + timedelta(days=365)
        with self.service.store.reading() as records:
            return records.write_backs.due(later, (name,), limit=1_000)

    def blocks(self, address: str) -> dict[str, bool]:
        """The entries that Optin believes, and whether it is taking each off."""
        with self.service.store.reading() as records:
            blocks = records.addresses.get(key_of(address)).blocks
        return {name: block.leaving for name, block in blocks.items()}

    def answer(self, contact: str, channel: Channel = Channel.EMAIL) -> str:
        """The answer on the contact's card."""
        return profile(self.service, contact, OPERATOR).decisions[channel].answer


def ana(lists: Lists, name: str = "Ana", *, email: str = MAILBOX, yes: bool = True) -> Contact:
    """A contact who agreed to e-mails an hour ago."""
    contact = add(lists.service, Details(name=name, email=email), AGENT)
    if yes:
        wish = StatusUpdate(email=ConsentValue.YES, evidence="The form", reason="Web form")
        contact = change(lists.service, contact.id, wish, AGENT).contact
    lists.clock.advance(timedelta(hours=1))
    return contact


def come_back(lists: Lists, contact: Contact) -> None:
    """Asks for a re-opt-in, and a manager approves."""
    lists.clock.advance(timedelta(minutes=1))
    case = ask(lists.service, contact, Channel.EMAIL)
    assert approve(lists.service, case.id, MANAGER).won


def check(lists: Lists) -> None:
    """The log is whole, replay equals live, and each write has its cause in the log."""
    assert verify(lists.service).problem is None
    with lists.service.store.reading() as records:
        ids = {entry.id for entry in records.log.all()}
        assert {write.cause for write in records.write_backs.all()} <= ids


@pytest.fixture
def unconfirmed(storage_path: Path, clock: Stopped) -> Iterator[Lists]:
    """SendGrid's and Postmark's lists are on; nobody has confirmed the first write."""
    service = open_service(storage_path, clock)
    names = {"sendgrid": Cause.UNSUBSCRIBE, "postmark": Cause.OURS}
    yield Lists(
        service=with_lists(service, dict.fromkeys(names, EVERY)),
        clock=clock,
        by_name={
            name: ListInMemory(name=name, clock=clock, added_as=cause)
            for name, cause in names.items()
        },
    )
    service.store.close()


@pytest.fixture
def lists(unconfirmed: Lists) -> Lists:
    """The same, confirmed."""
    unconfirmed.confirm()
    return unconfirmed
