"""An older copy of a storage, made and put back behind Optin's back, as a mistake of an operator
does; on each kind of storage in several ways."""

from __future__ import annotations

import os
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
from tests.support.forked_commands import ForkedCommand
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

    def empty(self) -> None:
        """Leaves nothing, and no tables, at its address."""
        if self.path.suffix == ".postgresql":
            name = urlsplit(self.url).path[1:]
            self.admin(f"DROP DATABASE {name} WITH (FORCE)", f"CREATE DATABASE {name}")
            return
        shutil.rmtree(self.path.parent)
        self.path.parent.mkdir()

    def admin(self, *statements: str) -> None:
        """Runs statements on its server, in another database."""
        url = urlunsplit(urlsplit(self.url)._replace(path="/postgres"))
        with psycopg.connect(url, autocommit=True) as server:
            for statement in statements:
                server.execute(statement)  # type: ignore[call-overload]


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
        storage.empty()
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


def new_storage(folder: Path, kind: str) -> StorageAt:
    recoverable = kind == RECOVERABLE
    return StorageAt(
        folder=folder,
        path=path_in(folder / "storage" / "data", "postgresql" if recoverable else kind),
        server=RecoverableServer() if recoverable else None,
    )
