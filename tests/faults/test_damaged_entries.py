"""A stored document that is damaged: the commands say which, in a sentence."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.cli import main
from bot.consent.use_cases.contacts import Details, add
from bot.runtime import clock
from tests.support.consent_fixtures import OPERATOR, open_service
from tests.support.storages import path_in, url_of

DAMAGES = {
    "cut": "substr(document, 1, 40)",
    "no JSON": "'x' || substr(document, 2)",
    "no text": "CAST(x'fffe' || substr(document, 3) AS TEXT)",
    "a number": "7",
    "another type": "'[]'",
    "bytes": "CAST(document AS BLOB) || x'00'",
}


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    path = path_in(tmp_path, "sqlite")
    service = open_service(path, clock.now)
    for number in range(5):
        add(service, Details(name=f"Dana {number}", phone=f"+1415555010{number}"), OPERATOR)
    service.store.close()
    return path


def damaged(path: Path, table: str, change: str, where: str) -> None:
    """As a disk does it, which knows nothing of the triggers."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            database.execute(f"DROP TRIGGER {name}")
        done = database.execute(f"UPDATE {table} SET document = {change} WHERE {where}")
        assert done.rowcount == 1


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("command", [["verify"], ["activity"], ["status", "Dana 2"]], ids=str)
def test_a_damaged_entry_is_named(
    storage: Path,
    damage: str,
    command: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(storage.parent)
    monkeypatch.setenv("OPTIN_STORAGE", url_of(storage))
    damaged(storage, "entries", DAMAGES[damage], "seq = 3")

    status = main(command)
    told = capsys.readouterr()

    assert status == 1
    assert "Entry 3 of the Activity Log is damaged" in told.err
    assert "Dana" not in told.err
    assert "Traceback" not in told.err


@pytest.mark.parametrize("damage", ["cut", "no text", "another type"])
def test_a_damaged_contact_is_a_sentence(
    storage: Path,
    damage: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(storage.parent)
    monkeypatch.setenv("OPTIN_STORAGE", url_of(storage))
    damaged(storage, "contacts", DAMAGES[damage], "phone = '+14155550102'")

    status = main(["verify"])
    told = capsys.readouterr()

    assert status == 1
    assert "damaged" in told.err
    assert "untouched" in told.err
    assert "Dana" not in told.err
