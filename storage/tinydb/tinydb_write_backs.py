"""Writes to the providers' suppression lists inside one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from heapq import merge
from itertools import islice

import msgspec

from bot.consent.write_backs import WriteBack, WriteState
from storage.tinydb.index import WRITES
from storage.tinydb.tables import TinyDBTransaction

_write = msgspec.json.Decoder(WriteBack)


class TinyDBWriteBacks:
    """See `bot.consent.records.WriteBacks`."""

    def __init__(self, transaction: TinyDBTransaction) -> None:
        self._transaction = transaction
        self._index = transaction.index.writes

    def get(self, id: str) -> WriteBack | None:
        return self._transaction.get(WRITES, id, _write)

    def put(self, write: WriteBack) -> None:
        self._transaction.put(WRITES, write.id, write)

    def remove(self, id: str) -> None:
        self._transaction.remove(WRITES, id)

    def of(self, key: str) -> list[WriteBack]:
        return sorted(map(self._decoded, self._index.of(key)), key=lambda write: write.id)

    def due(self, now: datetime, providers: Collection[str], *, limit: int) -> list[WriteBack]:
        due = merge(*(self._index.due(provider, now) for provider in set(providers)))
        return [self._decoded(found.document) for found in islice(due, max(limit, 0))]

    def waiting(self) -> Mapping[tuple[str, WriteState], int]:
        return dict(self._index.counts)

    def oldest(self, provider: str) -> datetime | None:
        return self._index.oldest(provider)

    def all(self) -> Iterator[WriteBack]:
        return self._transaction.all(WRITES, _write)

    def _decoded(self, document: str) -> WriteBack:
        return _write.decode(self._transaction.documents[WRITES][document])
