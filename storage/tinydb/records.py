"""The records inside one transaction: documents to values and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from bot.consent.activity import Entry, Kind
from bot.consent.model import AddressFacts, Channel, Contact, Import
from storage.tinydb.change import Change
from storage.tinydb.index import ADDRESSES, CONTACTS, IMPORTS, each
from storage.tinydb.log import Log
from storage.tinydb.tables import Tables, encode

T = TypeVar("T")

_contact = msgspec.json.Decoder(Contact)
_facts = msgspec.json.Decoder(AddressFacts)
_import = msgspec.json.Decoder(Import)


class TinyDBRecords:
    def __init__(self, tables: Tables, log: Log, change: Change | None) -> None:
        self._tables = tables
        self._index = tables.index
        self._log = log
        #: None where nothing may be written.
        self._change = change

    # Contacts

    def contact(self, id: str) -> Contact | None:
        return self._get(CONTACTS, id, _contact)

    def holders(self, address: str) -> list[Contact]:
        found = self._found(each(self._index.holders.get(address)))
        return sorted(found, key=_by_id) if len(found) > 1 else found

    def by_external_id(self, external_id: str) -> Contact | None:
        found = self._found(each(self._index.external.get(external_id)))
        return min(found, key=_by_id, default=None)

    def search(self, text: str, *, limit: int) -> list[Contact]:
        ids: dict[str, None] = {}
        for id in self._index.names.search(text):
            if len(ids) >= limit:
                break
            ids[id] = None
        return self._found(ids)

    def contacts(self) -> Iterator[Contact]:
        return self._all(CONTACTS, _contact)

    def count_contacts(self) -> int:
        return len(self._index.ids[CONTACTS]) - self._index.erased

    def put_contact(self, contact: Contact) -> None:
        self._put(CONTACTS, contact.id, contact)

    def remove_contact(self, id: str) -> None:
        self._remove(CONTACTS, id)

    # Addresses

    def facts(self, address: str) -> AddressFacts:
        return self._get(ADDRESSES, address, _facts) or AddressFacts(address=address)

    def put_facts(self, facts: AddressFacts) -> None:
        if facts == AddressFacts(address=facts.address):
            self._remove(ADDRESSES, facts.address)
        else:
            self._put(ADDRESSES, facts.address, facts)

    def all_facts(self) -> Iterator[AddressFacts]:
        return self._all(ADDRESSES, _facts)

    # The Activity Log

    def append(self, entry: Entry) -> Entry:
        return self._log.append(entry, self._writing())

    def entries(
        self,
        *,
        contact: str | None = None,
        actor: str | None = None,
        kinds: Iterable[Kind] = (),
        channel: Channel | None = None,
        before: int | None = None,
        limit: int,
    ) -> list[Entry]:
        wanted = frozenset(kinds)
        found: list[Entry] = []
        if limit <= 0:
            return found
        lines = self._log.newest_first(contact=contact, actor=actor, before=before)
        for offset, line, mark in lines:
            if (not wanted or mark.kind in wanted) and channel in (None, mark.channel):
                found.append(self._log.entry(offset, line))
                if len(found) == limit:
                    break
        return found

    def log(self) -> Iterator[Entry]:
        return self._log.oldest_first()

    def head(self) -> tuple[int, str]:
        return self._log.head.seq, self._log.head.hash

    def redact(self, contact: str) -> None:
        self._log.redact(contact, self._writing())

    # Imports

    def import_(self, id: str) -> Import | None:
        return self._get(IMPORTS, id, _import)

    def put_import(self, record: Import) -> None:
        self._put(IMPORTS, record.id, record)

    def imports(self) -> list[Import]:
        return sorted(self._all(IMPORTS, _import), key=lambda i: (i.started_at, i.id), reverse=True)

    # By the key that a document is known by

    def _get(self, table: str, key: str, decoder: msgspec.json.Decoder[T]) -> T | None:
        id = self._index.ids[table].get(key)
        return None if id is None else decoder.decode(self._tables.documents[table][id])

    def _all(self, table: str, decoder: msgspec.json.Decoder[T]) -> Iterator[T]:
        for key in sorted(self._index.ids[table]):
            if (found := self._get(table, key, decoder)) is not None:
                yield found

    def _found(self, ids: Iterable[str]) -> list[Contact]:
        documents = self._tables.documents[CONTACTS]
        return [_contact.decode(documents[id]) for id in ids]

    def _put(self, table: str, key: str, value: object) -> None:
        self._writing()
        id = self._index.ids[table].get(key) or str(self._tables.next_id(table))
        self._tables.put(table, id, encode(value))

    def _remove(self, table: str, key: str) -> None:
        self._writing()
        id = self._index.ids[table].get(key)
        if id is not None:
            self._tables.put(table, id, None)

    def _writing(self) -> Change:
        if self._change is None or self._change is not self._tables.change:
            raise RuntimeError("only a transaction or a rehearsal may write, until it ends")
        return self._change


def _by_id(contact: Contact) -> str:
    return contact.id
