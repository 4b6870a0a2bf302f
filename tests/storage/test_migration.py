"""From a storage that version 0.1.0 wrote to this version, on every kind of storage.

`tests/fixtures/storages/0.1.0/` holds one history with every state, written by the code of 0.1.0;
`history.md` there says what happened to each contact. The dry run prints one line for each answer
that changes: name · SMS or Email · before → after · reason.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sandbox.client import Workspace
from tests.support.cli_fixtures import Cli
from tests.support.forked_commands import ForkedCommand
from tests.support.postgres_fixtures import empty_database
from tests.support.storages import KINDS

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "storages"
HISTORY = FIXTURES / "0.1.0"
UNCHANGED = HISTORY / "unchanged"

CHANNELS = {"sms": "SMS", "email": "Email"}
#: What SQLite and the lock files of both file storages leave beside them.
_PASSING = ("-wal", "-shm", ".lock", ".turn")
_LINE = re.compile(
    r"^\s*(?P<name>.+?) · (?P<channel>SMS|Email) · (?P<before>\w+) → (?P<after>\w+) · (?P<why>.+)$"
)

Answers = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Old:
    """A storage of version 0.1.0 that a test may change."""

    kind: str
    url: str
    #: Of its files; empty for a database.
    folder: Path
    #: Where the files came from.
    source: Path
    expected: Mapping[str, Any]

    @property
    def changed(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Contact and channel, of the answers that change: before and after."""
        return {
            (name, channel): (told["before"][channel], told["after"][channel])
            for name, told in self.expected["contacts"].items()
            for channel in CHANNELS
            if told["before"][channel] != told["after"][channel]
        }

    def on_disk(self) -> object:
        """Everything that is stored, with the shape of the tables; the same for the same."""
        if self.kind == "postgresql":
            return _rows(self.url)
        beside = {
            str(file.relative_to(self.folder)): file.read_bytes()
            for file in sorted(self.folder.rglob("*"))
            if file.is_file() and not file.name.endswith(_PASSING)
        }
        if self.kind == "sqlite":
            del beside["optin.db"]
            return beside, _dumped(self.folder / "optin.db")
        return beside


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def old(kind: str, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Iterator[Old]:
    """The history with every state; commands work on it."""
    with ExitStack() as opened:
        yield _given(opened, kind, HISTORY, cli, monkeypatch)


@pytest.fixture
def unchanged(kind: str, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Iterator[Old]:
    """A history in which no answer changes."""
    with ExitStack() as opened:
        yield _given(opened, kind, UNCHANGED, cli, monkeypatch)


@pytest.mark.parametrize("history", [HISTORY, UNCHANGED], ids=["every state", "unchanged"])
def test_the_three_storages_of_0_1_0_hold_one_history(
    history: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = json.loads((history / "expected.json").read_text())
    newest = (expected["entries"], expected["head"])
    last = json.loads((history / "tinydb" / "optin.json.log").read_text().splitlines()[-1])
    with ExitStack() as opened:
        old = _given(opened, "postgresql", history, cli, monkeypatch)
        with psycopg.connect(old.url) as server:
            in_postgresql = server.execute("SELECT seq, hash FROM heads").fetchone()
    path = shutil.copy(history / "sqlite" / "optin.db", cli.folder)
    with closing(sqlite3.connect(path)) as file:
        in_sqlite = file.execute("SELECT seq, hash FROM heads").fetchone()

    assert (last["seq"], last["hash"]) == newest
    assert in_sqlite == newest
    assert in_postgresql == newest


def test_a_dry_run_lists_exactly_the_answers_that_change_with_their_reason(
    old: Old, cli: Cli
) -> None:
    done = cli("migrate", "--dry-run")

    assert (done.status, done.err) == (0, "")
    assert _listed(done.out) == old.changed


def test_a_dry_run_changes_nothing_on_disk(old: Old, cli: Cli) -> None:
    before = old.on_disk()
    assert cli("migrate", "--dry-run").status == 0

    assert old.on_disk() == before


def test_migrate_changes_the_answers_that_the_dry_run_lists_and_no_others(
    old: Old, cli: Cli
) -> None:
    done = cli("migrate")

    assert (done.status, done.err) == (0, "")
    after = {name: told["after"] for name, told in old.expected["contacts"].items()}
    assert _answers(cli) == after


def test_each_changed_answer_has_the_gate_that_explains_it(old: Old, cli: Cli) -> None:
    assert cli("migrate").status == 0

    gates = {
        name: {
            channel: {gate["code"] for gate in contact[channel]["gates"]} for channel in CHANNELS
        }
        for name, contact in _contacts(cli).items()
    }
    for name, told in old.expected["contacts"].items():
        for channel, codes in told.get("gates", {}).items():
            assert gates[name][channel] >= set(codes), name


def test_after_a_migration_the_chain_holds_and_the_log_still_has_every_entry(
    old: Old, cli: Cli
) -> None:
    assert cli("migrate").status == 0

    assert cli("verify").status == 0
    entries = _log(cli)
    assert entries[old.expected["entries"] - 1]["hash"] == old.expected["head"]


def test_each_changed_contact_gets_exactly_one_entry_by_the_system(old: Old, cli: Cli) -> None:
    assert cli("migrate").status == 0

    added = _log(cli)[old.expected["entries"] :]
    # What is added is told in the name of whoever said it: the contact, or the provider.
    actors = {entry["actor"].partition(":")[0] for entry in added}
    assert actors == {"contact", "provider", "system"}
    by_system = Counter(entry["contact"] for entry in added if entry["actor"] == "system")
    ids = {name: contact["contact"]["id"] for name, contact in _contacts(cli).items()}
    assert by_system == Counter(ids[name] for name in {name for name, _ in old.changed})


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "postgresql"])
def test_the_files_are_copied_before_they_are_migrated(old: Old, cli: Cli) -> None:
    assert cli("migrate").status == 0

    live = {old.folder / file.name for file in old.source.iterdir()}
    beside = [f for f in cli.folder.rglob("*") if f.is_file() and f not in live]
    for written in old.source.iterdir():
        if written.suffix != ".hash-key":
            copies = [file for file in beside if _same(file, written)]
            assert len(copies) == 1, written.name
            assert copies[0].stat().st_mode & 0o077 == 0


def test_no_opt_out_is_lost_for_those_who_hold_the_address(old: Old, cli: Cli) -> None:
    assert cli("migrate").status == 0

    refused = {_key(address): names for address, names in old.expected["refused"].items()}
    for name, contact in _contacts(cli).items():
        for channel, field in (("sms", "phone"), ("email", "email")):
            address = contact["contact"][field]
            completed = refused.get(_key(address)) if address else None
            if completed is not None and name not in completed:
                assert contact[channel]["answer"] != "yes", name


def test_no_opt_out_is_lost_for_whoever_appears_with_the_address(old: Old, cli: Cli) -> None:
    assert cli("migrate").status == 0

    kept = dict.fromkeys(old.expected["refused"], "opt-out")
    kept |= {unheld["address"]: unheld["kept"] for unheld in old.expected["unheld"]}
    for number, (address, what) in enumerate(kept.items()):
        name = f"Newcomer {number:03}"
        channel, option = ("email", "--email") if "@" in address else ("sms", "--phone")
        assert cli("contact", "add", "--name", name, option, address).status == 0
        assert cli("status", name, "--json").json[channel]["answer"] != "yes", address
        permission = ("--reason", "Asked in person", "--evidence", "A form signed today")
        done = cli("set", name, f"--{channel}", "yes", *permission)
        if what == "opt-out":
            assert done.status == 1, address
        assert cli("status", name, "--json").json[channel]["answer"] != "yes", address
    assert cli("verify").status == 0


def test_to_migrate_twice_changes_nothing_more(old: Old, cli: Cli) -> None:
    assert cli("migrate").status == 0
    before, entries = old.on_disk(), _log(cli)
    again, dry = cli("migrate"), cli("migrate", "--dry-run")

    assert (again.status, dry.status) == (0, 0)
    assert _listed(again.out) == _listed(dry.out) == {}
    assert _log(cli) == entries
    assert old.on_disk() == before


def test_serve_refuses_where_an_answer_would_change_and_names_the_command(
    old: Old, cli: Cli
) -> None:
    before = old.on_disk()
    with _serving(old, cli) as process:
        assert process.stderr
        first = process.stderr.readline()
        assert "`optin migrate" in first
        assert process.stderr.read() == ""
        assert process.wait(timeout=60) in (1, 2)

    assert old.on_disk() == before


def test_serve_migrates_by_itself_where_no_answer_changes(unchanged: Old, cli: Cli) -> None:
    with _serving(unchanged, cli) as process:
        assert process.stderr
        said = process.stderr.readline()
        while said and "Optin listens at" not in said:
            said = process.stderr.readline()
        assert said
        process.terminate()
        process.stderr.read()
        process.wait(timeout=60)

    assert _migrated(unchanged)
    after = {name: told["after"] for name, told in unchanged.expected["contacts"].items()}
    assert _answers(cli) == after
    assert cli("verify").status == 0
    assert _listed(cli("migrate", "--dry-run").out) == {}


def test_version_0_1_0_would_refuse_the_migrated_storage_with_a_sentence(
    old: Old, cli: Cli
) -> None:
    assert not _migrated(old)
    assert cli("migrate").status == 0

    assert _migrated(old)


def _given(
    opened: ExitStack, kind: str, history: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> Old:
    folder, source = cli.folder / "storage", history / kind
    if kind == "postgresql":
        url = opened.enter_context(empty_database())
        with psycopg.connect(url, autocommit=True) as server:
            server.execute((history / "postgresql.sql").read_bytes())
    else:
        shutil.copytree(source, folder)
        folder.chmod(0o700)
        for file in folder.iterdir():
            file.chmod(0o600)
        name = "optin.json" if kind == "tinydb" else "optin.db"
        url = f"{kind}:///{folder / name}"
    monkeypatch.setenv("OPTIN_STORAGE", url)
    monkeypatch.setenv("OPTIN_SENDERS", str(FIXTURES / "senders.toml"))
    expected = json.loads((history / "expected.json").read_text())
    return Old(kind=kind, url=url, folder=folder, source=source, expected=expected)


@contextmanager
def _serving(old: Old, cli: Cli) -> Iterator[ForkedCommand]:
    """`optin serve` on this storage, as a process; it is gone when the block ends."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("OPTIN_")}
    with Workspace.start(mode="socket") as workspace:
        env |= {
            "PYTHONPATH": str(ROOT),
            "OPTIN_STORAGE": old.url,
            "OPTIN_SENDERS": str(FIXTURES / "senders.toml"),
            "SLACK_API_URL": workspace.api_url,
            "SLACK_BOT_TOKEN": workspace.bot_token,
            "SLACK_APP_TOKEN": workspace.app_token,
        }
        with ForkedCommand(["serve", "--port", "0"], folder=cli.folder, env=env) as process:
            try:
                yield process
            finally:
                process.kill()


def _listed(out: str) -> dict[tuple[str, str], tuple[str, str]]:
    """The changes that a run lists, each once."""
    channels = {word: channel for channel, word in CHANNELS.items()}
    found = [line for line in map(_LINE.match, out.splitlines()) if line]
    listed = {
        (line["name"], channels[line["channel"]]): (line["before"], line["after"]) for line in found
    }
    assert len(listed) == len(found)
    return listed


def _contacts(cli: Cli) -> dict[str, Any]:
    """By name, in the shape of `optin status --json`."""
    done = cli("export", "--format", "json")
    assert done.status == 0, done.err
    return {contact["contact"]["name"]: contact for contact in done.json}


def _answers(cli: Cli) -> Answers:
    return {
        name: {channel: contact[channel]["answer"] for channel in CHANNELS}
        for name, contact in _contacts(cli).items()
    }


def _log(cli: Cli) -> list[dict[str, Any]]:
    """Oldest first."""
    entries: list[dict[str, Any]] = cli("activity", "--json", "--limit", "100000").json
    return entries[::-1]


def _key(address: str) -> str:
    """The same for the spellings of one address that the history has."""
    if "@" in address:
        local, _, domain = address.lower().partition("@")
        return f"{local}@{domain.encode('idna').decode()}"
    return re.sub(r"^\+549", "+54", re.sub(r"^\+521(?=\d{10}$)", "+52", address))


def _same(copy: Path, written: Path) -> bool:
    """Whether it is this file as version 0.1.0 left it; a SQLite file may have other pages."""
    data = copy.read_bytes()
    if data == written.read_bytes():
        return True
    sqlite = data.startswith(b"SQLite format 3\0") and written.suffix == ".db"
    return sqlite and _dumped(copy) == _dumped(written)


def _migrated(old: Old) -> bool:
    """Whether version 0.1.0 refuses it, and says that it is of another version.

    TinyDB: 0.1.0 takes the schema out of the first bytes of the snapshot, and reads schema 1 alone;
    a file that begins otherwise it calls damaged. Databases: 0.1.0 refuses each version of the
    tables that sorts behind its own, "0003".
    """
    if old.kind == "tinydb":
        data = (old.folder / "optin.json").read_bytes()
        begins = re.match(rb'\{"optin":\{"1":\{"schema":(\d{1,9}),"checksum":"([0-9a-f]{8})"', data)
        assert begins, data[:60]
        return int(begins[1]) > 1
    sql = "SELECT version_num FROM alembic_version"
    if old.kind == "sqlite":
        with closing(sqlite3.connect(old.folder / "optin.db")) as file:
            (version,) = file.execute(sql).fetchone()
    else:
        with psycopg.connect(old.url) as server:
            (version,) = server.execute(sql).fetchone() or ("",)
    return str(version) > "0003"


def _dumped(path: Path) -> list[str]:
    """Everything in a SQLite file, opened as a copy so that the file stays as it is."""
    with closing(sqlite3.connect(":memory:")) as copy:
        with closing(sqlite3.connect(path)) as file:
            file.backup(copy)
        return list(copy.iterdump())


def _rows(url: str) -> list[str]:
    with psycopg.connect(url, autocommit=True) as server:
        tables = server.execute(
            "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        ).fetchall()
        columns = server.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = 'public' ORDER BY 1, 2"
        ).fetchall()
        return [
            *map(str, columns),
            *(
                f"{table}: {row}"
                for (table,) in tables
                for (row,) in server.execute(
                    f"SELECT {table}::text FROM {table} ORDER BY 1"  # type: ignore[call-overload]
                )
            ),
        ]
