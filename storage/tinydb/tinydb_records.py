"""The records inside one transaction."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from bot.consent.model import Import
from bot.consent.store import Expected
from storage.tinydb.activity_log_file import LogFile
from storage.tinydb.index import IMPORTS, MARKS
from storage.tinydb.journal import JournalChange
from storage.tinydb.tables import Tables
from storage.tinydb.tinydb_contacts import TinyDBAddresses, TinyDBContacts
from storage.tinydb.tinydb_log import TinyDBEvents, TinyDBLog
from storage.tinydb.tinydb_outbox import TinyDBCases, TinyDBOutbox
from storage.tinydb.tinydb_transaction import TinyDBTransaction

_import = msgspec.json.Decoder(Import)
_texts = msgspec.json.Decoder(dict[str, str])


class TinyDBRecords:
    """See `bot.consent.store.Records`."""

    def __init__(self, tables: Tables, log: LogFile, change: JournalChange | None) -> None:
        transaction = TinyDBTransaction(tables, change)
        self.contacts = TinyDBContacts(transaction)
        self.addresses = TinyDBAddresses(transaction)
        self.log = TinyDBLog(transaction, log)
        self.events = TinyDBEvents(transaction)
        self.outbox = TinyDBOutbox(transaction)
        self.cases = TinyDBCases(transaction)
        self.key_value = TinyDBKeyValue(transaction)
        self.imports = TinyDBImports(transaction)

    def expect(self, what: Expected) -> None:
        """Everything is in memory already."""

    def flush(self) -> None:
        """Makes documents of all that was changed."""
        self.contacts.flush()
        self.addresses.flush()


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
