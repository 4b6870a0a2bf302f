"""The kinds of records that the use cases read and write, as one transaction sees them.

Each protocol is one part of `store.Records`. The interface is its user's; `storage/` implements it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

from bot.consent.alerts import Alert
from bot.consent.cases import Case
from bot.consent.log.chain import ChainLink
from bot.consent.log.entries import Answers, Entry, EntryKind
from bot.consent.model import AddressFacts, Channel, Contact, Import
from bot.consent.write_backs import WriteBack, WriteState


class Contacts(Protocol):
    """The contacts, and the ways to find one."""

    def get(self, id: str) -> Contact | None:
        """The contact, erased ones too."""
        ...

    def get_many(self, ids: Collection[str]) -> dict[str, Contact]:
        """Those of these ids that there are, by id. One way to a database."""
        ...

    def at(self, address: str) -> list[Contact]:
        """The contacts who have this phone number or mailbox now, oldest first."""
        ...

    def by_external_id(self, external_id: str) -> Contact | None:
        """The contact with this id in the company's other systems."""
        ...

    def search(self, text: str, *, limit: int) -> list[Contact]:
        """At most `limit` contacts, the first that are found and not the best.

        First those whose name has, for each word of `text`, a word that begins with it; then those
        whose name, e-mail or company contains it; digits also find phone numbers that begin or end
        with them. Case and accents don't matter (`parsing.fold`). Erased contacts are not found.
        One or two letters out of the middle may be looked for among some of the contacts alone.
        """
        ...

    def all(self, *, after: str = "") -> Iterator[Contact]:
        """All of them by id, which is by creation, erased ones too; those behind the id `after`.
        May be longer than memory."""
        ...

    def count(self) -> int:
        """How many there are, without the erased."""
        ...

    def put(self, contact: Contact) -> None:
        """Inserts or replaces."""
        ...

    def remove(self, id: str) -> None:
        """Takes out a contact whom an undone import had brought."""
        ...


class Addresses(Protocol):
    """What is known of a phone number or mailbox, whoever has it."""

    def get(self, address: str) -> AddressFacts:
        """The facts; empty ones where nothing is known."""
        ...

    def knows(self, address: str) -> bool:
        """Whether there are any, for a caller who has no use for empty ones."""
        ...

    def put(self, facts: AddressFacts) -> None:
        """Inserts or replaces; empty facts are not kept."""
        ...

    def all(self) -> Iterator[AddressFacts]:
        """Those of every address of which something is known, by address."""
        ...


class Log(Protocol):
    """The Activity Log."""

    def append(self, entry: Entry, answers: Answers | None = None) -> Entry:
        """Seals the entry (`log.chain.seal`) as the next of the chain and keeps it, with these
        answers."""
        ...

    def adopt(self, entry: Entry) -> None:
        """Keeps an entry that was sealed in another storage, as it is. Raises `Corrupt` unless it
        is the next of the chain."""
        ...

    def entries(
        self,
        *,
        contact: str | None = None,
        actor: str | None = None,
        kinds: Iterable[EntryKind] = (),
        channel: Channel | None = None,
        before: int | None = None,
        limit: int,
    ) -> list[Entry]:
        """Newest first, those with a `seq` below `before`. No `kinds` means all of them."""
        ...

    def all(self) -> Iterator[Entry]:
        """Every entry, oldest first. May be longer than memory."""
        ...

    def since(self, seq: int) -> Iterator[Entry]:
        """The entries behind this `seq`, oldest first. May be longer than memory."""
        ...

    def links(self) -> Iterator[ChainLink]:
        """The place of every entry in the chain, oldest first, as quickly as the storage can read
        them. Raises `Corrupt`."""
        ...

    def hashes(self, after: int, limit: int) -> list[str]:
        """The hashes of at most `limit` entries behind this `seq`, oldest first, without their
        other fields."""
        ...

    def of_address(self, address: str) -> list[Entry]:
        """Every entry about this address, whoever has it, oldest first; redacted ones are about
        none. `address` as in `addresses.key_of`."""
        ...

    def head(self) -> tuple[int, str]:
        """`seq` and hash of the newest entry; 0 and `log.chain.GENESIS` where there is none."""
        ...

    def redact(self, contact: str) -> None:
        """Erases the personal part of the contact's entries (`log.chain.redact`), on the disk,
        too."""
        ...


class SeenEvents(Protocol):
    """The ids of the events that were ingested, so that a replay changes nothing."""

    def seen(self, event: str, former: str | None = None) -> bool:
        """Whether an event with this id was ingested, or with its `former` one. Kept for ever: an
        old one may be replayed years later."""
        ...

    def remember(self, event: str) -> None:
        """From now on the event is `seen`."""
        ...

    def all(self) -> Iterator[str]:
        """The fingerprints of all that are `seen`: 28 hexadecimal digits each, and the same in
        every storage."""
        ...

    def put(self, fingerprint: str) -> None:
        """Remembers an event of another storage by the fingerprint that it gave."""
        ...


class Backlog(NamedTuple):
    """How the outbox stands."""

    #: Alerts that are `due`, now or later.
    waiting: int
    #: Since when the one waits that could have been delivered first.
    oldest: datetime | None
    #: Alerts that were given up.
    dead: int


class Outbox(Protocol):
    """The alerts, from when they are enqueued until they are no longer edited."""

    def get(self, id: str) -> Alert | None: ...

    def newest_for(self, key: str) -> Alert | None:
        """The newest alert with this key."""
        ...

    def put(self, alert: Alert) -> None:
        """Inserts or replaces, by id. An alert keeps its key."""
        ...

    def remove(self, id: str) -> None: ...

    def due(self, now: datetime, *, limit: int, except_in: Collection[str] = ()) -> list[Alert]:
        """Those that are `due` and whose `not_before` has come, but in these Slack channels:
        urgent kinds first, then the oldest.

        A transaction that asks this before anything else claims them, and waits for no writer. One
        claims at a time: until it ends nobody else is given any. It may put these back, read key
        values, and put such key values as are put by transactions of this kind alone; and do
        nothing else.
        """
        ...

    def backlog(self, now: datetime, *, except_in: Collection[str] = ()) -> Backlog:
        """How many wait and how many are DEAD; the oldest but in these Slack channels, and only
        if its time has come."""
        ...

    def reviews(self) -> Iterator[Alert]:
        """The reviews, answered ones too, by key. Reads no other alert."""
        ...

    def all(self) -> Iterator[Alert]:
        """All of them, in the order in which they came."""
        ...


class Cases(Protocol):
    """The re-opt-in cases."""

    def get(self, id: str) -> Case | None: ...

    def open_for(self, contact: str, channel: Channel) -> Case | None:
        """The one case of this contact and channel that is `open`."""
        ...

    def put(self, case: Case) -> None:
        """Inserts or replaces, by id. A second open one of a contact and channel is refused by
        the storage itself (`Changed`)."""
        ...

    def of(self, contact: str) -> list[Case]:
        """All of this contact, the newest request first."""
        ...

    def all_open(self, *, after: Case | None = None, limit: int) -> list[Case]:
        """Those that are `open`, by request, the oldest first; those behind `after`."""
        ...

    def due(self, now: datetime, *, limit: int) -> list[Case]:
        """Those whose `next_at` has come, the earliest first."""
        ...

    def all(self) -> Iterator[Case]:
        """Whatever became of them, by id."""
        ...


class WriteBacks(Protocol):
    """The writes to the providers' suppression lists, also those that are done."""

    def get(self, id: str) -> WriteBack | None: ...

    def put(self, write: WriteBack) -> None:
        """Inserts or replaces, by id."""
        ...

    def remove(self, id: str) -> None: ...

    def of(self, key: str) -> list[WriteBack]:
        """All of this address, by id. `key` as in `addresses.key_of`."""
        ...

    def due(self, now: datetime, providers: Collection[str], *, limit: int) -> list[WriteBack]:
        """The `OPEN` ones of these providers whose `not_before` has come, the oldest wish
        first."""
        ...

    def waiting(self) -> Mapping[tuple[str, WriteState], int]:
        """How many there are, by provider and state; done ones, too."""
        ...

    def oldest(self, provider: str) -> datetime | None:
        """When the oldest of this provider's `OPEN` ones was wished."""
        ...

    def all(self) -> Iterator[WriteBack]:
        """All of them, by id."""
        ...


class KeyValue(Protocol):
    """Short texts that a job keeps for the next time, by name: a cursor, a count."""

    def get(self, name: str) -> str | None: ...

    def put(self, name: str, text: str | None) -> None:
        """None removes it."""
        ...

    def all(self) -> Iterator[tuple[str, str]]:
        """All of them with their names, by name."""
        ...


class Imports(Protocol):
    """The files that were imported, so that an import can be undone."""

    def get(self, id: str) -> Import | None: ...

    def put(self, record: Import) -> None: ...

    def all(self) -> list[Import]:
        """Newest first."""
        ...
