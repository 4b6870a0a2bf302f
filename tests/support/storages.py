"""Storages of every kind, each known by a path in a folder of its own.

`OPTIN_TEST_STORAGE` says on which kind the tests run that don't choose: `tinydb`, `sqlite` or
`postgresql`. Those that run on all three then run on that one alone. With `all`, every test of a
use case runs on all three, and not on one of them (`by_turns`).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from zlib import crc32

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import storage.sql.migrations
from bot.consent.model import Contact
from storage import open_store
from storage.sql.tables import table_rows
from tests.support.postgres_fixtures import give_back, new_database

#: What the storage of each kind is called in its folder.
NAMES = {"tinydb": "optin.json", "sqlite": "optin.db", "postgresql": "optin.postgresql"}

_chosen = os.environ.get("OPTIN_TEST_STORAGE", "")
KINDS = [_chosen] if _chosen in NAMES else list(NAMES)
KIND = _chosen if _chosen in NAMES else "tinydb"

#: Databases in use, by the path under which a test knows them.
_databases: dict[Path, str] = {}


def by_turns(metafunc: pytest.Metafunc, fixture: str) -> None:
    """Runs each test that has this fixture on one kind of storage, which its name decides: a third
    of the tests on each. A module with the mark `every_storage` runs on all of them.

    What use cases and rules decide is above the storage interface. The contract tests in
    tests/storage check that each storage keeps to the interface, and tests/consent/test_histories.py
    and test_properties.py compare long histories on all of them.
    """
    if fixture not in metafunc.fixturenames:
        return
    kinds = KINDS
    if _chosen != "all" and not metafunc.definition.get_closest_marker("every_storage"):
        kinds = [KINDS[crc32(metafunc.definition.nodeid.encode()) % len(KINDS)]]
    metafunc.parametrize(fixture, kinds, indirect=True)


def path_in(folder: Path, kind: str = KIND) -> Path:
    """Of a storage that is made when it is opened."""
    return folder / NAMES[kind]


def url_of(path: Path) -> str:
    """The address of the storage at this path; the same at each call."""
    for kind in ("tinydb", "sqlite"):
        if path.suffix == Path(NAMES[kind]).suffix:
            return f"{kind}:///{path}"
    if path not in _databases:
        path.parent.mkdir(parents=True, exist_ok=True)
        _databases[path] = new_database()
    return _databases[path]


def with_tables(path: Path) -> Path:
    """The same path, where SQLite's tables are made already: running the migrations takes ten times
    as long as opening a storage that has them. The tests of the schema run them.
    """
    if path.suffix == ".db":
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, _sqlite_tables())
    return path


@cache
def _sqlite_tables() -> bytes:
    with TemporaryDirectory() as folder:
        path = path_in(Path(folder), "sqlite")
        open_store(url_of(path)).close()
        return path.read_bytes()


def write_private(path: Path, content: bytes) -> None:
    """Writes a file for its owner alone, as the storages do."""
    path.touch(mode=0o600)
    path.write_bytes(content)


def forget(path: Path) -> None:
    """Nobody needs it any more. Its files go with their folder."""
    if path in _databases:
        give_back(_databases.pop(path))


def forget_all() -> None:
    for path in list(_databases):
        forget(path)


def on_disk(path: Path) -> bytes:
    """Every byte that the storage at `path` keeps, of all its files; of a database, of all its
    rows. What SQLite only keeps for its locks is left out."""
    if path not in _databases:
        files = (file for file in path.parent.iterdir() if not file.name.endswith("-shm"))
        return b"\n".join(file.read_bytes() for file in sorted(files))
    with psycopg.connect(_databases[path], autocommit=True) as connection:
        tables = connection.execute(
            "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        ).fetchall()
        return "\n".join(
            str(row)
            for (table,) in tables
            for row in connection.execute(
                f"SELECT {table}::text FROM {table} ORDER BY 1"  # type: ignore[call-overload]
            )
        ).encode()


def tamper(path: Path, seq: int, was: bytes, became: bytes) -> None:
    """Changes an entry of the log behind Optin's back, as somebody who owns the files or the
    tables can: under the open storage, since TinyDB puts right what its journal still has."""
    if path.suffix == ".json":
        log = path.with_name(path.name + ".log")
        lines = log.read_bytes().splitlines(keepends=True)
        assert was in lines[seq]
        lines[seq] = lines[seq].replace(was, became, 1)
        with log.open("r+b") as file:
            file.write(b"".join(lines))
        return
    changed = 0
    with connected(path) as run:
        run(_UNGUARDED[path.suffix])
        for column in ("document", "personal"):
            changed += run(
                f"UPDATE entries SET {column} = replace({column}, '{was.decode()}', "
                f"'{became.decode()}') WHERE seq = {seq} AND {column} LIKE '%{was.decode()}%'"
            )
    assert changed


_UNGUARDED = {
    ".db": "DROP TRIGGER entries_fixed",
    ".postgresql": "SET session_replication_role = replica",
}


def as_the_first_program_left_it(url: str, known: Contact) -> None:
    """Makes the first tables, with one contact in them."""
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    row = table_rows.contact_row(with_grams=url.startswith("postgresql:"))(known.id, known)
    config = Config()
    (folder,) = storage.sql.migrations.__path__
    config.set_main_option("script_location", folder)
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        values = ", ".join("NULL" if value is None else f"'{value}'" for value in row.values())
        connection.exec_driver_sql(f"INSERT INTO contacts ({', '.join(row)}) VALUES ({values})")
    engine.dispose()


@contextmanager
def connected(path: Path) -> Iterator[Callable[[str], int]]:
    """Runs statements on the database at this path, without Optin; gives how many rows each
    changed."""
    if path.suffix == ".db":
        with closing(sqlite3.connect(path, isolation_level=None)) as file:
            yield lambda statement: file.execute(statement).rowcount
        return
    with psycopg.connect(url_of(path), autocommit=True) as server:
        yield lambda statement: server.execute(statement).rowcount  # type: ignore[call-overload]
