"""Contacts, addresses and re-opt-in cases inside one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

import msgspec

from bot.consent.cases import Case
from bot.consent.errors import Changed
from bot.consent.frozen import replace
from bot.consent.model import AddressFacts, Channel, Contact
from storage.tinydb.index import ADDRESSES, CASES, CONTACTS, Waiting, each
from storage.tinydb.tables import TinyDBTransaction, decoded

_NOTHING = AddressFacts(address="")

_contact = msgspec.json.Decoder(Contact)
_facts = msgspec.json.Decoder(AddressFacts)
_case = msgspec.json.Decoder(Case)


class TinyDBContacts:
    """See `bot.consent.records.Contacts`."""

    __slots__ = ("_changed", "_index", "_known", "_transaction")

    def __init__(self, transaction: TinyDBTransaction) -> None:
        self._transaction = transaction
        self._index = transaction.index
        #: Contacts that were decoded, with their documents, by the documents' ids. Contacts are
        #: frozen, so the same value may be given out again while its document stands.
        self._known: dict[str, tuple[bytes, Contact]] = {}
        #: Those that were changed and are no documents yet: an event changes the same one twice.
        self._changed: dict[str, Contact] = {}

    def get(self, id: str) -> Contact | None:
        if changed := self._changed.get(id):
            return changed
        number = self._index.ids[CONTACTS].get(id)
        return None if number is None else self._decoded(number)

    def get_many(self, ids: Collection[str]) -> dict[str, Contact]:
        return {id: contact for id in ids if (contact := self.get(id)) is not None}

    def at(self, address: str) -> list[Contact]:
        if self._changed:
            self.flush()
        held = self._index.holders.get(address)
        if held is None:
            return []
        found = self._found(each(held))
        return sorted(found, key=_by_id) if len(found) > 1 else found

    def by_external_id(self, external_id: str) -> Contact | None:
        if self._changed:
            self.flush()
        found = self._found(each(self._index.external.get(external_id)))
        return min(found, key=_by_id, default=None)

    def search(self, text: str, *, limit: int) -> list[Contact]:
        self.flush()
        ids: dict[str, None] = {}
        for id in self._index.names.search(text):
            if len(ids) >= limit:
                break
            ids[id] = None
        return self._found(ids)

    def all(self, *, after: str = "") -> Iterator[Contact]:
        self.flush()
        return self._transaction.all(CONTACTS, _contact, after=after)

    def count(self) -> int:
        self.flush()
        return len(self._index.ids[CONTACTS]) - self._index.erased

    def put(self, contact: Contact) -> None:
        self._transaction.writing()
        self._changed[contact.id] = contact

    def remove(self, id: str) -> None:
        self.flush()
        self._transaction.remove(CONTACTS, id)

    def flush(self) -> None:
        """Makes documents of the contacts that were changed, so that a search finds them."""
        if self._changed:
            changed, self._changed = self._changed, {}
            for id, contact in changed.items():
                self._transaction.put(CONTACTS, id, contact)

    def _found(self, ids: Iterable[str]) -> list[Contact]:
        return [self._decoded(id) for id in ids]

    def _decoded(self, id: str) -> Contact:
        document = self._transaction.documents[CONTACTS][id]
        return decoded(self._known, id, document, _contact)


class TinyDBAddresses:
    """See `bot.consent.records.Addresses`."""

    __slots__ = ("_changed", "_known", "_transaction")

    def __init__(self, transaction: TinyDBTransaction) -> None:
        self._transaction = transaction
        #: As those of `TinyDBContacts`.
        self._known: dict[str, tuple[bytes, AddressFacts]] = {}
        self._changed: dict[str, AddressFacts] = {}

    def get(self, address: str) -> AddressFacts:
        if changed := self._changed.get(address):
            return changed
        id = self._transaction.index.ids[ADDRESSES].get(address)
        if id is None:
            return replace(_NOTHING, address=address)
        return decoded(self._known, id, self._transaction.documents[ADDRESSES][id], _facts)

    def knows(self, address: str) -> bool:
        return address in self._changed or address in self._transaction.index.ids[ADDRESSES]

    def put(self, facts: AddressFacts) -> None:
        self._transaction.writing()
        if facts.empty:
            self._changed.pop(facts.address, None)
            self._transaction.remove(ADDRESSES, facts.address)
        else:
            self._changed[facts.address] = facts

    def all(self) -> Iterator[AddressFacts]:
        self.flush()
        return self._transaction.all(ADDRESSES, _facts)

    def flush(self) -> None:
        """Makes documents of the facts that were changed."""
        if self._changed:
            changed, self._changed = self._changed, {}
            for address, facts in changed.items():
                self._transaction.put(ADDRESSES, address, facts)


class TinyDBCases:
    """See `bot.consent.records.Cases`."""

    def __init__(self, transaction: TinyDBTransaction) -> None:
        self._transaction = transaction
        self._index = transaction.index

    def get(self, id: str) -> Case | None:
        return self._transaction.get(CASES, id, _case)

    def open_for(self, contact: str, channel: Channel) -> Case | None:
        for id in each(self._index.cases.get(contact)):
            waiting = self._index.open.get(id)
            if waiting is not None and waiting.channel == channel:
                return self.get(id)
        return None

    def put(self, case: Case) -> None:
        other = self.open_for(case.contact, case.channel) if case.open else None
        if other is not None and other.id != case.id:
            raise Changed
        self._transaction.put(CASES, case.id, case)

    def of(self, contact: str) -> list[Case]:
        ids = each(self._index.cases.get(contact))
        found = [case for id in ids if (case := self.get(id))]
        return sorted(found, key=_by_request, reverse=True)

    def all_open(self, *, after: Case | None = None, limit: int) -> list[Case]:
        behind = _by_request(after) if after else None
        waiting = sorted(self._index.open.values(), key=_by_request)
        ids = [w.id for w in waiting if behind is None or _by_request(w) > behind]
        return [case for id in ids[: max(limit, 0)] if (case := self.get(id))]

    def due(self, now: datetime, *, limit: int) -> list[Case]:
        due = [(w.next_at, w.id) for w in self._index.open.values() if w.next_at]
        ids = [id for at, id in sorted(due) if at <= now]
        return [case for id in ids[: max(limit, 0)] if (case := self.get(id))]

    def all(self) -> Iterator[Case]:
        return self._transaction.all(CASES, _case)


def _by_id(contact: Contact) -> str:
    return contact.id


def _by_request(case: Case | Waiting) -> tuple[datetime, str]:
    return case.requested_at, case.id
