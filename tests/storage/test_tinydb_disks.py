"""Full disks, read-only disks and disks that fail: one sentence, and nothing lost."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.consent.errors import StorageFailed
from bot.consent.log.chain import GENESIS, holds
from storage.tinydb.tinydb_store import TinyDBStore
from tests.support.tinydb_fixtures import (
    commit,
    commit_all,
    contents,
    fill,
    newest,
    opened,
)


def test_files_are_for_their_owner_alone(filled: Path) -> None:
    with opened(filled) as store:
        store.compact()
        commit(store, 6)

    for file in filled.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Mounts a file system of 1 MB over the folder; only root can."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(*options: str) -> None:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)], capture_output=True
        )
        if done.returncode:
            pytest.skip("only root can mount a small disk")

    mount("-o", "size=1m")
    yield mount
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_refuses_in_a_sentence_and_loses_nothing(
    small_disk: Callable[..., None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "disk/optin.json"
    with opened(path) as store:
        for number in range(1, 30):
            commit(store, number, "x" * 500)
        with pytest.raises(StorageFailed, match="disk is full"):
            commit_all(store, range(30, 3000), "x" * 500)
        with store.reading() as records:
            stored = records.log.head()[0]
        assert 200 < stored < 3000
        with pytest.raises(StorageFailed, match="disk is full"):
            commit(store, stored + 1, "x" * 20_000)
        with store.reading() as records:
            assert records.log.head()[0] == stored
            assert len(list(records.log.all())) == stored
    shutil.copytree(path.parent, tmp_path / "roomy")

    assert newest(tmp_path / "roomy/optin.json") == stored
    subprocess.run(["mount", "-o", "remount,size=4m", str(path.parent)], check=True)
    with opened(path) as store:
        commit(store, stored + 1)
        store.compact()
    assert newest(path) == stored + 1


def test_a_store_goes_on_when_there_is_room_again(
    small_disk: Callable[..., None], tmp_path: Path
) -> None:
    path = tmp_path / "disk/optin.json"
    filler = path.with_name("filler")
    with opened(path) as store:
        commit(store, 1)
        fill(filler)
        for _ in range(3):
            with pytest.raises(StorageFailed, match="disk is full"):
                commit(store, 2, "x" * 9000)
        filler.unlink()
        commit(store, 2, "x" * 9000)
        commit(store, 3)

    assert newest(path) == 3


def test_threads_on_a_full_disk_are_told_the_truth(
    small_disk: Callable[..., None], tmp_path: Path
) -> None:
    """Each is told that its own is stored, or that it is not; what is stored is what was told."""
    path = tmp_path / "disk/optin.json"
    stored: list[int] = []
    refused: list[int] = []

    def work(first: int) -> None:
        for number in range(first, first + 120):
            try:
                commit(store, number, "x" * 900, among=8000)
            except StorageFailed:
                refused.append(number)
            else:
                stored.append(number)

    with opened(path) as store:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(0, 8000, 1000)))
        with store.reading() as records:
            now = sorted(contact.version for contact in records.contacts.all())
            log = sorted(entry.version for entry in records.log.all())
        assert now == log == sorted(stored)
        assert len(refused) > 100
    shutil.copytree(path.parent, tmp_path / "roomy")
    with opened(tmp_path / "roomy/optin.json") as store, store.reading() as records:
        assert sorted(contact.version for contact in records.contacts.all()) == sorted(stored)
        previous = GENESIS
        for entry in records.log.all():
            assert holds(entry, previous)
            previous = entry.hash


def test_a_read_only_disk_is_said_and_still_read(
    small_disk: Callable[..., None], tmp_path: Path
) -> None:
    path = tmp_path / "disk/optin.json"
    with opened(path) as store:
        commit(store, 1)
    subprocess.run(["mount", "-o", "remount,ro", str(path.parent)], check=True)
    before = contents(path)

    with pytest.raises(StorageFailed, match="Read-only"):
        TinyDBStore(path)
    assert contents(path) == before


LIMITED = """
import sys
from pathlib import Path
from tests.support.tinydb_fixtures import commit
from bot.consent.log.chain import GENESIS, holds
from bot.consent.errors import StorageFailed
from storage.tinydb.tinydb_store import TinyDBStore
store = TinyDBStore(Path(sys.argv[1]))
number = int(sys.argv[2])
try:
    while True:
        commit(store, number, "x" * 300)
        number += 1
except StorageFailed as failure:
    with store.reading() as records:
        print(records.log.head()[0], failure.sentence)
"""


def test_a_file_that_may_not_grow_refuses_and_loses_nothing(filled: Path) -> None:
    """The limit of a file's size stands for a full disk where nobody can mount one."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(filled), "6"],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=limit,
    )
    stored, sentence = done.stdout.split(maxsplit=1)

    assert sentence.strip() == "The storage may not grow any further here, so nothing was changed."
    assert newest(filled) == int(stored) > 6


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_after_a_failed_sync_nothing_more_is_taken(filled: Path) -> None:
    script = """
import sys
from pathlib import Path
from tests.support.tinydb_fixtures import commit
from bot.consent.log.chain import GENESIS, holds
from bot.consent.errors import StorageFailed
from storage.tinydb.tinydb_store import TinyDBStore
store = TinyDBStore(Path(sys.argv[1]))
for number in (6, 7, 7):
    try:
        commit(store, number)
        print("stored")
    except StorageFailed as failure:
        print(failure.sentence)
try:
    with store.reading() as records:
        print("read")
except StorageFailed as failure:
    print(failure.sentence)
"""
    with opened(filled) as store:
        store.compact()
    inject = "inject=fdatasync:error=EIO:when=2"
    done = subprocess.run(
        [
            *("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", inject),
            *(sys.executable, "-c", script, str(filled)),
        ],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
    )
    if "ptrace" in done.stderr:
        pytest.skip("strace may not trace here")
    first, *others = done.stdout.splitlines()

    assert first == "stored"
    assert len(others) == 3
    assert all("until Optin is restarted" in other for other in others)
    assert newest(filled) == 6
