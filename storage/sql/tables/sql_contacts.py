"""Contacts and addresses inside one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from bot.consent.frozen import replace
from bot.consent.model import AddressFacts, Channel, Contact
from storage.sql.engine.database_session import Row
from storage.sql.tables import table_rows
from storage.sql.tables.document_cache import DocumentCache, unknown
from storage.sql.tables.search import FirstHits, first_steps, search
from storage.sql.tables.sql_cases import SQLCases
from storage.sql.transaction import PendingQuery, Transaction

_NOTHING = AddressFacts(address="")


class SQLAddresses:
    """See `bot.consent.records.Addresses`."""

    def __init__(self, turn: Transaction) -> None:
        self._turn = turn
        self.cache = DocumentCache(turn, turn.sql.addresses, table_rows.facts, table_rows.facts_row)

    def get(self, address: str) -> AddressFacts:
        return self.cache.get(address) or replace(_NOTHING, address=address)

    def knows(self, address: str) -> bool:
        return self.cache.get(address) is not None

    def put(self, facts: AddressFacts) -> None:
        self.cache.put(facts.address, None if facts.empty else facts)

    def all(self) -> Iterator[AddressFacts]:
        for page in self.cache.all():
            yield from (facts for _, facts in page)

    def prefetch(self, addresses: Collection[str]) -> Iterator[PendingQuery]:
        """Also of addresses of which nothing is known."""
        if asked := unknown(addresses, self.cache.known):
            yield self._query(asked)

    def read_page(self, addresses: Collection[str]) -> None:
        """Reads what is known of these addresses, and forgets the page before."""
        self.cache.known.clear()
        if addresses:
            self._turn.ask([self._query(addresses)])

    def _query(self, addresses: Collection[str]) -> PendingQuery:
        def learn(found: list[Row]) -> None:
            known: dict[str, AddressFacts | None] = dict.fromkeys(addresses)
            for address, document in found:
                known[address] = self.cache.decode(document)
            self.cache.known |= known

        keys = {"keys": self._turn.many([table_rows.plain(address) for address in addresses])}
        return PendingQuery(self._turn.sql.facts_of, keys, learn)


class SQLContacts:
    """See `bot.consent.records.Contacts`."""

    def __init__(self, turn: Transaction, addresses: SQLAddresses, cases: SQLCases) -> None:
        self._turn = turn
        self._addresses = addresses
        self._cases = cases
        sql = turn.sql
        self.cache = DocumentCache(
            turn,
            sql.contacts,
            table_rows.contacts,
            table_rows.contact_row(with_grams=sql.postgresql),
            place=table_rows.contact_place,
        )
        #: Ids by what they are looked up by: as the database has them, and changed since.
        self._held: dict[str, set[str]] = {}
        self._moved: dict[str, set[str]] = {}
        self._external: dict[str, set[str]] = {}
        self._renamed: dict[str, set[str]] = {}
        #: What searches found among the first contacts.
        self._first_hits: FirstHits = {}

    def get(self, id: str) -> Contact | None:
        return self.cache.get(id)

    def get_many(self, ids: Collection[str]) -> dict[str, Contact]:
        self.cache.flush()
        found = self._turn.rows(
            self._turn.sql.contacts_of, {"keys": self._turn.many([*map(table_rows.plain, ids)])}
        )
        return {contact.id: contact for contact in self._decoded(found)}

    def at(self, address: str) -> list[Contact]:
        if not address:
            return []
        channel, sql = Channel.SMS, self._turn.sql.by_phone
        if "@" in address:
            channel, sql = Channel.EMAIL, self._turn.sql.by_email
        found = self._found(sql, address, self._held, self._moved)
        return sorted((c for c in found if c.key(channel) == address), key=_by_id)

    def by_external_id(self, external_id: str) -> Contact | None:
        if not external_id:
            return None
        sql = self._turn.sql.by_external_id
        found = self._found(sql, external_id, self._external, self._renamed)
        return min((c for c in found if c.external_id == external_id), key=_by_id, default=None)

    def search(self, text: str, *, limit: int) -> list[Contact]:
        if self._turn.writes:
            self.cache.flush()
            self._first_hits.clear()
        return search(self._turn, text, limit, self._first_hits)

    def all(self, *, after: str = "") -> Iterator[Contact]:
        for page in self.cache.all(after):
            if not self._turn.writes:
                # Whoever goes through all of them asks for what is known of their addresses.
                self._addresses.read_page({key for _, contact in page for key in contact.keys})
            yield from (contact for _, contact in page)

    def count(self) -> int:
        self.cache.flush()
        (count,) = self._turn.rows(self._turn.sql.count_contacts)[0]
        return int(count)

    def put(self, contact: Contact) -> None:
        self.cache.put(contact.id, contact)
        for key in contact.keys:
            self._moved.setdefault(key, set()).add(contact.id)
        if contact.external_id:
            self._renamed.setdefault(contact.external_id, set()).add(contact.id)

    def remove(self, id: str) -> None:
        self.cache.put(id, None)

    def prefetch_at(self, addresses: Collection[str]) -> Iterator[PendingQuery]:
        """Those who have these addresses, and the cases that they have open."""

        def learn(contact: Contact) -> None:
            for key in contact.keys:
                if key in self._held:
                    self._held[key].add(contact.id)

        asked = unknown(addresses, self._held)
        self._held |= {address: set() for address in asked}
        sql = self._turn.sql
        emails = [address for address in asked if "@" in address]
        phones = [address for address in asked if "@" not in address]
        if phones:
            yield self._query(sql.by_phones, phones, learn)
        if emails:
            yield self._query(sql.by_emails, emails, learn)

    def prefetch_external_ids(self, external_ids: Collection[str]) -> Iterator[PendingQuery]:
        """Those who have these ids, and the cases that they have open."""

        def learn(contact: Contact) -> None:
            self._external.setdefault(contact.external_id, set()).add(contact.id)

        asked = unknown(external_ids, self._external)
        self._external |= {name: set() for name in asked}
        if asked:
            yield self._query(self._turn.sql.by_external_ids, asked, learn)

    def prefetch(self, ids: Collection[str]) -> Iterator[PendingQuery]:
        """Those with these ids, and the cases that they have open."""
        asked = unknown(ids, self.cache.known)

        def forget_none(contact: Contact) -> None:
            missing.discard(contact.id)

        missing = set(asked)
        if asked:
            query = self._query(self._turn.sql.by_ids, asked, forget_none)

            def learn(found: list[Row]) -> None:
                query.learn(found)
                self.cache.known |= dict.fromkeys(missing)

            yield query._replace(learn=learn)

    def prefetch_search(self, asked: tuple[str, int] | None) -> Iterator[PendingQuery]:
        """What a search for this text looks at first."""
        if asked and self._turn.sql.postgresql and not self.cache.changed:
            yield from first_steps(self._turn, *asked, self._first_hits)

    def _query(
        self, sql: str, keys: Collection[str], learn: Callable[[Contact], None]
    ) -> PendingQuery:
        def learn_all(found: list[Row]) -> None:
            self._cases.learn_documents(case for _, case in found if case is not None)
            for contact in self._decoded(found):
                learn(contact)
                self._cases.learn_that_no_other_is_open(contact.id)

        return PendingQuery(sql, {"keys": self._turn.many(list(keys))}, learn_all)

    def _found(
        self, sql: str, key: str, held: dict[str, set[str]], moved: dict[str, set[str]]
    ) -> list[Contact]:
        """Those whom the database has under this key, and those who were changed to have it: as
        they are now."""
        if key not in held:
            found = self._decoded(self._turn.rows(sql, {"key": table_rows.plain(key)}))
            if not self._turn.remembers:
                return found
            held[key] = {contact.id for contact in found}
        ids = held[key] | moved.get(key, set())
        return [contact for id in ids if (contact := self.cache.get(id))]

    def _decoded(self, found: Iterable[Row]) -> list[Contact]:
        """As the database has them; what the transaction made of them, it goes on knowing."""
        contacts = [self.cache.decode(row[0]) for row in found]
        for contact in contacts:
            self.cache.learn(contact.id, contact)
        return contacts


def _by_id(contact: Contact) -> str:
    return contact.id
