"""Writes to the providers' suppression lists inside one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from heapq import merge
from itertools import islice

from bot.consent.write_backs import WriteBack, WriteState
from storage.sql.tables import table_rows
from storage.sql.tables.document_cache import DocumentCache, decoded
from storage.sql.transaction import Transaction


class SQLWriteBacks:
    """See `bot.consent.records.WriteBacks`."""

    def __init__(self, turn: Transaction) -> None:
        self._turn = turn
        self.cache = DocumentCache(
            turn, turn.sql.write_backs, table_rows.write_backs, table_rows.write_row
        )
        #: Of a transaction that writes, and so is alone: the addresses that were asked for, and the
        #: ids by address of what they have and of what was put.
        self._asked: set[str] = set()
        self._ids: defaultdict[str, set[str]] = defaultdict(set)

    def get(self, id: str) -> WriteBack | None:
        return self.cache.get(id)

    def put(self, write: WriteBack) -> None:
        self._ids[write.key].add(write.id)
        self.cache.put(write.id, write)

    def remove(self, id: str) -> None:
        self.cache.put(id, None)

    def of(self, key: str) -> list[WriteBack]:
        if not self._turn.writes:
            return self._found(key)
        if key not in self._asked:
            self._asked.add(key)
            for stored in self._found(key):
                self.cache.learn(stored.id, stored)
                self._ids[key].add(stored.id)
        return [write for id in sorted(self._ids[key]) if (write := self.cache.get(id))]

    def due(self, now: datetime, providers: Collection[str], *, limit: int) -> list[WriteBack]:
        self.cache.flush()
        given = {"now": table_rows.ticks(now), "limit": max(limit, 0)}
        due = self._turn.sql.due_writes
        # One provider after the other: their index gives each one's in the order of the wishes.
        found = [
            decoded(self.cache, self._turn.rows(due, given | {"provider": table_rows.plain(name)}))
            for name in sorted(set(providers))
        ]
        return list(islice(merge(*found, key=by_wish), max(limit, 0)))

    def waiting(self) -> Mapping[tuple[str, WriteState], int]:
        self.cache.flush()
        rows = self._turn.rows(self._turn.sql.count_writes)
        return {(provider, WriteState(state)): count for provider, state, count in rows}

    def oldest(self, provider: str) -> datetime | None:
        self.cache.flush()
        found = self._turn.row(
            self._turn.sql.oldest_write, {"provider": table_rows.plain(provider)}
        )
        return table_rows.time(found[0]) if found else None

    def all(self) -> Iterator[WriteBack]:
        for page in self.cache.all():
            yield from (write for _, write in page)

    def _found(self, key: str) -> list[WriteBack]:
        """As the database has them."""
        given = {"key": table_rows.plain(key)}
        found = decoded(self.cache, self._turn.rows(self._turn.sql.writes_of, given))
        return sorted(found, key=lambda write: write.id)


def by_wish(write: WriteBack) -> tuple[datetime, str]:
    return write.wished_at, write.id
