"""Key values and imports inside one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from bot.consent.model import Import
from bot.consent.storage_behind import BEHIND
from storage.sql.engine.database_session import Row
from storage.sql.tables import table_rows
from storage.sql.tables.document_cache import DocumentCache, decoded, unknown
from storage.sql.transaction import PendingQuery, Transaction


class SQLKeyValue:
    """See `bot.consent.records.KeyValue`."""

    def __init__(self, turn: Transaction) -> None:
        self._turn = turn
        self.cache = DocumentCache(
            turn, turn.sql.marks, table_rows.marks, table_rows.mark_row, claimed=True
        )

    def get(self, name: str) -> str | None:
        if name == BEHIND and not self._turn.claims:
            self._turn.begin()
            document = self._turn.behind  # it came along
            known = self.cache.decode(document) if document is not None else None
            self.cache.known.setdefault(name, known)
        return self.cache.get(name, claimed=True)

    def put(self, name: str, text: str | None) -> None:
        self.cache.put(name, text)

    def all(self) -> Iterator[tuple[str, str]]:
        for page in self.cache.all():
            yield from page

    def prefetch(self, names: Collection[str]) -> Iterator[PendingQuery]:
        asked = unknown(names, self.cache.known)

        def learn(found: list[Row]) -> None:
            kept = {name: self.cache.decode(document) for name, document in found}
            self.cache.known |= {name: kept.get(name) for name in asked}

        if asked:
            given = {"keys": self._turn.many(asked)}
            yield PendingQuery(self._turn.sql.marks_of, given, learn)


class SQLImports:
    """See `bot.consent.records.Imports`."""

    def __init__(self, turn: Transaction) -> None:
        self._turn = turn
        self.cache = DocumentCache(
            turn, turn.sql.imports, table_rows.imports, table_rows.import_row
        )

    def get(self, id: str) -> Import | None:
        return self.cache.get(id)

    def put(self, record: Import) -> None:
        self.cache.put(record.id, record)

    def all(self) -> list[Import]:
        self.cache.flush()
        return decoded(self.cache, self._turn.rows(self._turn.sql.all_imports))
