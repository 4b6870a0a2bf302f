"""Documents of one kind by their key, as one transaction sees them.

What a transaction read once it need not read again, and what it changes it writes at the end, all
at once: a row of an import costs no way to the database and back for each of its entries.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator
from typing import Any, Generic, TypeVar

from storage.documents import DocumentDecoder
from storage.sql.compiler import Keyed
from storage.sql.tables.table_rows import plain, text_of
from storage.sql.transaction import Transaction

T = TypeVar("T")


class DocumentCache(Generic[T]):
    """The documents that one transaction has read, and those that it writes at its end."""

    def __init__(
        self,
        turn: Transaction,
        sql: Keyed,
        decoder: DocumentDecoder[T],
        row: Callable[[str, T], dict[str, Any]],
        *,
        claimed: bool = False,
        place: Callable[[T], object] | None = None,
    ) -> None:
        """`claimed`: they may be changed by a transaction that claims. `place`: all by which
        one is found."""
        self._turn = turn
        self._sql = sql
        self.decode = decoder.decode
        self._row = row
        self._claimed = claimed
        self._place = place
        #: Read, or looked for in vain.
        self.known: dict[str, T | None] = {}
        #: Not written yet; None where it is to be removed.
        self.changed: dict[str, T | None] = {}

    def get(self, key: str, *, claimed: bool = False) -> T | None:
        """`claimed`: a transaction that claims may ask, too."""
        if key in self.changed:
            return self.changed[key]
        if key in self.known:
            return self.known[key]
        sql = self._sql.get_locked if self._turn.writes else self._sql.get
        found = self._turn.row(sql, {"key": plain(key)}, claimed=claimed)
        value = None if found is None else self.decode(found[0])
        if self._turn.remembers:
            self.known[key] = value
        return value

    def at_hand(self, key: str) -> T | None:
        """Without a look into the database."""
        return self.changed[key] if key in self.changed else self.known.get(key)

    def put(self, key: str, value: T | None) -> None:
        """None takes it away."""
        self._turn.change(claimed=self._claimed)
        if value is not None and self.changed.get(key, value) is None:
            self.flush()  # it comes anew, behind all others
        self.changed[key] = value

    def learn(self, key: str, value: T) -> None:
        """Takes what a look-up found."""
        if self._turn.remembers:
            self.known.setdefault(key, value)

    def all(self, after: str = "") -> Iterator[list[tuple[str, T]]]:
        """Everything behind the key `after`, by key, a page at a time."""
        self.flush()
        for page in self._turn.pages(self._sql.after, after):
            yield [(key, self.decode(document)) for key, document in page]

    def flush(self) -> None:
        """Writes what was changed, so that a statement can find it."""
        if not self.changed:
            return
        if not self._turn.claims:
            self._turn.begin()
        gone, put, redrawn = [], [], []
        for key, value in self.changed.items():
            if value is None:
                gone.append({"key": plain(key)})
            elif self._keeps_its_place(self.known.get(key), value):
                redrawn.append({"key": plain(key), "document": text_of(value)})
            else:
                put.append(self._row(key, value))
        if gone:
            self._turn.do(self._sql.remove, gone)
        if put:
            self._turn.put(self._sql.put, put)
        if redrawn:
            self._turn.put(self._sql.redraw, redrawn)
        self.known |= self.changed
        self.changed = {}

    def _keeps_its_place(self, before: T | None, after: T) -> bool:
        """Then the indexes need not be touched, and parts of names not be counted out."""
        place = self._place
        return place is not None and before is not None and place(before) == place(after)


def decoded(shelf: DocumentCache[T], rows: Iterable[tuple[Any, ...]]) -> list[T]:
    return [shelf.decode(row[0]) for row in rows]


def unknown(asked: Collection[str], known: Container[str]) -> list[str]:
    """The keys that are not known yet; and not what a database would give back in another
    spelling."""
    return [key for key in dict.fromkeys(asked) if key and key not in known and plain(key) == key]
