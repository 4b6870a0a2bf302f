"""A dry run: uncommitted changes overlaid on the current data.

`under` is read, and `over`, a storage of its own, takes what is changed. Nothing is written where
others write, or they would have to wait until the dry run ends. What was changed is in `over`
alone, or, where it was removed, in neither.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator
from itertools import chain

from bot.consent.log.chain import GENESIS, ChainLink, holds, redact
from bot.consent.log.entries import Answers, Entry, EntryKind
from bot.consent.model import AddressFacts, Channel, Contact
from bot.consent.store import Expected
from storage.sql.dry_run_alerts import (
    DryRunCases,
    DryRunImports,
    DryRunKeyValue,
    DryRunOutbox,
    DryRunWriteBacks,
)
from storage.sql.sql_records import SQLRecords
from storage.sql.tables.sql_contacts import SQLAddresses, SQLContacts
from storage.sql.tables.sql_log import SQLEvents, SQLLog


class DryRunRecords:
    """See `bot.consent.store.Records`."""

    def __init__(self, under: SQLRecords, over: SQLRecords, *, outdated: bool = False) -> None:
        """`outdated`: an earlier version's database lies under, which has no table of writes."""
        self.contacts = DryRunContacts(under.contacts, over.contacts)
        self.addresses = DryRunAddresses(under.addresses, over.addresses)
        self.log = DryRunLog(under.log, over.log)
        self.events = DryRunEvents(under.events, over.events)
        self.outbox = DryRunOutbox(under.outbox, over.outbox)
        self.cases = DryRunCases(under.cases, over.cases)
        self.write_backs = DryRunWriteBacks(
            None if outdated else under.write_backs, over.write_backs
        )
        self.key_value = DryRunKeyValue(under.key_value, over.key_value)
        self.imports = DryRunImports(under.imports, over.imports)

    def expect(self, what: Expected) -> None:
        """A dry run is in no hurry."""


class DryRunContacts:
    """Contacts: those that were put or removed come from `over`, the others from `under`."""

    def __init__(self, under: SQLContacts, over: SQLContacts) -> None:
        self._under = under
        self._over = over
        self._changed: set[str] = set()

    def get(self, id: str) -> Contact | None:
        return (self._over if id in self._changed else self._under).get(id)

    def get_many(self, ids: Collection[str]) -> dict[str, Contact]:
        return {id: contact for id in ids if (contact := self.get(id)) is not None}

    def at(self, address: str) -> list[Contact]:
        found = self._left(self._under.at(address))
        return sorted([*found, *self._over.at(address)], key=_id)

    def by_external_id(self, external_id: str) -> Contact | None:
        # One that was changed may have hidden another with the same id: that is not looked for.
        known = self._under.by_external_id(external_id)
        found = self._left([known] if known else [])
        new = self._over.by_external_id(external_id)
        return min([*found, *([new] if new else [])], key=_id, default=None)

    def search(self, text: str, *, limit: int) -> list[Contact]:
        known = self._left(self._under.search(text, limit=limit + len(self._changed)))
        return [*known, *self._over.search(text, limit=limit)][: max(limit, 0)]

    def all(self, *, after: str = "") -> Iterator[Contact]:
        under = self._left(self._under.all(after=after))
        return heapq.merge(under, self._over.all(after=after), key=_id)

    def count(self) -> int:
        gone = sum(1 for id in self._changed if (known := self._under.get(id)) and not known.erased)
        return self._under.count() - gone + self._over.count()

    def put(self, contact: Contact) -> None:
        self._over.put(contact)
        self._changed.add(contact.id)

    def remove(self, id: str) -> None:
        self._over.remove(id)
        self._changed.add(id)

    def _left(self, known: Iterable[Contact]) -> Iterator[Contact]:
        return (contact for contact in known if contact.id not in self._changed)


class DryRunAddresses:
    """Facts of addresses: those that were put come from `over`, the others from `under`."""

    def __init__(self, under: SQLAddresses, over: SQLAddresses) -> None:
        self._under = under
        self._over = over
        self._changed: set[str] = set()

    def get(self, address: str) -> AddressFacts:
        return (self._over if address in self._changed else self._under).get(address)

    def knows(self, address: str) -> bool:
        return (self._over if address in self._changed else self._under).knows(address)

    def put(self, facts: AddressFacts) -> None:
        self._over.put(facts)
        self._changed.add(facts.address)

    def all(self) -> Iterator[AddressFacts]:
        known = (facts for facts in self._under.all() if facts.address not in self._changed)
        return heapq.merge(known, self._over.all(), key=lambda facts: facts.address)


class DryRunLog:
    """The log: new entries in `over` continue the hash chain of `under`."""

    def __init__(self, under: SQLLog, over: SQLLog) -> None:
        over.follow(under.head())
        self._under = under
        self._over = over
        self._first = under.head()[0]
        self._redacted: set[str] = set()

    def append(self, entry: Entry, answers: Answers | None = None) -> Entry:
        return self._over.append(entry, answers)

    def adopt(self, entry: Entry) -> None:
        self._over.adopt(entry)

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
        wanted = tuple(kinds)
        found: list[Entry] = []
        for log in (self._over, self._under):
            left = limit - len(found)
            found += log.entries(
                contact=contact,
                actor=actor,
                kinds=wanted,
                channel=channel,
                before=before,
                limit=left,
            )
        return [self._bare(entry) for entry in found]

    def all(self) -> Iterator[Entry]:
        return self.since(0)

    def since(self, seq: int) -> Iterator[Entry]:
        return map(self._bare, chain(self._under.since(seq), self._over.since(seq)))

    def links(self) -> Iterator[ChainLink]:
        previous = GENESIS
        for entry in self.all():
            held = holds(entry, previous)
            previous = entry.hash
            yield ChainLink(entry.seq, previous, held, entry.redacted, entry.kind, entry.contact)

    def hashes(self, after: int, limit: int) -> list[str]:
        found = self._under.hashes(after, limit)
        return found + self._over.hashes(after, limit - len(found))

    def of_address(self, address: str) -> list[Entry]:
        found = chain(self._under.of_address(address), self._over.of_address(address))
        return [entry for entry in map(self._bare, found) if not entry.redacted]

    def head(self) -> tuple[int, str]:
        return self._over.head()

    def redact(self, contact: str) -> None:
        self._over.redact(contact)
        self._redacted.add(contact)

    def _bare(self, entry: Entry) -> Entry:
        known = entry.seq <= self._first
        return redact(entry) if known and entry.contact in self._redacted else entry


class DryRunEvents:
    """Ids of events: an id is known if `over` or `under` has it."""

    def __init__(self, under: SQLEvents, over: SQLEvents) -> None:
        self._under = under
        self._over = over

    def seen(self, event: str, former: str | None = None) -> bool:
        return self._over.seen(event, former) or self._under.seen(event, former)

    def remember(self, event: str) -> None:
        self._over.remember(event)

    def all(self) -> Iterator[str]:
        return heapq.merge(self._under.all(), self._over.all())

    def put(self, fingerprint: str) -> None:
        self._over.put(fingerprint)


def _id(contact: Contact) -> str:
    return contact.id
