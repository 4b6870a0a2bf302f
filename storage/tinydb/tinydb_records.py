"""The records inside one transaction, and those of its parts that are about no contact: the log,
events, the outbox, marks and imports."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

import msgspec

from bot.consent.alerts import REVIEW_KEYS, URGENT, Alert
from bot.consent.log.chain import ChainLink
from bot.consent.log.entries import Answers, Entry, EntryKind
from bot.consent.model import Channel, Import
from bot.consent.records import Backlog
from bot.consent.store import Expected
from storage.documents import AlertDecoder, alert_document, fingerprint
from storage.tinydb.activity_log_file import LogFile
from storage.tinydb.index import ALERTS, EVENTS, IMPORTS, MARKS, each
from storage.tinydb.journal import JournalChange
from storage.tinydb.tables import Tables, TinyDBTransaction
from storage.tinydb.tinydb_contacts import TinyDBAddresses, TinyDBCases, TinyDBContacts
from storage.tinydb.tinydb_write_backs import TinyDBWriteBacks

_alert = AlertDecoder()
_import = msgspec.json.Decoder(Import)
_texts = msgspec.json.Decoder(dict[str, str])


class TinyDBRecords:
    """See `bot.consent.store.Records`."""

    __slots__ = ("_log", "_transaction", "addresses", "contacts")

    def __init__(self, tables: Tables, log: LogFile, change: JournalChange | None) -> None:
        self._transaction = TinyDBTransaction(tables, change)
        self._log = log
        self.contacts = TinyDBContacts(self._transaction)
        self.addresses = TinyDBAddresses(self._transaction)

    # These parts remember nothing, so that they are made where they are asked for: a look-up asks
    # for none of them.

    @property
    def log(self) -> TinyDBLog:
        return TinyDBLog(self._transaction, self._log)

    @property
    def events(self) -> TinyDBEvents:
        return TinyDBEvents(self._transaction)

    @property
    def outbox(self) -> TinyDBOutbox:
        return TinyDBOutbox(self._transaction)

    @property
    def cases(self) -> TinyDBCases:
        return TinyDBCases(self._transaction)

    @property
    def write_backs(self) -> TinyDBWriteBacks:
        return TinyDBWriteBacks(self._transaction)

    @property
    def key_value(self) -> TinyDBKeyValue:
        return TinyDBKeyValue(self._transaction)

    @property
    def imports(self) -> TinyDBImports:
        return TinyDBImports(self._transaction)

    def expect(self, what: Expected) -> None:
        """Everything is in memory already."""

    def flush(self) -> None:
        """Makes documents of all that was changed."""
        self.contacts.flush()
        self.addresses.flush()


class TinyDBLog:
    """See `bot.consent.records.Log`."""

    def __init__(self, transaction: TinyDBTransaction, file: LogFile) -> None:
        self._transaction = transaction
        self._file = file

    def append(self, entry: Entry, answers: Answers | None = None) -> Entry:
        return self._file.append(entry, answers, self._transaction.writing())

    def adopt(self, entry: Entry) -> None:
        self._file.adopt(entry, self._transaction.writing())

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
        lines = self._file.newest_first(contact=contact, actor=actor, before=before)
        for offset, line, mark in lines:
            if (not wanted or mark.kind in wanted) and channel in (None, mark.channel):
                found.append(self._file.entry(offset, line))
                if len(found) == limit:
                    break
        return found

    def all(self) -> Iterator[Entry]:
        return self.since(0)

    def since(self, seq: int) -> Iterator[Entry]:
        return self._file.oldest_first(seq)

    def links(self) -> Iterator[ChainLink]:
        return self._file.links()

    def hashes(self, after: int, limit: int) -> list[str]:
        return self._file.hashes(after, limit)

    def of_address(self, address: str) -> list[Entry]:
        return [*self._file.of_address(address)][::-1]

    def head(self) -> tuple[int, str]:
        return self._file.head.seq, self._file.head.hash

    def redact(self, contact: str) -> None:
        self._file.redact(contact, self._transaction.writing())


class TinyDBEvents:
    """See `bot.consent.records.SeenEvents`."""

    def __init__(self, transaction: TinyDBTransaction) -> None:
        self._transaction = transaction

    def seen(self, event: str, former: str | None = None) -> bool:
        return self._remembered(event) or (former is not None and self._remembered(former))

    def remember(self, event: str) -> None:
        self.put(fingerprint(event))

    def all(self) -> Iterator[str]:
        for known in self._transaction.all(EVENTS, _texts):
            yield from (f"{known['id']}{hash}" for hash in sorted(known["seen"].split()))

    def put(self, fingerprint: str) -> None:
        bucket, hash = _parted(fingerprint)
        known = self._transaction.get(EVENTS, bucket, _texts) or {"id": bucket, "seen": ""}
        if hash not in known["seen"]:
            known["seen"] = f"{known['seen']} {hash}".strip()
            self._transaction.put(EVENTS, bucket, known)

    def _remembered(self, event: str) -> bool:
        bucket, hash = _parted(fingerprint(event))
        id = self._transaction.index.ids[EVENTS].get(bucket)
        return id is not None and hash.encode() in self._transaction.documents[EVENTS][id]


class TinyDBOutbox:
    """See `bot.consent.records.Outbox`."""

    def __init__(self, transaction: TinyDBTransaction) -> None:
        self._transaction = transaction
        self._index = transaction.index

    def get(self, id: str) -> Alert | None:
        return self._transaction.get(ALERTS, id, _alert)

    def newest_for(self, key: str) -> Alert | None:
        held = each(self._index.alerts.get(key))
        return self.get(held[-1]) if held else None

    def put(self, alert: Alert) -> None:
        self._transaction.put(ALERTS, alert.id, alert_document(alert))

    def remove(self, id: str) -> None:
        self._transaction.remove(ALERTS, id)

    def due(self, now: datetime, *, limit: int, except_in: Collection[str] = ()) -> list[Alert]:
        due = [
            d
            for d in self._index.due.values()
            if (d.not_before is None or d.not_before <= now) and d.slack_channel not in except_in
        ]
        due.sort(key=lambda d: (d.kind not in URGENT, d.first_at))
        return [alert for d in due[:limit] if (alert := self.get(d.id))]

    def backlog(self, now: datetime, *, except_in: Collection[str] = ()) -> Backlog:
        index = self._index
        since = (
            max(d.last_at, d.not_before or d.last_at)
            for d in index.due.values()
            if d.slack_channel not in except_in
        )
        oldest = min(since, default=None)
        late = oldest if oldest is not None and oldest <= now else None
        return Backlog(waiting=len(index.due), oldest=late, dead=len(index.dead))

    def reviews(self) -> Iterator[Alert]:
        for key in sorted(key for key in self._index.alerts if key.startswith(REVIEW_KEYS)):
            if (review := self.newest_for(key)) is not None:
                yield review

    def all(self) -> Iterator[Alert]:
        documents = self._transaction.documents[ALERTS]
        for id in sorted(documents, key=int):
            if (document := documents.get(id)) is not None:
                yield _alert.decode(document)


class TinyDBKeyValue:
    """See `bot.consent.records.KeyValue`."""

    def __init__(self, transaction: TinyDBTransaction) -> None:
        self._transaction = transaction

    def get(self, name: str) -> str | None:
        found = self._transaction.get(MARKS, name, _texts)
        return found["text"] if found else None

    def put(self, name: str, text: str | None) -> None:
        if text is None:
            self._transaction.remove(MARKS, name)
        else:
            self._transaction.put(MARKS, name, {"id": name, "text": text})

    def all(self) -> Iterator[tuple[str, str]]:
        for mark in self._transaction.all(MARKS, _texts):
            yield mark["id"], mark["text"]


class TinyDBImports:
    """See `bot.consent.records.Imports`."""

    def __init__(self, transaction: TinyDBTransaction) -> None:
        self._transaction = transaction

    def get(self, id: str) -> Import | None:
        return self._transaction.get(IMPORTS, id, _import)

    def put(self, record: Import) -> None:
        self._transaction.put(IMPORTS, record.id, record)

    def all(self) -> list[Import]:
        every = self._transaction.all(IMPORTS, _import)
        return sorted(every, key=lambda i: (i.started_at, i.id), reverse=True)


def _parted(fingerprint: str) -> tuple[str, str]:
    """The ids of events are kept as hashes, some hundred to a document: they only grow."""
    return fingerprint[:3], fingerprint[3:]
