"""A database whose lock somebody else holds."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg

from bot.consent.store import Store
from bot.consent.use_cases.wrapped_store import TimedStore
from tests.support.storages import url_of


@contextmanager
def held(storage: Path, row: str = "heads") -> Iterator[None]:
    """Another session holds the lock that everybody needs who writes, or a row of a table."""
    if storage.suffix == ".db":
        with closing(sqlite3.connect(storage, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")
        return
    with psycopg.connect(url_of(storage)) as server:
        server.execute(f"SELECT * FROM {row} FOR UPDATE")  # type: ignore[call-overload]
        yield
        server.rollback()


def counting(store: Store, tries: Counter[str]) -> TimedStore:
    """The store, with its transactions counted, those too that are refused."""

    @contextmanager
    def tried() -> Iterator[None]:
        tries["transactions"] += 1
        yield

    return TimedStore(store, tried)
