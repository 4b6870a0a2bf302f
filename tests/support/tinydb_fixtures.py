"""The embedded storage's files: filled, taken, put back, and read to the last entry."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from zlib import crc32

import pytest

from bot.consent.log.chain import GENESIS, holds
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import Contact
from storage.tinydb.tinydb_store import TinyDBStore

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)


def commit(store: TinyDBStore, number: int, text: str = "Ana", *, among: int = 3) -> None:
    """One of so many contacts with its entry, both with the number."""
    id = f"c{number % among}"
    with store.transaction() as records:
        records.contacts.put(Contact(id=id, version=number, name=text, phone=f"+1{number}"))
        records.log.append(
            Entry(
                id=f"e{number}",
                kind=EntryKind.NOTE,
                occurred_at=NOON,
                recorded_at=NOON,
                actor="cli:x",
                source="cli",
                contact=id,
                version=number,
                reason=text,
            )
        )


def commit_all(store: TinyDBStore, numbers: Iterable[int], text: str) -> None:
    for number in numbers:
        commit(store, number, text)


def fill(path: Path) -> None:
    """Until the disk is full."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass


@contextmanager
def opened(path: Path) -> Iterator[TinyDBStore]:
    store = TinyDBStore(path)
    try:
        yield store
    finally:
        store.close()


def newest(path: Path) -> int:
    """How many commits it holds, all of them whole."""
    with opened(path) as store, store.reading() as records:
        log = list(records.log.all())
        previous = GENESIS
        for number, entry in enumerate(log, start=1):
            assert holds(entry, previous)
            assert entry.seq == entry.version == number
            previous = entry.hash
        assert records.log.head() == (len(log), previous)
        for contact in records.contacts.all():
            mine = [entry for entry in reversed(log) if entry.contact == contact.id]
            assert records.log.entries(contact=contact.id, limit=len(log)) == mine
            assert mine[0].version == contact.version
        return len(log)


def entries(path: Path) -> list[Entry]:
    with opened(path) as store, store.reading() as records:
        return list(records.log.all())


def contents(path: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in path.parent.iterdir() if not p.name.endswith(".lock")}


def restore(path: Path, files: dict[str, bytes]) -> None:
    for name in contents(path):
        (path.parent / name).unlink()
    for name, data in files.items():
        (path.parent / name).write_bytes(data)


def journal(path: Path) -> Path:
    (found,) = path.parent.glob("*.journal.*")
    return found


def log(path: Path) -> Path:
    return path.with_name("optin.json.log")


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """Three commits in the snapshot, two in the journal."""
    path = tmp_path / "optin.json"
    with opened(path) as store:
        for number in (1, 2, 3):
            commit(store, number)
        store.compact()
        commit(store, 4)
        commit(store, 5)
    return path


def lines_of(path: Path, data: bytes | None = None) -> list[bytes]:
    return (path.read_bytes() if data is None else data).splitlines(keepends=True)


def framed(record: object) -> bytes:
    payload = json.dumps(record, separators=(",", ":")).encode()
    return b"%08x %s\n" % (crc32(payload), payload)
