"""The key of the hashes that erasure leaves: no command works on a storage with another key."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.config import hash_key
from bot.consent.store import Store
from storage import open_store
from tests.support.cli_fixtures import Cli
from tests.support.storages import KINDS, path_in, url_of

ROOT = Path(__file__).parents[2]
GIVEN, OTHER = "g" * 40, "o" * 40
CONTACTS = "name,email,email_on,consent_source\nAna,ana@example.com,yes,Web form\n"
#: Every command that opens a storage.
COMMANDS = [
    ("status", "ana@example.com"),
    ("set", "bea@example.com", "--email", "no"),
    ("contact", "show", "bea@example.com"),
    ("contact", "add", "--name", "Cid", "--email", "cid@example.com"),
    ("case", "list"),
    ("activity",),
    ("import", "contacts.csv"),
    ("export",),
    ("erase", "bea@example.com", "--yes"),
    ("verify",),
    ("copy", "--to", "tinydb:///copy.json"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A storage in which Ana opted out and was erased."""

    cli: Cli
    url: str
    key_file: Path
    monkeypatch: pytest.MonkeyPatch

    def open(self) -> Store:
        return open_store(self.url)

    def give(self, key: str | None) -> None:
        if key is None:
            self.monkeypatch.delenv("OPTIN_HASH_KEY", raising=False)
        else:
            self.monkeypatch.setenv("OPTIN_HASH_KEY", key)

    def mark(self, name: str, *text: str | None) -> str | None:
        """What the mark is; then it becomes `text`."""
        with closing(self.open()) as store, store.transaction() as records:
            was = records.key_value.get(name)
            if text:
                records.key_value.put(name, text[0])
            return was

    def lose_key(self) -> None:
        """The key that Optin made is gone."""
        self.key_file.unlink(missing_ok=True)
        self.mark(hash_key.MARK, None)

    def as_before(self) -> None:
        """As a version left it that knew of no check value."""
        assert self.mark(hash_key.CHECK, None)

    def head(self) -> tuple[int, str]:
        with closing(self.open()) as store, store.reading() as records:
            return records.log.head()


@pytest.fixture(params=KINDS)
def make(
    request: pytest.FixtureRequest, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str | None], Kept]:
    def make(key: str | None) -> Kept:
        path = path_in(tmp_path / "storage", request.param)
        monkeypatch.setenv("OPTIN_STORAGE", url_of(path))
        kept = Kept(
            cli=cli,
            url=url_of(path),
            key_file=path.with_suffix(".hash-key"),
            monkeypatch=monkeypatch,
        )
        kept.give(key)
        file = cli.file(CONTACTS + "Bea,bea@example.com,yes,Web form\n")
        assert cli("import", file).status == 0
        done = cli("set", "ana@example.com", "--email", "no", "--reason", "Asked by phone")
        assert done.status == 0
        assert cli("erase", "ana@example.com", "--yes").status == 0
        cli.file(CONTACTS)
        return kept

    return make


@pytest.fixture
def kept(make: Callable[[str | None], Kept]) -> Kept:
    """With a key that Optin made."""
    return make(None)


def refused(kept: Kept, *command: str) -> str:
    """The sentence of a command that is refused, and changes nothing."""
    before = kept.head()
    done = kept.cli(*command)

    assert (done.status, done.out) == (2, "")
    assert kept.head() == before
    assert done.err.count("\n") == 1
    return done.err


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_works_without_the_key(kept: Kept, command: tuple[str, ...]) -> None:
    kept.lose_key()
    said = refused(kept, *command)

    assert "OPTIN_HASH_KEY is not set, and " in said
    assert "is missing" in said
    assert not kept.key_file.exists()
    assert kept.mark(hash_key.MARK) is None


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_works_with_another_key(kept: Kept, command: tuple[str, ...]) -> None:
    kept.give(OTHER)
    said = refused(kept, *command)

    assert "OPTIN_HASH_KEY is not the key that this storage was used with." in said
    assert OTHER not in said


def test_another_file_is_told_from_the_right_one(kept: Kept) -> None:
    if kept.key_file.exists():
        kept.key_file.write_text(OTHER)
        where = str(kept.key_file)
    else:
        kept.mark(hash_key.MARK, OTHER)
        where = "the mark hash-key of the database"
    said = refused(kept, "status", "bea@example.com")

    assert f"{where} is not the key" in said


@pytest.mark.parametrize("new", [None, OTHER])
def test_a_key_that_was_given_and_then_is_not_is_asked_for(
    make: Callable[[str | None], Kept], new: str | None
) -> None:
    kept = make(GIVEN)
    kept.give(new)

    assert "Set it to" in refused(kept, "status", "bea@example.com") or new is None
    kept.give(GIVEN)
    assert kept.cli("status", "bea@example.com").status == 0


def test_the_right_key_may_come_from_the_file_or_from_the_setting(kept: Kept) -> None:
    key = kept.key_file.read_text() if kept.key_file.exists() else kept.mark(hash_key.MARK)
    assert key is not None
    kept.lose_key()
    kept.give(key.strip())

    assert kept.cli("verify").status == 0
    done = kept.cli("import", "contacts.csv")
    assert done.status == 0
    assert kept.cli("status", "ana@example.com", "--json").json["email"]["on"] == "NO"


def test_the_bot_does_not_start_with_another_key(kept: Kept) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_SIGNING_SECRET": "8f742231b10e8888abcd99yyyzzz85a5",
        "SLACK_API_URL": "http://127.0.0.1:9/api/",
        "OPTIN_STORAGE": kept.url,
        "OPTIN_HASH_KEY": OTHER,
    }
    done = subprocess.run(
        [sys.executable, "-m", "bot", "serve", "--port", "0"],
        cwd=kept.cli.folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 2
    assert "OPTIN_HASH_KEY is not the key that this storage was used with." in done.stderr


@pytest.mark.parametrize("fault", ["lost", "another"])
def test_doctor_says_what_to_do(kept: Kept, fault: str) -> None:
    kept.monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)
    if fault == "lost":
        kept.lose_key()
    else:
        kept.give(OTHER)
    lines = kept.cli("doctor").out.splitlines()
    (number,) = [n for n, line in enumerate(lines) if line == "🔴 The storage can't be used."]

    assert "OPTIN_HASH_KEY" in lines[number + 1]


def test_a_storage_of_an_older_version_is_given_its_check_value(kept: Kept) -> None:
    right = kept.mark(hash_key.CHECK)
    kept.as_before()
    first = kept.cli("status", "bea@example.com").status
    given = kept.mark(hash_key.CHECK)
    kept.give(OTHER)

    assert (first, given) == (0, right)
    assert "is not the key" in refused(kept, "status", "bea@example.com")


def test_a_storage_of_an_older_version_with_hashes_and_no_key_gets_no_new_one(kept: Kept) -> None:
    kept.as_before()
    kept.lose_key()
    said = refused(kept, "import", "contacts.csv")

    assert "is missing" in said
    assert kept.mark(hash_key.CHECK) is None


def test_two_keys_in_a_storage_of_an_older_version_are_one_too_many(kept: Kept) -> None:
    kept.as_before()
    kept.give(OTHER)
    said = refused(kept, "import", "contacts.csv")

    assert "OPTIN_HASH_KEY is another key than the one in " in said
    assert kept.mark(hash_key.CHECK) is None


def test_an_older_storage_without_hashes_needs_no_key(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in KINDS:
        path = path_in(tmp_path / kind, kind)
        monkeypatch.setenv("OPTIN_STORAGE", url_of(path))
        with closing(open_store(url_of(path))):
            pass
        assert cli("import", cli.file(CONTACTS)).status == 0
        with closing(open_store(url_of(path))) as store, store.transaction() as records:
            records.key_value.put(hash_key.CHECK, None)
            records.key_value.put(hash_key.MARK, None)
        path.with_suffix(".hash-key").unlink(missing_ok=True)

        assert cli("status", "ana@example.com").status == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_has_the_same_check_value(kept: Kept, tmp_path: Path, kind: str) -> None:
    there = path_in(tmp_path / "there", kind)
    assert kept.cli("copy", "--to", url_of(there)).status == 0
    kept.monkeypatch.setenv("OPTIN_STORAGE", url_of(there))
    with closing(open_store(url_of(there))) as store, store.reading() as records:
        copied = records.key_value.get(hash_key.CHECK)

    assert copied == kept.mark(hash_key.CHECK)
    assert kept.cli("import", "contacts.csv").status == 0
    assert kept.cli("status", "ana@example.com", "--json").json["email"]["on"] == "NO"
    kept.give(OTHER)
    done = kept.cli("status", "ana@example.com")
    assert (done.status, "is not the key" in done.err) == (2, True)


def test_a_key_that_is_lost_for_good_is_given_up_by_name_and_on_the_record(kept: Kept) -> None:
    kept.lose_key()
    assert "`optin verify --accept-new-key`" in refused(kept, "activity")
    done = kept.cli("verify", "--accept-new-key")

    assert done.status == 0
    (newest, *_) = kept.cli("activity", "--json").json
    assert (newest["kind"], newest["reason"]) == (
        "note",
        "Accepted a new hash key: older hashes are not found any more",
    )
    assert newest["actor"].startswith("cli:")
    assert kept.cli("verify").status == 0


def test_the_check_value_tells_nothing_of_the_key(kept: Kept) -> None:
    value = kept.mark(hash_key.CHECK)

    assert value == hash_key.check_value(
        kept.key_file.read_text().strip().encode()
        if kept.key_file.exists()
        else (kept.mark(hash_key.MARK) or "").encode()
    )
    assert len(value or "") == 64
