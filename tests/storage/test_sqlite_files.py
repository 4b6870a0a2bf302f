"""SQLite's files under an open storage: what harms them is noticed, and what others do is not."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.consent.errors import Corrupt
from bot.consent.store import Store
from storage import open_store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "optin.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with closing(open_store(f"sqlite:///{path}")) as store:
        put(store, "1")
        yield store


def put(store: Store, text: str) -> None:
    with store.transaction() as records:
        records.key_value.put("x", text)


def kept(store: Store) -> str | None:
    with store.reading() as records:
        return records.key_value.get("x")


def remove(path: Path) -> None:
    path.unlink()


def remove_log(path: Path) -> None:
    path.with_name("optin.db-wal").unlink()


def empty(path: Path) -> None:
    os.truncate(path, 0)


def empty_log(path: Path) -> None:
    os.truncate(path.with_name("optin.db-wal"), 0)


def put_a_copy_there(path: Path) -> None:
    shutil.copyfile(path, path.with_name("copy")).replace(path)


@pytest.mark.parametrize("harm", [remove, remove_log, empty, empty_log, put_a_copy_there])
def test_nothing_is_stored_once_a_file_was_harmed(
    store: Store, path: Path, harm: Callable[[Path], None]
) -> None:
    harm(path)
    with pytest.raises(Corrupt, match="Restart Optin"):
        put(store, "2")

    with pytest.raises(Corrupt, match="Restart Optin"):
        put(store, "3")
    with pytest.raises(Corrupt, match="Restart Optin"):
        kept(store)


def vacuum(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("VACUUM")


def empty_the_log_as_erasure_does(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0


def write_and_close(path: Path) -> None:
    with closing(open_store(f"sqlite:///{path}")) as other:
        put(other, "other")


@pytest.mark.parametrize("act", [vacuum, empty_the_log_as_erasure_does, write_and_close])
def test_what_others_may_do_is_no_harm(
    store: Store, path: Path, act: Callable[[Path], None]
) -> None:
    for number in range(3):
        act(path)
        put(store, str(number))
        act(path)

        assert kept(store) in (str(number), "other")


def test_log_goes_with_the_last_connection(path: Path) -> None:
    with closing(open_store(f"sqlite:///{path}")) as store:
        put(store, "1")

    assert not path.with_name("optin.db-wal").exists()
