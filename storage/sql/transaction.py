"""One transaction as the records see it: begun when it is first asked for something, over when its
block is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bot.consent.storage_behind import UNKNOWN_END, HeadMemory, LogEnd
from storage.sql.compiler import PAGE, Put
from storage.sql.engine.database_session import Question, Row, Session, Values

_ONLY_CLAIMS = "a transaction that claims alerts puts them and its marks, and does nothing else"


class PendingQuery(NamedTuple):
    """A question, and who learns the answer."""

    sql: str
    values: Values
    learn: Callable[[list[Row]], None]


class Transaction:
    """One transaction on one session. It begins with its first statement, and `end` closes it."""

    def __init__(self, session: Session, *, writes: bool, heads: HeadMemory) -> None:
        self.sql = session.sql
        self._session = session
        self._heads = heads
        self.writes = writes
        #: What was read is not read again. Who writes is alone; who reads sees one state, and says
        #: beforehand what is worth to be kept (`Records.expect`).
        self.remembers = writes
        self.begun = False
        self.claims = False
        #: Nobody else claims meanwhile.
        self._may_claim = False
        #: `seq` and hash of the newest entry when it began.
        self._begin_at: LogEnd = UNKNOWN_END
        self._over = False
        #: Personal parts of entries were erased.
        self.redacted = False
        #: `seq` and hash of the newest entry, where it is known.
        self.head: Row | None = None
        #: The key value that says that the storage is behind, as a document, once it has begun.
        self.behind: str | None = None

    def begin(
        self, questions: Sequence[Question] = (), *, claimed: bool = False
    ) -> list[list[Row]]:
        """Where it has not begun yet. What each of the questions gives. `claimed`: they are what a
        transaction that claims may ask."""
        if self._over:
            raise RuntimeError("records are for their block only")
        if self.claims and not claimed:
            raise RuntimeError(_ONLY_CLAIMS)
        if self.begun:
            return self._session.ask(questions) if questions else []
        # The log's end and the mark come along with what is asked, in the same round trip.
        least = self._heads.newest
        if self.writes:
            [looked], *found = self._session.write(questions)
        else:
            [looked], *found = self._session.read(questions)
        self.begun = True
        seq, hash, self.behind = looked
        self.head = self._begin_at = (seq, hash)
        self._heads.look(least, self._begin_at)
        return found

    def change(self, *, claimed: bool = False) -> None:
        """Before anything is changed. `claimed`: a transaction that claims may change it."""
        if not self.writes or self._over:
            raise RuntimeError("only a transaction or a rehearsal may write, until it ends")
        if self.claims and not (claimed and self._may_claim):
            raise RuntimeError(_ONLY_CLAIMS)

    def claim(self) -> bool:
        """Begins beside those who write, where nothing has been asked for yet; else as ever.
        Whether it claims."""
        if self.writes and not self.begun and not self._over:
            self._may_claim = self._session.claim()
            self.begun = self.claims = True
        return self.claims

    def rows(self, sql: str, values: Values = (), *, claimed: bool = False) -> list[Row]:
        return self.begin([(sql, values)], claimed=claimed)[0]

    def ask(self, asks: Sequence[PendingQuery]) -> None:
        """All at once: where the database is some way off, that is one way to it and back. Where
        there are several, each of them has two texts for an answer."""
        found = self.begin([(ask.sql, ask.values) for ask in asks])
        for ask, rows in zip(asks, found, strict=True):
            ask.learn(rows)

    def row(self, sql: str, values: Values = (), *, claimed: bool = False) -> Row | None:
        found = self.rows(sql, values, claimed=claimed)
        return found[0] if found else None

    def pages(self, sql: str, key: Any) -> Iterator[list[Row]]:
        """All that a statement gives which asks for a page behind a key, its first column."""
        while page := self.rows(sql, {"key": key}):
            yield page
            if len(page) < PAGE:
                return
            key = page[-1][0]

    def claimed(self, sql: str, values: Values) -> list[Row]:
        """What is to be claimed: nothing, while somebody else claims."""
        return self._session.rows(sql, values) if self._may_claim else []

    def do(self, sql: str, rows: Sequence[Values]) -> None:
        self._session.do(sql, rows)

    def put(self, put: Put, rows: Sequence[Mapping[str, Any]]) -> None:
        self._session.put(put, rows)

    def many(self, values: Sequence[str]) -> object:
        return self._session.many(values)

    def end(self, flush: Callable[[], None] | None) -> None:
        """With what `flush` writes stored; None: as if nothing had happened."""
        if self._over:
            return
        try:
            if flush is not None and self.begun:
                self._session.commit(flush)
                if self.head is not None and self.head[0] > self._begin_at[0]:
                    self._heads.stored((self.head[0], self.head[1]))
                return
        finally:
            self._over = True
            if self.begun:
                self._session.undo()
