"""What the use cases ask of storage. The interface is its user's; `storage/` implements it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from bot.consent.alerts import Alert
from bot.consent.cases import Case
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import AddressFacts, Channel, Contact, Import


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is about to be looked up, one after the other; and the open cases of the contacts whom
    these addresses and ids lead to."""

    addresses: Collection[str] = ()
    external_ids: Collection[str] = ()
    #: Ids, as `Records.seen` is asked for them.
    events: Collection[str] = ()
    #: Keys, as `Records.alert_for` is asked for them.
    alerts: Collection[str] = ()
    #: Names.
    marks: Collection[str] = ()


class Records(Protocol):
    """The records inside one transaction. A write is seen by the reads after it."""

    # Contacts

    def contact(self, id: str) -> Contact | None:
        """The contact, erased ones too."""
        ...

    def contacts_at(self, address: str) -> list[Contact]:
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

    def contacts(self) -> Iterator[Contact]:
        """All of them by id, which is by creation, erased ones too. May be longer than memory."""
        ...

    def count_contacts(self) -> int:
        """How many there are, without the erased."""
        ...

    def put_contact(self, contact: Contact) -> None:
        """Inserts or replaces."""
        ...

    def remove_contact(self, id: str) -> None:
        """Takes out a contact whom an undone import had brought."""
        ...

    # Addresses

    def facts(self, address: str) -> AddressFacts:
        """What is known of the address; empty facts where nothing is."""
        ...

    def put_facts(self, facts: AddressFacts) -> None:
        """Inserts or replaces; empty facts are not kept."""
        ...

    def all_facts(self) -> Iterator[AddressFacts]:
        """Those of every address of which something is known, by address."""
        ...

    def expect(self, what: Expected) -> None:
        """A storage that is some way off may fetch all of it at once. Changes nothing."""
        ...

    # The Activity Log

    def append(self, entry: Entry) -> Entry:
        """Seals the entry (`log.chain.seal`) as the next of the chain and keeps it."""
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

    def log(self) -> Iterator[Entry]:
        """Every entry, oldest first. May be longer than memory."""
        ...

    def head(self) -> tuple[int, str]:
        """`seq` and hash of the newest entry; 0 and `log.chain.GENESIS` where there is none."""
        ...

    def redact(self, contact: str) -> None:
        """Erases the personal part of the contact's entries (`log.chain.redact`), on the disk,
        too."""
        ...

    # Events

    def seen(self, event: str, former: str | None = None) -> bool:
        """Whether an event with this id was taken in, or with its `former` one. Kept for ever: an
        old one may be replayed years later."""
        ...

    def remember(self, event: str) -> None:
        """From now on the event is `seen`."""
        ...

    def events(self) -> Iterator[str]:
        """The fingerprints of all that are `seen`: 28 hexadecimal digits each, and the same in
        every storage."""
        ...

    def put_event(self, fingerprint: str) -> None:
        """Remembers an event of another storage by what that one gave as its fingerprint."""
        ...

    # Alerts

    def alert(self, id: str) -> Alert | None: ...

    def alert_for(self, key: str) -> Alert | None:
        """The newest alert with this key."""
        ...

    def put_alert(self, alert: Alert) -> None:
        """Inserts or replaces, by id. An alert keeps its key."""
        ...

    def remove_alert(self, id: str) -> None: ...

    def due_alerts(
        self, now: datetime, *, limit: int, except_in: Collection[str] = ()
    ) -> list[Alert]:
        """Those that are `due` and whose `not_before` has come, but in these Slack channels:
        urgent kinds first, then the oldest.

        A transaction that asks this before anything else claims them, and waits for no writer. One
        claims at a time: until it ends nobody else is given any. It may put these back, read marks,
        and put such marks as are put by transactions of this kind alone; and do nothing else.
        """
        ...

    def outbox(
        self, now: datetime, *, except_in: Collection[str] = ()
    ) -> tuple[int, datetime | None, int]:
        """How many are `due`, now or later; since when the one waits that could have been told
        first, but in these Slack channels; how many are DEAD."""
        ...

    def alerts(self) -> Iterator[Alert]:
        """All of them, in the order in which they came."""
        ...

    # Re-opt-in cases

    def case(self, id: str) -> Case | None: ...

    def open_case(self, contact: str, channel: Channel) -> Case | None:
        """The one case of this contact and channel that is `open`."""
        ...

    def put_case(self, case: Case) -> None:
        """Inserts or replaces, by id. A second open one of a contact and channel is refused by
        the storage itself (`Changed`)."""
        ...

    def cases(self, contact: str) -> list[Case]:
        """All of this contact, the newest request first."""
        ...

    def open_cases(self, *, after: Case | None = None, limit: int) -> list[Case]:
        """Those that are `open`, by request, the oldest first; those behind `after`."""
        ...

    def due_cases(self, now: datetime, *, limit: int) -> list[Case]:
        """Those whose `next_at` has come, the earliest first."""
        ...

    def all_cases(self) -> Iterator[Case]:
        """Whatever became of them, by id."""
        ...

    # Marks

    def mark(self, name: str) -> str | None:
        """A short text that a job keeps for the next time: a cursor, a count."""
        ...

    def put_mark(self, name: str, text: str | None) -> None:
        """None takes it away."""
        ...

    def marks(self) -> Iterator[tuple[str, str]]:
        """All of them with their names, by name."""
        ...

    # Imports

    def import_(self, id: str) -> Import | None: ...

    def put_import(self, record: Import) -> None: ...

    def imports(self) -> list[Import]:
        """Newest first."""
        ...


class Store(Protocol):
    """Where everything is kept. Safe across threads, and across processes on one storage."""

    def transaction(self) -> AbstractContextManager[Records]:
        """All or nothing. When the block has ended without an error, the change is on the disk.

        An error inside undoes it. Raises `StorageFailed` where it could not be stored.
        """
        ...

    def reading(self) -> AbstractContextManager[Records]:
        """One state, without writing: nothing in it may still be lost."""
        ...

    def rehearsal(self) -> AbstractContextManager[Records]:
        """Like a transaction, and thrown away at the end; other processes write on meanwhile."""
        ...

    @property
    def outdated(self) -> bool:
        """Whether an earlier version wrote it, and `optin migrate` has to bring it to this one."""
        ...

    def back_up(self, version: str) -> Path | None:
        """Copies the storage before it is brought to `version`, and says where to; None where its
        server's own backups are meant for that."""
        ...

    def upgrade(self) -> None:
        """Marks the storage as of this version: an older program refuses it with a sentence."""
        ...

    def close(self) -> None: ...
