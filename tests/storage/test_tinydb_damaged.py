"""Damaged, foreign, missing and replaced files: a refusal that names the file and leaves all as it is."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path

import pytest

from bot.consent.errors import Corrupt, StorageFailed
from storage.tinydb.snapshot import SCHEMA
from storage.tinydb.tinydb_store import TinyDBStore
from tests.support.tinydb_fixtures import (
    commit,
    contents,
    entries,
    journal,
    lines_of,
    log,
    newest,
    opened,
    restore,
)


def _refused(path: Path, files: dict[str, bytes], match: str) -> None:
    restore(path, files)
    with pytest.raises(Corrupt, match=match):
        TinyDBStore(path)

    assert contents(path) == files
    assert _open_files(path.parent) == []


def _open_files(folder: Path) -> list[str]:
    """Those of the folder that this process has open."""
    found = []
    for descriptor in Path("/dev/fd").iterdir():
        with suppress(FileNotFoundError):  # the one that lists them
            found.append(str(descriptor.readlink()))
    return [name for name in found if name.startswith(f"{folder}/")]


def test_any_flipped_bit_in_snapshot_or_journal_is_refused(filled: Path) -> None:
    before = contents(filled)
    for name in ("optin.json", journal(filled).name):
        for at in range(len(before[name])):
            damaged = bytearray(before[name])
            damaged[at] ^= 1 << at % 8
            _refused(filled, before | {name: bytes(damaged)}, re.escape(name))


def test_any_flipped_bit_in_the_log_is_seen_or_mended_or_says_the_same(filled: Path) -> None:
    before = contents(filled)
    said = entries(filled)
    title, *lines = lines_of(log(filled))
    mended = len(title) + sum(map(len, lines[:3]))
    for at in range(0, len(before["optin.json.log"]), 3):
        damaged = bytearray(before["optin.json.log"])
        damaged[at] ^= 1 << at % 8
        restore(filled, before | {"optin.json.log": bytes(damaged)})
        try:
            assert newest(filled) == 5
        except (Corrupt, AssertionError):
            assert at < mended
        else:
            assert entries(filled) == said
            assert at < mended or contents(filled) == before


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"{}",
        b"null",
        b"[1, 2]",
        b'{"_default": {"1": {"name": "another TinyDB"}}}',
        b'{"name": "package", "version": "1.0.0"}',
        b"id,name\n1,Ana\n",
        b"SQLite format 3\0",
        bytes(range(256)) * 20,
        b'{"optin":{"1":{"schema":1,"checksum":"00000000"',
        b'{"optin":{"1":{"schema":1,"checksum":"e3069283","store":',
    ],
)
def test_what_is_no_storage_of_ours_is_refused(filled: Path, data: bytes) -> None:
    _refused(filled, contents(filled) | {"optin.json": data}, r"optin\.json")


@pytest.mark.parametrize("part", [0.01, 0.2, 0.5, 0.9, 0.999])
def test_a_truncated_snapshot_is_refused(filled: Path, part: float) -> None:
    files = contents(filled)
    cut = files["optin.json"][: int(len(files["optin.json"]) * part)]
    _refused(filled, files | {"optin.json": cut}, r"optin\.json .*backup")


def test_a_newer_schema_is_refused(filled: Path) -> None:
    files = contents(filled)
    ours, theirs = (b'"schema":%d' % schema for schema in (SCHEMA, SCHEMA + 1))
    newer = files["optin.json"].replace(ours, theirs)
    assert newer != files["optin.json"]
    _refused(filled, files | {"optin.json": newer}, "another version of Optin")


def test_a_snapshot_that_another_program_rewrote_is_refused(filled: Path) -> None:
    files = contents(filled)
    rewritten = json.dumps(json.loads(files["optin.json"])).encode()
    _refused(filled, files | {"optin.json": rewritten}, r"optin\.json")


def test_missing_files_are_refused(filled: Path) -> None:
    files = contents(filled)
    for name in files:
        left = {n: d for n, d in files.items() if n != name}
        _refused(filled, left, re.escape(name))


def test_files_of_different_moments_are_refused(filled: Path) -> None:
    older = contents(filled)
    with opened(filled) as store:
        commit(store, 6)
        store.compact()
        commit(store, 7)
    newer = contents(filled)

    _refused(filled, newer | {"optin.json": older["optin.json"]}, "missing")
    _refused(filled, newer | {"optin.json.log": older["optin.json.log"]}, "log")
    # The journal lost its end, and the log shows it.
    lines = lines_of(filled.with_name("optin.json.journal.2"), newer["optin.json.journal.2"])
    _refused(filled, newer | {"optin.json.journal.2": lines[0]}, "ends before")


def test_a_good_line_behind_a_bad_one_is_not_thrown_away(filled: Path) -> None:
    files = contents(filled)
    name = journal(filled).name
    first, second, third = lines_of(journal(filled))
    _refused(filled, files | {name: first + second[:-20] + b"\n" + third}, "damaged")
    _refused(filled, files | {name: first + bytes(len(second)) + third}, "ends before")


@pytest.mark.parametrize("name", ["", ".log", ".lock", ".journal.1"])
@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_file_that_is_gone_or_another_stops_all_writing(
    filled: Path, name: str, how: str
) -> None:
    file = filled.with_name(filled.name + name)
    with opened(filled) as store:
        data = file.read_bytes()
        file.unlink()
        if how == "replaced":
            # The same beginning, as a backup of another storage would have.
            file.write_bytes(data.replace(b'"generation":1', b'"generation":0') + b" ")
        with pytest.raises(StorageFailed, match="replaced, removed or emptied"):
            commit(store, 6)
        with pytest.raises(StorageFailed, match="replaced, removed or emptied"):
            commit(store, 6)
