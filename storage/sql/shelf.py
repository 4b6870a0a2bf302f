"""Documents of one kind by their key, as one transaction sees them.

A transaction that writes is alone, so what it read once it need not read again, and what it
changes it writes at the end, all at once: a row of an import costs no way to the database and back
for each of its entries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

import msgspec

from storage.sql.rows import plain
from storage.sql.statements import Keyed
from storage.sql.turn import Turn

T = TypeVar("T")


class Shelf(Generic[T]):
    def __init__(
        self,
        turn: Turn,
        sql: Keyed,
        decoder: msgspec.json.Decoder[T],
        row: Callable[[str, T], dict[str, Any]],
        *,
        claimed: bool = False,
    ) -> None:
        """`claimed`: they may be changed by a transaction that claims."""
        self._turn = turn
        self._sql = sql
        self.decode = decoder.decode
        self._row = row
        self._claimed = claimed
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
        if self._turn.writes:
            self.known[key] = value
        return value

    def put(self, key: str, value: T | None) -> None:
        """None takes it away."""
        self._turn.change(claimed=self._claimed)
        self.changed[key] = value

    def learn(self, key: str, value: T) -> None:
        """Takes what a look-up found."""
        if self._turn.writes:
            self.known.setdefault(key, value)

    def all(self) -> Iterator[list[tuple[str, T]]]:
        """Everything by key, a page at a time."""
        self.flush()
        for page in self._turn.pages(self._sql.after, ""):
            yield [(key, self.decode(document)) for key, document in page]

    def flush(self) -> None:
        """Writes what was changed, so that a statement can find it."""
        if not self.changed:
            return
        if not self._turn.claims:
            self._turn.begin()
        gone = [{"key": plain(key)} for key, value in self.changed.items() if value is None]
        put = [self._row(key, value) for key, value in self.changed.items() if value is not None]
        if gone:
            self._turn.do(self._sql.remove, gone)
        if put:
            self._turn.put(self._sql.put, put)
        self.known |= self.changed
        self.changed = {}


def decoded(shelf: Shelf[T], rows: Iterable[tuple[Any, ...]]) -> list[T]:
    return [shelf.decode(row[0]) for row in rows]
