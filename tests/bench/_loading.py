"""Contacts and entries straight into the tables of SQLite or PostgreSQL, by what loads quickest
there: nothing is decided, checked or sealed."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import psycopg

from bot.consent.log.entries import Entry
from bot.consent.model import Contact
from storage.sql.tables import table_rows

LARGE = int(os.environ.get("OPTIN_BENCH_CONTACTS", "1000000"))

Load = Callable[[Sequence[Contact], Sequence[Entry]], None]
_Put = Callable[[str, list[dict[str, Any]]], None]


@contextmanager
def loading(url: str) -> Iterator[Load]:
    """What loads a page in one transaction."""
    postgresql = url.startswith("postgresql:")
    row = table_rows.contact_row(with_grams=postgresql)
    with _copying(url) if postgresql else _inserting(url) as put:

        def load(contacts: Sequence[Contact], entries: Sequence[Entry]) -> None:
            put("contacts", [row(contact.id, contact) for contact in contacts])
            put("entries", [table_rows.entry_row(entry) for entry in entries])
            put("", [])

        yield load


@contextmanager
def _copying(url: str) -> Iterator[_Put]:
    with psycopg.connect(url) as server, server.cursor() as cursor:

        def put(table: str, found: list[dict[str, Any]]) -> None:
            if not table:
                return server.commit()
            names = ", ".join(found[0])
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:  # type: ignore[arg-type]
                for one in found:
                    copy.write_row(tuple(one.values()))

        yield put


@contextmanager
def _inserting(url: str) -> Iterator[_Put]:
    with closing(sqlite3.connect(url.partition("///")[2])) as file:

        def put(table: str, found: list[dict[str, Any]]) -> None:
            if not table:
                return file.commit()
            names, marks = ", ".join(found[0]), ", ".join(f":{name}" for name in found[0])
            file.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", found)

        yield put
