"""The records inside one transaction."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from bot.consent.model import Import
from bot.consent.store import Expected
from storage.first_use import on_first_use
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
        self._transaction = TinyDBTransaction(tables, change)
        self._log = log
        self.contacts = TinyDBContacts(self._transaction)

    @on_first_use
    def addresses(self) -> TinyDBAddresses:
        return TinyDBAddresses(self._transaction)

    @on_first_use
    def log(self) -> TinyDBLog:
        return TinyDBLog(self._transaction, self._log)

    @on_first_use
    def events(self) -> TinyDBEvents:
        return TinyDBEvents(self._transaction)

    @on_first_use
    def outbox(self) -> TinyDBOutbox:
        return TinyDBOutbox(self._transaction)

    @on_first_use
    def cases(self) -> TinyDBCases:
        return TinyDBCases(self._transaction)

    @on_first_use
    def key_value(self) -> TinyDBKeyValue:
        return TinyDBKeyValue(self._transaction)

    @on_first_use
    def imports(self) -> TinyDBImports:
        return TinyDBImports(self._transaction)

    def expect(self, what: Expected) -> None:
        """Everything is in memory already."""

    def flush(self) -> None:
        """Makes documents of all that was changed."""
        self.contacts.flush()
        if "addresses" in self.__dict__:  # they were used
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
