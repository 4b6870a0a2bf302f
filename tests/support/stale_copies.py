"""An older copy of a storage, made and put back behind Optin's back, as a mistake of an operator
does; on each kind of storage in several ways."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from bot.consent.store import Store
from storage import open_store
from tests.support.forked_commands import ForkedCommand
from tests.support.postgres_fixtures import packaged_programs
from tests.support.recoverable_server import RecoverableServer
from tests.support.storages import path_in, url_of

#: The kind of a PostgreSQL storage with a server of its own.
RECOVERABLE = "recoverable"


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageAt:
    """A storage in a folder of its own; a database of a server has its path there by name."""

    #: Of the settings.
    folder: Path
    path: Path
    #: Where no other test uses the server.
    server: RecoverableServer | None = None

    @property
    def url(self) -> str:
        return self.server.url if self.server else url_of(self.path)

    def open(self) -> Store:
        return open_store(self.url)

    def optin(self, *arguments: str) -> tuple[int, str, str]:
        """Runs a command. The exit status, and what it writes."""
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "OPTIN_STORAGE": self.url}
        with ForkedCommand(arguments, folder=self.folder, env=env) as command:
            out, err = command.communicate(60)
        return command.wait(), out, err


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


def restored_backup(storage: StorageAt) -> Callable[[], None]:
    """Optin's own backup, restored where the storage was."""
    backup = str(storage.folder / "older.gz")
    assert storage.optin("backup", backup)[0] == 0

    def put_back() -> None:
        if storage.path.suffix == ".postgresql":
            _empty(storage)
        else:
            shutil.rmtree(storage.path.parent)
            storage.path.parent.mkdir()
        code, _, err = storage.optin("restore", backup, "--to", storage.url)
        assert code == 0, err

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


def older_dump(storage: StorageAt) -> Callable[[], None]:
    """By PostgreSQL's own means: pg_dump and pg_restore."""
    dump = storage.folder / "older.dump"
    _run("pg_dump", "-Fc", "-f", dump, storage.url)

    def put_back() -> None:
        _empty(storage)
        _run("pg_restore", "--exit-on-error", "-d", storage.url, dump)

    return put_back


def _run(program: str, *arguments: object) -> None:
    subprocess.run([packaged_programs() / program, *map(str, arguments)], check=True)


def lost_rows(storage: StorageAt) -> Callable[[], None]:
    """A PostgreSQL database whose newest rows are gone, as after a failover to a server that had
    not received them: the newest entries are deleted, the head is wound back, and the state is what
    the rest of the log says."""
    with psycopg.connect(storage.url, autocommit=True) as database:
        for table in ("contacts", "addresses"):
            database.execute(f"CREATE TABLE older_{table} AS TABLE {table}")  # type: ignore[call-overload]
        head = database.execute("SELECT seq, hash FROM heads").fetchone()
    assert head is not None

    def lose() -> None:
        with psycopg.connect(storage.url) as database:
            database.execute("SET session_replication_role = replica")
            lost = database.execute("DELETE FROM entries WHERE seq > %s", head[:1]).rowcount
            database.execute("UPDATE heads SET seq = %s, hash = %s", head)
            for table in ("contacts", "addresses"):
                database.execute(f"DELETE FROM {table}")  # type: ignore[call-overload]
                database.execute(
                    f"INSERT INTO {table} OVERRIDING SYSTEM VALUE TABLE older_{table}"  # type: ignore[call-overload]
                )
                database.execute(f"DROP TABLE older_{table}")  # type: ignore[call-overload]
        assert lost

    return lose


def recovered_to_a_time(storage: StorageAt) -> Callable[[], None]:
    """PostgreSQL's recovery of a base backup and the archived WAL, up to a time."""
    return _recovery(storage, "recovery_target_time", "clock_timestamp()")


def recovered_to_a_place(storage: StorageAt) -> Callable[[], None]:
    """The same, up to a place in the WAL."""
    return _recovery(storage, "recovery_target_lsn", "pg_current_wal_lsn()")


def _recovery(storage: StorageAt, target: str, now: str) -> Callable[[], None]:
    server = storage.server
    assert server is not None
    moment = server.ask(now)
    return lambda: server.recover(f"{target}={moment}")


def _empty(storage: StorageAt) -> None:
    name = urlsplit(storage.url).path[1:]
    _admin(storage, f"DROP DATABASE {name} WITH (FORCE)", f"CREATE DATABASE {name}")


def _admin(storage: StorageAt, *statements: str) -> None:
    url = urlunsplit(urlsplit(storage.url)._replace(path="/postgres"))
    with psycopg.connect(url, autocommit=True) as server:
        for statement in statements:
            server.execute(statement)  # type: ignore[call-overload]


#: By kind of storage.
WAYS: dict[str, tuple[Way, ...]] = {
    "tinydb": (older_file, older_backup, restored_backup, lost_tail, vanished),
    "sqlite": (older_file, older_backup, restored_backup, lost_tail, vanished),
    "postgresql": (older_template, older_dump, restored_backup, lost_rows),
    RECOVERABLE: (recovered_to_a_time, recovered_to_a_place),
}


def new_storage(folder: Path, kind: str) -> StorageAt:
    recoverable = kind == RECOVERABLE
    return StorageAt(
        folder=folder,
        path=path_in(folder / "storage" / "data", "postgresql" if recoverable else kind),
        server=RecoverableServer() if recoverable else None,
    )
