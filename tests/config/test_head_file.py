"""The head file: what it remembers, of which storage, and what it never does."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.config.head_file import HeadFile, storage_key
from bot.config.settings import Settings, SettingsError
from bot.consent.storage_behind import RememberedHead
from tests.support.forked_processes import ForkedProcess

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
HEAD = RememberedHead(log="a" * 32, size=7, chain="b" * 64, at=NOON, where="optin.heads")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "optin.heads"


def test_head_is_read_back_by_another_process(path: Path) -> None:
    HeadFile(path, "1").remember(HEAD)

    assert HeadFile(path, "1").read() == HEAD
    assert path.stat().st_size == 256
    assert path.stat().st_mode & 0o077 == 0


def test_file_that_does_not_exist_remembers_nothing(path: Path) -> None:
    assert HeadFile(path, "1").read() is None
    assert not path.exists()


def test_smaller_head_does_not_replace_a_larger_one(path: Path) -> None:
    file = HeadFile(path, "1")
    file.remember(HEAD)
    file.remember(replace(HEAD, size=6, chain="c" * 64))

    assert file.read() == HEAD


def test_accepted_head_replaces_a_larger_one(path: Path) -> None:
    file, smaller = HeadFile(path, "1"), replace(HEAD, size=6, at=NOON + timedelta(days=1))
    file.remember(HEAD)
    file.replace(smaller)

    assert file.read() == smaller


def test_each_storage_has_a_record_of_its_own(path: Path) -> None:
    other = replace(HEAD, size=2)
    HeadFile(path, "1").remember(HEAD)
    HeadFile(path, "2").remember(other)
    HeadFile(path, "1").remember(replace(HEAD, size=8))

    assert [HeadFile(path, name).read() for name in "12"] == [replace(HEAD, size=8), other]


def test_torn_record_is_no_head_and_others_stay(path: Path) -> None:
    HeadFile(path, "1").remember(HEAD)
    HeadFile(path, "2").remember(HEAD)
    whole = path.read_bytes()
    path.write_bytes(whole[:300])

    assert HeadFile(path, "1").read() == HEAD
    assert HeadFile(path, "2").read() is None
    HeadFile(path, "2").remember(HEAD)
    assert path.read_bytes() == whole


def test_every_changed_byte_of_a_record_is_found(path: Path) -> None:
    HeadFile(path, "1").remember(HEAD)
    whole = path.read_bytes()
    for place in range(255):  # the last one ends the line
        changed = bytearray(whole)
        changed[place] ^= 1
        path.write_bytes(changed)

        assert HeadFile(path, "1").read() is None, place


def test_file_that_was_removed_is_made_anew(path: Path) -> None:
    file = HeadFile(path, "1")
    file.remember(HEAD)
    path.unlink()
    file.remember(HEAD)

    assert file.read() == HEAD


def test_file_of_something_else_is_left_as_it_is(path: Path) -> None:
    path.write_text("Optin log head 1\n" * 40)
    before = path.read_bytes()
    with pytest.raises(OSError, match="not a file of heads"):
        HeadFile(path, "1").remember(HEAD)

    assert path.read_bytes() == before


def test_two_processes_that_write_at_once_leave_the_largest_head(path: Path) -> None:
    processes = [ForkedProcess(remember_many, str(path), start) for start in (1, 2)]
    for process in processes:
        process.finish()
    found = HeadFile(path, "1").read()

    assert found is not None
    assert found.size in (1_999, 2_000)


def remember_many(path: str, start: int) -> None:
    file = HeadFile(Path(path), "1")
    for size in range(start, 2_001, 2):
        while not file.remember(replace(HEAD, size=size)):
            pass


def test_record_gets_its_log_and_keeps_it(path: Path) -> None:
    unnamed = replace(HEAD, log="")
    for head in (unnamed, HEAD):
        HeadFile(path, "1").remember(head)

    assert HeadFile(path, "1").read() == HEAD
    HeadFile(path, "1").remember(replace(unnamed, size=8))
    assert HeadFile(path, "1").read() == replace(HEAD, size=8)


def test_others_are_all_records_but_the_own_one_and_those_of_no_log(path: Path) -> None:
    HeadFile(path, "1").remember(HEAD)
    HeadFile(path, "2").remember(replace(HEAD, size=9))
    HeadFile(path, "3").remember(replace(HEAD, log=""))
    (other,) = HeadFile(path, "1").others()

    assert (other.log, other.size) == (HEAD.log, 9)
    assert other.where == "optin.heads (the same log at another address)"


@pytest.mark.parametrize("mode", [0o444, 0o000])
def test_file_that_this_user_may_not_write_is_not_usable(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "heads").touch(mode)
    ForkedProcess(require_denied, str(tmp_path), "heads").finish()


def test_folder_that_this_user_may_not_write_is_not_usable(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    ForkedProcess(require_denied, str(tmp_path), "heads").finish()


def require_denied(folder: str, name: str) -> None:
    os.chdir(folder)  # the folders above it are closed to others
    if os.geteuid() == 0:
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
    with pytest.raises(PermissionError):
        HeadFile(Path(name), "1").require_usable()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("postgresql://a:b@db:5432/optin", "postgresql://a:c@db:5432/optin"),
        ("postgresql://a:b@db:5432/optin", "postgresql://x:a@b@DB:5432/optin"),
        ("tinydb:///data/optin.json", "tinydb:///./data/optin.json"),
    ],
)
def test_storage_is_the_same_whatever_its_user_and_password(one: str, other: str) -> None:
    assert storage_key(one, Path.cwd()) == storage_key(other, Path.cwd())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("postgresql://db/optin", "postgresql://db/optin2"),
        ("postgresql:///optin?host=/a", "postgresql:///optin?host=/b"),
        ("tinydb:///data/optin.json", "sqlite:///data/optin.json"),
        ("sqlite:///data/optin.db", "sqlite:////data/optin.db"),
    ],
)
def test_different_storages_have_different_records(one: str, other: str) -> None:
    assert storage_key(one, Path.cwd()) != storage_key(other, Path.cwd())


def test_folder_with_its_storage_can_be_moved(tmp_path: Path) -> None:
    keys = {
        storage_key(f"tinydb:///{tmp_path}/{place}/data/optin.json", tmp_path / place)
        for place in ("old", "new")
    }

    assert len(keys) == 1


def test_the_head_file_is_no_witness(tmp_path: Path) -> None:
    settings = Settings.read({"OPTIN_WITNESSES": f"file://{tmp_path}/optin.heads"})

    with pytest.raises(SettingsError, match=r"optin\.heads, which is the head file: name another"):
        settings.beside(tmp_path)
