"""What a use case says that it will look up, fetched in one way to the database and back.

A STOP asks ten questions, and while it does nobody else can write. What was not expected is asked
for when it is needed, so nothing is wrong where this fetches too little.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterator

from bot.consent.model import Channel, Contact
from bot.consent.store import Expected
from storage.documents import fingerprint
from storage.sql.database_session import Row
from storage.sql.sql_contacts import ContactRecords
from storage.sql.sql_log import LogRecords
from storage.sql.sql_outbox import OutboxRecords
from storage.sql.table_rows import plain
from storage.sql.transaction import PendingQuery


class PrefetchedRecords(ContactRecords, LogRecords, OutboxRecords):
    def expect(self, what: Expected) -> None:
        if not self._turn.writes:  # only whoever is alone may know anything beforehand
            return
        asks = [
            *self._ask_holders(what.addresses),
            *self._ask_external_ids(what.external_ids),
            *self._ask_events(what.events),
            *self._ask_alerts(what.alerts),
            *self._ask_marks(what.marks),
        ]
        if unknown := _keys(what.addresses, self._facts.known):
            asks.append(self._ask_facts(unknown))
        self._turn.ask(asks)

    def _ask_holders(self, addresses: Collection[str]) -> Iterator[PendingQuery]:
        def learn(contact: Contact) -> None:
            for key in contact.keys:
                if key in self._held:
                    self._held[key].add(contact.id)

        asked = _keys(addresses, self._held)
        self._held |= {address: set() for address in asked}
        sql = self._turn.sql
        emails = [address for address in asked if "@" in address]
        phones = [address for address in asked if "@" not in address]
        if phones:
            yield self._ask_contacts(sql.by_phones, phones, learn)
        if emails:
            yield self._ask_contacts(sql.by_emails, emails, learn)

    def _ask_external_ids(self, external_ids: Collection[str]) -> Iterator[PendingQuery]:
        def learn(contact: Contact) -> None:
            self._external.setdefault(contact.external_id, set()).add(contact.id)

        asked = _keys(external_ids, self._external)
        self._external |= {name: set() for name in asked}
        if asked:
            yield self._ask_contacts(self._turn.sql.by_external_ids, asked, learn)

    def _ask_contacts(
        self, sql: str, keys: Collection[str], learn: Callable[[Contact], None]
    ) -> PendingQuery:
        """And the cases that they have open."""

        def learn_all(found: list[Row]) -> None:
            self._learn_open(self._cases.decode(case) for _, case in found if case is not None)
            for contact in self._decoded(found):
                learn(contact)
                for channel in Channel:
                    self._open.setdefault((contact.id, channel), None)

        return PendingQuery(sql, {"keys": self._turn.many(list(keys))}, learn_all)

    def _ask_events(self, events: Collection[str]) -> Iterator[PendingQuery]:
        if not events or not self._turn.sql.postgresql:  # SQLite is never far
            return
        prints = [mark for event in events if (mark := fingerprint(event)) not in self._events]

        def learn(found: list[Row]) -> None:
            self._seen |= dict.fromkeys(prints, False)
            self._seen |= {mark: True for mark, _ in found}

        given = {"fingerprints": self._turn.many([f"\\x{mark}" for mark in prints])}
        yield PendingQuery(self._turn.sql.seen_of, given, learn)

    def _ask_alerts(self, keys: Collection[str]) -> Iterator[PendingQuery]:
        asked = _keys(keys, self._newest)

        def learn(found: list[Row]) -> None:
            self._newest |= dict.fromkeys(asked) | dict(found)

        if asked:
            self._alerts.flush()
            given = {"keys": self._turn.many(asked)}
            yield PendingQuery(self._turn.sql.newest_of, given, learn)

    def _ask_marks(self, names: Collection[str]) -> Iterator[PendingQuery]:
        asked = _keys(names, self._marks.known)

        def learn(found: list[Row]) -> None:
            kept = {name: self._marks.decode(document) for name, document in found}
            self._marks.known |= {name: kept.get(name) for name in asked}

        if asked:
            given = {"keys": self._turn.many(asked)}
            yield PendingQuery(self._turn.sql.marks_of, given, learn)


def _keys(asked: Collection[str], known: Container[str]) -> list[str]:
    """What is not known yet; and not what a database would give back in another spelling."""
    return [key for key in dict.fromkeys(asked) if key and key not in known and plain(key) == key]
