"""One transaction's way to the documents: by table and key, as values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from storage.documents import DocumentDecoder, encode
from storage.tinydb.journal import JournalChange
from storage.tinydb.tables import Tables

T = TypeVar("T")

#: Values that a transaction keeps so that it decodes each document once, at most.
_MOST_KNOWN = 1_000


class TinyDBTransaction:
    """The documents as one transaction reads and writes them. Without a change it only reads."""

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

    def all(self, table: str, decoder: DocumentDecoder[T]) -> Iterator[T]:
        """All of the table, by key."""
        for key in sorted(self.index.ids[table]):
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
