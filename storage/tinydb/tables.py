"""TinyDB over documents that stay JSON in memory: they take a fifth of the room that objects
would, nobody can change one unseen, and a commit or a snapshot only puts them together.

TinyDB's documented doors are `Storage` and `table_class`; `_read_table`, `_update_table` and
`_get_next_id` are underscored, and the only ones that spare rewriting a table for each document.
So TinyDB is pinned, and tests/storage/test_tinydb_tables.py watches these.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, TypeVar

import msgspec
import tinydb.table

from storage.documents import DocumentDecoder, encode
from storage.tinydb.index import TABLES, Index
from storage.tinydb.journal import Document, JournalChange

Fields = dict[str, Any]
T = TypeVar("T")

#: Values that a transaction keeps so that it decodes each document once, at most.
_MOST_KNOWN = 1_000

_decode = msgspec.json.Decoder(Fields).decode


class Tables(tinydb.Storage):
    """All documents as JSON, by table and id, with their index."""

    def __init__(self) -> None:
        self.load({})

    def load(self, documents: dict[str, dict[str, bytes]]) -> None:
        none: dict[str, dict[str, bytes]] = {table: {} for table in TABLES}
        self.documents = none | documents
        self.index = Index(self.documents)
        self._next = {
            name: max(map(int, table), default=0) + 1 for name, table in documents.items()
        }
        #: What the running transaction does; none while there is none.
        self.change: JournalChange | None = None
        #: Puts what its records have changed and not put yet.
        self.flush: Callable[[], None] = nothing

    def put(self, table: str, id: str, document: Document, key: str | None = None) -> None:
        """In a transaction: inserts, replaces, or removes with None. `key` as in `Index.changed`:
        a document that is replaced has the same."""
        if self.change is None:
            raise RuntimeError("a document is changed in a transaction")
        if document is not None:
            # msgspec leaves the unused end of its buffer, often a third, behind what it returns.
            document = bytes(memoryview(document))
        before = self.documents.get(table, {}).get(id)
        self.change.before.setdefault((table, id), before)
        self.change.after.setdefault(table, {})[id] = document
        self.take(table, id, document, key)

    def take(self, table: str, id: str, document: Document, key: str | None = None) -> None:
        """What is stored already."""
        documents = self.documents.setdefault(table, {})
        before = documents.pop(id, None) if document is None else documents.get(id)
        if document is not None:
            documents[id] = document
        self._next[table] = max(self._next.get(table, 1), int(id) + 1)
        self.index.changed(table, id, before, document, key)

    def undo(self, change: JournalChange) -> None:
        for (table, id), document in change.before.items():
            self.take(table, id, document)

    def next_id(self, table: str) -> int:
        return self._next.get(table, 1)

    def read(self) -> dict[str, Mapping[str, Fields]]:  # type: ignore[override]  # read-only
        """TinyDB's view of all tables: a document is decoded when it is asked for."""
        self.flush()
        return {name: Decoded(table) for name, table in self.documents.items()}

    def write(self, data: Mapping[str, Mapping[Any, Mapping[str, Any]]]) -> None:
        """TinyDB asks for this only where it drops tables."""
        self.flush()
        for name, table in list(self.documents.items()):
            for id in [id for id in table if name not in data or id not in data[name]]:
                self.put(name, id, None)


def nothing() -> None:
    """Outside of a transaction nothing waits."""


class TinyDBTransaction:
    """One transaction's way to the documents: by table and key, as values."""

    __slots__ = ("_change", "_tables", "documents", "index")

    def __init__(self, tables: Tables, change: JournalChange | None) -> None:
        """`change` is None where nothing may be written."""
        self.index = tables.index
        self.documents = tables.documents
        self._tables = tables
        self._change = change

    def get(self, table: str, key: str, decoder: DocumentDecoder[T]) -> T | None:
        id = self.index.ids[table].get(key)
        return None if id is None else decoder.decode(self.documents[table][id])

    def all(self, table: str, decoder: DocumentDecoder[T], *, after: str = "") -> Iterator[T]:
        """All of the table, by key; those behind the key `after`."""
        keys = sorted(self.index.ids[table])
        for key in keys[bisect_right(keys, after) :]:
            if (found := self.get(table, key, decoder)) is not None:
                yield found

    def put(self, table: str, key: str, value: object) -> None:
        self.writing()
        id = self.index.ids[table].get(key) or str(self._tables.next_id(table))
        self._tables.put(table, id, encode(value), key)

    def remove(self, table: str, key: str) -> None:
        self.writing()
        id = self.index.ids[table].get(key)
        if id is not None:
            self._tables.put(table, id, None)

    def writing(self) -> JournalChange:
        """The change to write into. Raises `RuntimeError` where nothing may be written."""
        if self._change is None or self._change is not self._tables.change:
            raise RuntimeError("only a transaction or a rehearsal may write, until it ends")
        return self._change


def decoded(
    known: dict[str, tuple[bytes, T]], id: str, document: bytes, decoder: DocumentDecoder[T]
) -> T:
    """The value of a document, out of `known` where the document has not changed since."""
    found = known.get(id)
    if found is not None and found[0] is document:
        return found[1]
    value = decoder.decode(document)
    if len(known) >= _MOST_KNOWN:
        known.clear()
    known[id] = document, value
    return value


class Decoded(Mapping[str, Fields]):
    """A read-only table. Each look-up decodes the document again."""

    def __init__(self, documents: Mapping[str, bytes]) -> None:
        self._documents = documents

    def __getitem__(self, id: str) -> Fields:
        return _decode(self._documents[id])

    def __iter__(self) -> Iterator[str]:
        return iter(self._documents)

    def __len__(self) -> int:
        return len(self._documents)


class Draft(MutableMapping[int, Fields]):
    """A table being updated: what is looked at may be changed, the rest stays as it is."""

    def __init__(self, documents: Mapping[str, bytes]) -> None:
        self._documents = documents
        self._touched: dict[int, Fields | None] = {}

    def changes(self) -> Iterator[tuple[str, Document]]:
        for id, fields in self._touched.items():
            document = None if fields is None else encode(fields)
            if document != self._documents.get(str(id)):
                yield str(id), document

    def __getitem__(self, id: int) -> Fields:
        fields = self._touched[id] if id in self._touched else _decode(self._documents[str(id)])
        if fields is None:
            raise KeyError(id)
        self._touched[id] = fields
        return fields

    def __setitem__(self, id: int, fields: Fields) -> None:
        self._touched[id] = fields

    def __delitem__(self, id: int) -> None:
        if id not in self:
            raise KeyError(id)
        self._touched[id] = None

    def __contains__(self, id: object) -> bool:
        if id in self._touched:
            return self._touched[id] is not None
        return str(id) in self._documents

    def __iter__(self) -> Iterator[int]:
        new = (id for id in self._touched if str(id) not in self._documents)
        return (id for id in [*map(int, self._documents), *new] if id in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def clear(self) -> None:
        self._touched = dict.fromkeys(self)


class Table(tinydb.table.Table):
    """A TinyDB table whose every look-up and change costs the same at any size."""

    _storage: Tables
    #: The last id that was given away.
    _given = 0

    def __init__(self, storage: tinydb.Storage, name: str, **options: Any) -> None:
        """Without a cache: documents change behind the table, by other threads and processes."""
        super().__init__(storage, name, **({"cache_size": 0} | options))

    def _read_table(self) -> Any:
        self._storage.flush()
        return Decoded(self._storage.documents.get(self.name, {}))

    def _update_table(self, updater: Callable[[Any], None]) -> None:
        self._storage.flush()
        draft = Draft(self._storage.documents.get(self.name, {}))
        updater(draft)
        for id, document in list(draft.changes()):
            self._storage.put(self.name, id, document)

    def _get_next_id(self) -> int:
        self._storage.flush()
        # `insert_multiple` asks for many ids before any of them is put.
        self._given = max(self._storage.next_id(self.name), self._given + 1)
        return self._given


class TableDatabase(tinydb.TinyDB):
    """What a TinyDB user knows, over our tables. Changes go into the running transaction."""

    table_class = Table  # type: ignore[assignment]  # how TinyDB wants it
