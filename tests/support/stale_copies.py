"""An older copy of a storage, made and put back behind Optin's back, as a mistake of an operator
does; on each kind of storage in several ways."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from bot.consent.store import Store
from storage import open_store
from tests.support.storages import path_in, url_of


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageAt:
    """A storage in a folder of its own; a database of a server has its path there by name."""

    path: Path

    @property
    def url(self) -> str:
        return url_of(self.path)

    def open(self) -> Store:
        return open_store(self.url)


#: Makes a copy now; what it gives puts the copy back.
Way = Callable[[StorageAt], Callable[[], None]]


def older_file(storage: StorageAt) -> Callable[[], None]:
    """All files of the storage, as they lie there."""
    folder = storage.path.parent
    kept = folder.with_name("older")
    shutil.copytree(folder, kept)

    def put_back() -> None:
        shutil.rmtree(folder)
        shutil.copytree(kept, folder)

    return put_back


def older_backup(storage: StorageAt) -> Callable[[], None]:
    """By the storage's own means: a compacted TinyDB, SQLite's backup."""
    kept = storage.path.with_name("backup")
    if storage.path.suffix == ".json":
        with closing(storage.open()) as store:
            store.compact()  # type: ignore[attr-defined]
        return older_file(storage)
    with closing(sqlite3.connect(storage.path)) as source, closing(sqlite3.connect(kept)) as copy:
        source.backup(copy)

    def put_back() -> None:
        for ending in ("-wal", "-shm"):
            storage.path.with_name(storage.path.name + ending).unlink(missing_ok=True)
        shutil.copyfile(kept, storage.path)

    return put_back


def lost_tail(storage: StorageAt) -> Callable[[], None]:
    """What was written last is cut off, so that the rest fits together."""
    if storage.path.suffix == ".json":
        return _cut_files(storage)
    # All until now goes into the database itself, and what comes later stays in the log.
    with closing(sqlite3.connect(storage.path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    bare = storage.path.read_bytes()

    def lose() -> None:
        storage.path.write_bytes(bare)
        for ending in ("-wal", "-shm"):
            storage.path.with_name(storage.path.name + ending).unlink(missing_ok=True)

    return lose


def _cut_files(storage: StorageAt) -> Callable[[], None]:
    ends = {file: file.stat().st_size for file in storage.path.parent.iterdir()}

    def lose() -> None:
        for file, end in ends.items():
            with file.open("r+b") as written:
                written.truncate(end)

    return lose


def vanished(storage: StorageAt) -> Callable[[], None]:
    """The files are gone but for the hash key, and Optin makes new ones."""

    def remove() -> None:
        for file in storage.path.parent.iterdir():
            if file.suffix != ".hash-key":
                file.unlink()

    return remove


def older_template(storage: StorageAt) -> Callable[[], None]:
    """A PostgreSQL database as it was at an earlier moment."""
    name = urlsplit(storage.url).path[1:]
    # Nobody may be connected while it is copied.
    _admin(
        storage,
        f"ALTER DATABASE {name} ALLOW_CONNECTIONS false",
        f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'",
        f"CREATE DATABASE {name}_older TEMPLATE {name}",
        f"ALTER DATABASE {name} ALLOW_CONNECTIONS true",
    )

    def put_back() -> None:
        _admin(
            storage,
            f"DROP DATABASE {name} WITH (FORCE)",
            f"ALTER DATABASE {name}_older RENAME TO {name}",
        )

    return put_back


def lost_rows(storage: StorageAt) -> Callable[[], None]:
    """A PostgreSQL database whose newest rows are gone, as after a failover to a server that had
    not received them."""
    tables = ("entries", "heads", "contacts", "addresses")
    with psycopg.connect(storage.url, autocommit=True) as database:
        for table in tables:
            database.execute(f"CREATE TABLE older_{table} AS TABLE {table}")  # type: ignore[call-overload]

    def lose() -> None:
        with psycopg.connect(storage.url, autocommit=True) as database:
            database.execute("SET session_replication_role = replica")
            for table in tables:
                database.execute(f"DELETE FROM {table}")  # type: ignore[call-overload]
                database.execute(
                    f"INSERT INTO {table} OVERRIDING SYSTEM VALUE TABLE older_{table}"  # type: ignore[call-overload]
                )
                database.execute(f"DROP TABLE older_{table}")  # type: ignore[call-overload]

    return lose


def _admin(storage: StorageAt, *statements: str) -> None:
    url = urlunsplit(urlsplit(storage.url)._replace(path="/postgres"))
    with psycopg.connect(url, autocommit=True) as server:
        for statement in statements:
            server.execute(statement)  # type: ignore[call-overload]


#: By kind of storage.
WAYS: dict[str, tuple[Way, ...]] = {
    "tinydb": (older_file, older_backup, lost_tail, vanished),
    "sqlite": (older_file, older_backup, lost_tail, vanished),
    "postgresql": (older_template, lost_rows),
}


def new_storage(folder: Path, kind: str) -> StorageAt:
    return StorageAt(path=path_in(folder / "storage" / "data", kind))
