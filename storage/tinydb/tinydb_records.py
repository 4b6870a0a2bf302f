"""The records inside one transaction: documents to values and back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import TypeVar

import msgspec

from bot.consent.alerts import URGENT, Alert
from bot.consent.cases import Case
from bot.consent.errors import Changed
from bot.consent.frozen import replace
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import AddressFacts, Channel, Contact, Import
from bot.consent.store import Expected
from storage.alert_documents import AlertDecoder, alert_document
from storage.documents import DocumentDecoder, encode, fingerprint
from storage.tinydb.index import (
    ADDRESSES,
    ALERTS,
    CASES,
    CONTACTS,
    EVENTS,
    IMPORTS,
    MARKS,
    Waiting,
    each,
)
from storage.tinydb.journal import JournalChange
from storage.tinydb.tables import Tables
from storage.tinydb.tinydb_log import Log

T = TypeVar("T")

_NOTHING = AddressFacts(address="")
#: Values that a transaction keeps so that it decodes each document once, at most.
_MOST_KNOWN = 1_000

_contact = msgspec.json.Decoder(Contact)
_facts = msgspec.json.Decoder(AddressFacts)
_import = msgspec.json.Decoder(Import)
_alert = AlertDecoder()
_case = msgspec.json.Decoder(Case)
_texts = msgspec.json.Decoder(dict[str, str])


class TinyDBRecords:
    def __init__(self, tables: Tables, log: Log, change: JournalChange | None) -> None:
        self._tables = tables
        self._index = tables.index
        self._log = log
        #: None where nothing may be written.
        self._change = change
        #: Contacts and facts that were decoded, with their documents, by the documents' ids. Both
        #: are frozen, so the same value may be given out again while its document stands.
        self._known_contacts: dict[str, tuple[bytes, Contact]] = {}
        self._known_facts: dict[str, tuple[bytes, AddressFacts]] = {}
        #: Those that were changed and are no documents yet: an event changes the same ones twice.
        self._contacts: dict[str, Contact] = {}
        self._facts: dict[str, AddressFacts] = {}

    def flush(self) -> None:
        """Makes documents of all that was changed, so that a search finds it."""
        if self._contacts:
            contacts, self._contacts = self._contacts, {}
            for id, contact in contacts.items():
                self._put(CONTACTS, id, contact)
        if self._facts:
            known, self._facts = self._facts, {}
            for address, facts in known.items():
                self._put(ADDRESSES, address, facts)

    # Contacts

    def contact(self, id: str) -> Contact | None:
        if changed := self._contacts.get(id):
            return changed
        number = self._index.ids[CONTACTS].get(id)
        return None if number is None else self._contact(number)

    def contacts_at(self, address: str) -> list[Contact]:
        if self._contacts:
            self.flush()
        found = self._found(each(self._index.holders.get(address)))
        return sorted(found, key=_by_id) if len(found) > 1 else found

    def by_external_id(self, external_id: str) -> Contact | None:
        if self._contacts:
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

    def contacts(self) -> Iterator[Contact]:
        self.flush()
        return self._all(CONTACTS, _contact)

    def count_contacts(self) -> int:
        self.flush()
        return len(self._index.ids[CONTACTS]) - self._index.erased

    def put_contact(self, contact: Contact) -> None:
        self._writing()
        self._contacts[contact.id] = contact

    def remove_contact(self, id: str) -> None:
        self.flush()
        self._remove(CONTACTS, id)

    # Addresses

    def facts(self, address: str) -> AddressFacts:
        if changed := self._facts.get(address):
            return changed
        id = self._index.ids[ADDRESSES].get(address)
        if id is None:
            return replace(_NOTHING, address=address)
        document = self._tables.documents[ADDRESSES][id]
        return _decoded(self._known_facts, id, document, _facts)

    def put_facts(self, facts: AddressFacts) -> None:
        self._writing()
        if facts.empty:
            self._facts.pop(facts.address, None)
            self._remove(ADDRESSES, facts.address)
        else:
            self._facts[facts.address] = facts

    def all_facts(self) -> Iterator[AddressFacts]:
        self.flush()
        return self._all(ADDRESSES, _facts)

    def expect(self, what: Expected) -> None:
        """Everything is here already."""

    # The Activity Log

    def append(self, entry: Entry) -> Entry:
        return self._log.append(entry, self._writing())

    def adopt(self, entry: Entry) -> None:
        self._log.adopt(entry, self._writing())

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

    # Events

    def seen(self, event: str, former: str | None = None) -> bool:
        return self._remembered(event) or (former is not None and self._remembered(former))

    def _remembered(self, event: str) -> bool:
        bucket, hash = _parted(fingerprint(event))
        id = self._index.ids[EVENTS].get(bucket)
        return id is not None and hash.encode() in self._tables.documents[EVENTS][id]

    def remember(self, event: str) -> None:
        self.put_event(fingerprint(event))

    def events(self) -> Iterator[str]:
        for known in self._all(EVENTS, _texts):
            yield from (f"{known['id']}{hash}" for hash in sorted(known["seen"].split()))

    def put_event(self, fingerprint: str) -> None:
        bucket, hash = _parted(fingerprint)
        known = self._get(EVENTS, bucket, _texts) or {"id": bucket, "seen": ""}
        if hash not in known["seen"]:
            known["seen"] = f"{known['seen']} {hash}".strip()
            self._put(EVENTS, bucket, known)

    # Alerts

    def alert(self, id: str) -> Alert | None:
        return self._get(ALERTS, id, _alert)

    def alert_for(self, key: str) -> Alert | None:
        held = each(self._index.alerts.get(key))
        return self.alert(held[-1]) if held else None

    def put_alert(self, alert: Alert) -> None:
        self._put(ALERTS, alert.id, alert_document(alert))

    def remove_alert(self, id: str) -> None:
        self._remove(ALERTS, id)

    def due_alerts(
        self, now: datetime, *, limit: int, except_in: Collection[str] = ()
    ) -> list[Alert]:
        due = [
            d
            for d in self._index.due.values()
            if (d.not_before is None or d.not_before <= now) and d.slack_channel not in except_in
        ]
        due.sort(key=lambda d: (d.kind not in URGENT, d.first_at))
        return [alert for d in due[:limit] if (alert := self.alert(d.id))]

    def alerts(self) -> Iterator[Alert]:
        documents = self._tables.documents[ALERTS]
        for id in sorted(documents, key=int):
            if (document := documents.get(id)) is not None:
                yield _alert.decode(document)

    def outbox(
        self, now: datetime, *, except_in: Collection[str] = ()
    ) -> tuple[int, datetime | None, int]:
        index = self._index
        since = (
            max(d.last_at, d.not_before or d.last_at)
            for d in index.due.values()
            if d.slack_channel not in except_in
        )
        oldest = min(since, default=None)
        late = oldest if oldest is not None and oldest <= now else None
        return len(index.due), late, len(index.dead)

    # Re-opt-in cases

    def case(self, id: str) -> Case | None:
        return self._get(CASES, id, _case)

    def open_case(self, contact: str, channel: Channel) -> Case | None:
        for id in each(self._index.cases.get(contact)):
            waiting = self._index.open.get(id)
            if waiting is not None and waiting.channel == channel:
                return self.case(id)
        return None

    def put_case(self, case: Case) -> None:
        other = self.open_case(case.contact, case.channel) if case.open else None
        if other is not None and other.id != case.id:
            raise Changed
        self._put(CASES, case.id, case)

    def cases(self, contact: str) -> list[Case]:
        ids = each(self._index.cases.get(contact))
        found = [case for id in ids if (case := self.case(id))]
        return sorted(found, key=_by_request, reverse=True)

    def open_cases(self, *, after: Case | None = None, limit: int) -> list[Case]:
        behind = _by_request(after) if after else None
        waiting = sorted(self._index.open.values(), key=_by_request)
        ids = [w.id for w in waiting if behind is None or _by_request(w) > behind]
        return [case for id in ids[: max(limit, 0)] if (case := self.case(id))]

    def due_cases(self, now: datetime, *, limit: int) -> list[Case]:
        due = [(w.next_at, w.id) for w in self._index.open.values() if w.next_at]
        ids = [id for at, id in sorted(due) if at <= now]
        return [case for id in ids[: max(limit, 0)] if (case := self.case(id))]

    def all_cases(self) -> Iterator[Case]:
        return self._all(CASES, _case)

    # Marks

    def mark(self, name: str) -> str | None:
        found = self._get(MARKS, name, _texts)
        return found["text"] if found else None

    def put_mark(self, name: str, text: str | None) -> None:
        if text is None:
            self._remove(MARKS, name)
        else:
            self._put(MARKS, name, {"id": name, "text": text})

    def marks(self) -> Iterator[tuple[str, str]]:
        for mark in self._all(MARKS, _texts):
            yield mark["id"], mark["text"]

    # Imports

    def import_(self, id: str) -> Import | None:
        return self._get(IMPORTS, id, _import)

    def put_import(self, record: Import) -> None:
        self._put(IMPORTS, record.id, record)

    def imports(self) -> list[Import]:
        return sorted(self._all(IMPORTS, _import), key=lambda i: (i.started_at, i.id), reverse=True)

    # By the key that a document is known by

    def _get(self, table: str, key: str, decoder: DocumentDecoder[T]) -> T | None:
        id = self._index.ids[table].get(key)
        return None if id is None else decoder.decode(self._tables.documents[table][id])

    def _all(self, table: str, decoder: msgspec.json.Decoder[T]) -> Iterator[T]:
        for key in sorted(self._index.ids[table]):
            if (found := self._get(table, key, decoder)) is not None:
                yield found

    def _found(self, ids: Iterable[str]) -> list[Contact]:
        return [self._contact(id) for id in ids]

    def _contact(self, id: str) -> Contact:
        document = self._tables.documents[CONTACTS][id]
        return _decoded(self._known_contacts, id, document, _contact)

    def _put(self, table: str, key: str, value: object) -> None:
        self._writing()
        id = self._index.ids[table].get(key) or str(self._tables.next_id(table))
        self._tables.put(table, id, encode(value), key)

    def _remove(self, table: str, key: str) -> None:
        self._writing()
        id = self._index.ids[table].get(key)
        if id is not None:
            self._tables.put(table, id, None)

    def _writing(self) -> JournalChange:
        if self._change is None or self._change is not self._tables.change:
            raise RuntimeError("only a transaction or a rehearsal may write, until it ends")
        return self._change


def _decoded(
    known: dict[str, tuple[bytes, T]], id: str, document: bytes, decoder: msgspec.json.Decoder[T]
) -> T:
    found = known.get(id)
    if found is not None and found[0] is document:
        return found[1]
    value = decoder.decode(document)
    if len(known) >= _MOST_KNOWN:
        known.clear()
    known[id] = document, value
    return value


def _by_id(contact: Contact) -> str:
    return contact.id


def _by_request(case: Case | Waiting) -> tuple[datetime, str]:
    return case.requested_at, case.id


def _parted(fingerprint: str) -> tuple[str, str]:
    """The ids of events are kept as hashes, some hundred to a document: they only grow."""
    return fingerprint[:3], fingerprint[3:]
