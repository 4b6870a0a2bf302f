"""What is erased is in no file any more."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.consent.log.chain import GENESIS, holds
from bot.consent.model import Contact
from tests.support.tinydb_fixtures import (
    commit,
    contents,
    framed,
    journal,
    log,
    opened,
    restore,
)


def test_nothing_of_an_erased_contact_is_left_in_any_file(
    filled: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with opened(filled) as store, opened(filled) as other:
        commit(store, 6, "Secret Name")
        store.compact()
        commit(store, 9, "Secret Reason")
        commit(other, 12, "Secret Again")
        assert b"Secret" in b"".join(contents(filled).values())
        with store.transaction() as records:
            records.log.redact("c0")
            records.contacts.put(Contact(id="c0", erased=True, version=13))

        assert b"Secret" not in b"".join(contents(filled).values())
        assert b"+112" not in b"".join(contents(filled).values())
        with other.reading() as records:
            assert [e.redacted for e in records.log.entries(contact="c0", limit=9)] == [True] * 4
        with store.reading() as records:
            previous = GENESIS
            for entry in records.log.all():
                assert holds(entry, previous)
                previous = entry.hash
    assert "Secret" not in caplog.text


def test_an_erasure_that_a_kill_broke_off_is_finished_at_the_next_start(filled: Path) -> None:
    with opened(filled) as store:
        commit(store, 6, "Secret Name")
        unredacted = log(filled).read_bytes()
        compaction_running = filled.with_name("optin.json.new")
        with store.transaction() as records:
            records.log.redact("c0")
    after = contents(filled)
    with opened(filled) as store:
        commit(store, 9, "Secret Again")
    files = contents(filled)
    redo = {
        "documents": {"contacts": {}},
        "redacted": [
            {"offset": at, "length": len(line) - 1, "entry": json.loads(new)}
            for at, line, new in _redactions(unredacted, after["optin.json.log"])
        ],
    }
    # The commit reached the journal; neither the log nor the snapshot had it yet.
    rest = files["optin.json.log"][len(unredacted) :]
    name = journal(filled).name
    restore(
        filled,
        files | {"optin.json.log": unredacted + rest, name: files[name] + framed(redo)},
    )
    assert b"Secret Name" in log(filled).read_bytes()
    assert not compaction_running.exists()

    with opened(filled):
        pass
    with opened(filled) as store, store.reading() as records:
        assert [e.redacted for e in records.log.entries(contact="c0", limit=9)] == [
            False,
            True,
            True,
        ]
    assert b"Secret Name" not in b"".join(contents(filled).values())


def _redactions(before: bytes, after: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    at = 0
    for old, new in zip(before.splitlines(True), after.splitlines(True), strict=False):
        if old != new:
            yield at, old, new
        at += len(old)
