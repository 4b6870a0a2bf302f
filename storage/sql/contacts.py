"""Contacts and addresses inside one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from bot.consent.model import AddressFacts, Channel, Contact
from bot.consent.replacing import replace
from storage.sql import rows
from storage.sql.search import search
from storage.sql.session import Row
from storage.sql.shelf import Shelf
from storage.sql.turn import Ask, Turn

_NOTHING = AddressFacts(address="")


class ContactRecords:
    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        sql = turn.sql
        self._contacts = Shelf(
            turn,
            sql.contacts,
            rows.contacts,
            rows.contact_row(with_grams=sql.postgresql),
            place=rows.contact_place,
        )
        self._facts = Shelf(turn, sql.addresses, rows.facts, rows.facts_row)
        #: Ids by what they are looked up by: as the database has them, and changed since.
        self._held: dict[str, set[str]] = {}
        self._moved: dict[str, set[str]] = {}
        self._external: dict[str, set[str]] = {}
        self._renamed: dict[str, set[str]] = {}

    def contact(self, id: str) -> Contact | None:
        return self._contacts.get(id)

    def holders(self, address: str) -> list[Contact]:
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
        self._contacts.flush()
        return search(self._turn, text, limit)

    def contacts(self) -> Iterator[Contact]:
        for page in self._contacts.all():
            if not self._turn.writes:
                # Whoever goes through all of them asks for what is known of their addresses.
                self._facts.known.clear()
                if keys := {key for _, contact in page for key in contact.keys}:
                    self._turn.ask([self._ask_facts(keys)])
            yield from (contact for _, contact in page)

    def count_contacts(self) -> int:
        self._contacts.flush()
        (count,) = self._turn.rows(self._turn.sql.count_contacts)[0]
        return int(count)

    def put_contact(self, contact: Contact) -> None:
        self._contacts.put(contact.id, contact)
        for key in contact.keys:
            self._moved.setdefault(key, set()).add(contact.id)
        if contact.external_id:
            self._renamed.setdefault(contact.external_id, set()).add(contact.id)

    def remove_contact(self, id: str) -> None:
        self._contacts.put(id, None)

    def facts(self, address: str) -> AddressFacts:
        return self._facts.get(address) or replace(_NOTHING, address=address)

    def put_facts(self, facts: AddressFacts) -> None:
        self._facts.put(facts.address, None if facts.empty else facts)

    def all_facts(self) -> Iterator[AddressFacts]:
        for page in self._facts.all():
            yield from (facts for _, facts in page)

    def _ask_facts(self, addresses: Collection[str]) -> Ask:
        def learn(found: list[Row]) -> None:
            known: dict[str, AddressFacts | None] = dict.fromkeys(addresses)
            for address, document in found:
                known[address] = self._facts.decode(document)
            self._facts.known |= known

        keys = {"keys": self._turn.many([rows.plain(address) for address in addresses])}
        return Ask(self._turn.sql.facts_of, keys, learn)

    def _found(
        self, sql: str, key: str, held: dict[str, set[str]], moved: dict[str, set[str]]
    ) -> list[Contact]:
        """Those whom the database has under this key, and those who were changed to have it: as
        they are now."""
        if key not in held:
            found = self._decoded(self._turn.rows(sql, {"key": rows.plain(key)}))
            if not self._turn.writes:
                return found
            held[key] = {contact.id for contact in found}
        ids = held[key] | moved.get(key, set())
        return [contact for id in ids if (contact := self._contacts.get(id))]

    def _decoded(self, found: Iterable[Row]) -> list[Contact]:
        """As the database has them; what the transaction made of them, it goes on knowing."""
        contacts = [self._contacts.decode(row[0]) for row in found]
        for contact in contacts:
            self._contacts.learn(contact.id, contact)
        return contacts


def _by_id(contact: Contact) -> str:
    return contact.id
