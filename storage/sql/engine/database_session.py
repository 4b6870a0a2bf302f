"""A connection in use, and the way in which statements go to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from bot.consent.errors import StorageFailed
from storage.sql.compiler import Put
from storage.sql.statements import Statements

BUSY = "The storage is busy, so nothing was changed. Try again soon."
UNKNOWN = (
    "The connection to the storage was lost while the change was being stored, so nobody knows "
    "whether it was. Look before you do it again."
)

Values = Mapping[str, Any] | tuple[()]
Row = tuple[Any, ...]
#: A statement with its values.
Question = tuple[str, Values]


class Session(ABC):
    """Every method but `undo` raises `StorageFailed` where the database does not do it."""

    #: The driver's own, which has the same few methods everywhere.
    cursor: Any

    def __init__(
        self,
        sql: Statements,
        error: type[Exception],
        failed: Callable[[Exception], StorageFailed],
    ) -> None:
        self.sql = sql
        self._error = error
        self._failed = failed

    def rows(self, sql: str, values: Values = ()) -> list[Row]:
        try:
            # Each driver has a cursor of its own.
            return self.cursor.execute(sql, values).fetchall()  # type: ignore[no-any-return]
        except self._error as error:
            raise self._failed(error) from error

    def ask(self, questions: Sequence[Question]) -> list[list[Row]]:
        """What each of them gives."""
        return [self.rows(sql, values) for sql, values in questions]

    def do(self, sql: str, rows: Sequence[Values]) -> None:
        """Once for each of the rows."""
        try:
            if len(rows) == 1:
                self.cursor.execute(sql, rows[0])
            else:
                self.cursor.executemany(sql, rows)
        except self._error as error:
            raise self._failed(error) from error

    def put(self, put: Put, rows: Sequence[Mapping[str, Any]]) -> None:
        if put.many is None or len(rows) == 1:
            self.do(put.one, rows)
        else:
            self.do(put.many, [{"rows": msgspec.json.encode(rows).decode()}])

    @abstractmethod
    def many(self, values: Sequence[str]) -> object:
        """As the statements that are given many texts take them."""

    @abstractmethod
    def read(self, questions: Sequence[Question]) -> list[list[Row]]:
        """Begins: from here on, one state. What `sql.look` gives in it, then each question."""

    @abstractmethod
    def write(self, questions: Sequence[Question]) -> list[list[Row]]:
        """Begins, and waits until nobody else writes. What `sql.look` gives then, then each
        question."""

    @abstractmethod
    def claim(self) -> bool:
        """Begins beside those who write. Whether nobody else claims: only then may it."""

    @abstractmethod
    def commit(self, flush: Callable[[], None]) -> None:
        """Ends with what `flush` does, stored."""

    @abstractmethod
    def undo(self) -> None:
        """Ends what has not ended, as if nothing had happened. Never fails."""
