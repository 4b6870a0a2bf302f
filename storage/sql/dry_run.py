"""What would be, over what is: the records of a rehearsal.

Nothing is written where others write, or they would have to wait until the rehearsal is over.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from itertools import chain

from bot.consent.log.chain import redact
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import AddressFacts, Channel, Contact
from bot.consent.store import Expected
from storage.sql.dry_run_alerts import DryRunOutbox
from storage.sql.sql_records import SQLRecords


class DryRunRecords(DryRunOutbox):
    """`under` is read, `over` takes what is changed. What was changed is in `over` alone, or, where
    it was removed, in neither."""

    def __init__(self, under: SQLRecords, over: SQLRecords) -> None:
        super().__init__(under, over)
        over.follow(under.head())
        self._first = under.head()[0]
        #: Keys of what was changed, by kind.
        self._contacts: set[str] = set()
        self._facts: set[str] = set()
        self._redacted: set[str] = set()

    # Contacts and addresses

    def contact(self, id: str) -> Contact | None:
        return (self._over if id in self._contacts else self._under).contact(id)

    def contacts_at(self, address: str) -> list[Contact]:
        found = self._left(self._under.contacts_at(address))
        return sorted([*found, *self._over.contacts_at(address)], key=_id)

    def by_external_id(self, external_id: str) -> Contact | None:
        # One that was changed may have hidden another with the same id: that is not looked for.
        known = self._under.by_external_id(external_id)
        found = self._left([known] if known else [])
        new = self._over.by_external_id(external_id)
        return min([*found, *([new] if new else [])], key=_id, default=None)

    def search(self, text: str, *, limit: int) -> list[Contact]:
        known = self._left(self._under.search(text, limit=limit + len(self._contacts)))
        return [*known, *self._over.search(text, limit=limit)][: max(limit, 0)]

    def contacts(self) -> Iterator[Contact]:
        return heapq.merge(self._left(self._under.contacts()), self._over.contacts(), key=_id)

    def count_contacts(self) -> int:
        gone = sum(
            1 for id in self._contacts if (known := self._under.contact(id)) and not known.erased
        )
        return self._under.count_contacts() - gone + self._over.count_contacts()

    def put_contact(self, contact: Contact) -> None:
        self._over.put_contact(contact)
        self._contacts.add(contact.id)

    def remove_contact(self, id: str) -> None:
        self._over.remove_contact(id)
        self._contacts.add(id)

    def facts(self, address: str) -> AddressFacts:
        return (self._over if address in self._facts else self._under).facts(address)

    def put_facts(self, facts: AddressFacts) -> None:
        self._over.put_facts(facts)
        self._facts.add(facts.address)

    def all_facts(self) -> Iterator[AddressFacts]:
        known = (facts for facts in self._under.all_facts() if facts.address not in self._facts)
        return heapq.merge(known, self._over.all_facts(), key=lambda facts: facts.address)

    def expect(self, what: Expected) -> None:
        """A rehearsal is in no hurry."""

    # The Activity Log, and events

    def append(self, entry: Entry) -> Entry:
        return self._over.append(entry)

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
        for records in (self._over, self._under):
            left = limit - len(found)
            found += records.entries(
                contact=contact,
                actor=actor,
                kinds=wanted,
                channel=channel,
                before=before,
                limit=left,
            )
        return [self._bare(entry) for entry in found]

    def log(self) -> Iterator[Entry]:
        return map(self._bare, chain(self._under.log(), self._over.log()))

    def head(self) -> tuple[int, str]:
        return self._over.head()

    def redact(self, contact: str) -> None:
        self._over.redact(contact)
        self._redacted.add(contact)

    def seen(self, event: str, former: str | None = None) -> bool:
        return self._over.seen(event, former) or self._under.seen(event, former)

    def remember(self, event: str) -> None:
        self._over.remember(event)

    def events(self) -> Iterator[str]:
        return heapq.merge(self._under.events(), self._over.events())

    def put_event(self, fingerprint: str) -> None:
        self._over.put_event(fingerprint)

    def _left(self, known: Iterable[Contact]) -> Iterator[Contact]:
        return (contact for contact in known if contact.id not in self._contacts)

    def _bare(self, entry: Entry) -> Entry:
        known = entry.seq <= self._first
        return redact(entry) if known and entry.contact in self._redacted else entry


def _id(contact: Contact) -> str:
    return contact.id
