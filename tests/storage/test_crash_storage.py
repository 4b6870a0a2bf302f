"""Processes killed at random moments, in the middle of commits and compactions: nothing that was
acknowledged is lost, the chain is whole, and the state is the fold of the log.

`OPTIN_CRASH_RUNS` says how many times (20 by default; `make crash` does 200).
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from itertools import groupby
from pathlib import Path

import pytest

from storage import open_store
from tests.support.crash_checks import Acknowledged, check
from tests.support.forked_processes import ForkedProcess
from tests.support.storages import KINDS, path_in, url_of
from tests.support.store_worker import SHARED, prepare
from tests.support.store_worker import main as work_on

pytestmark = pytest.mark.crash

RUNS = int(os.environ.get("OPTIN_CRASH_RUNS", "20"))
#: Then a new storage is begun, so that checking it stays quick.
RUNS_EACH = 10


def start(url: str, name: str, *, seed: int, threads: int, turns: int) -> ForkedProcess:
    return ForkedProcess(work_on, url, name, str(seed), str(threads), str(turns))


def acknowledged(worker: ForkedProcess) -> Acknowledged:
    """All that it was told is stored. A killed one may leave half a line."""
    return [
        (int(line.split()[0]), line.split()[1].decode())
        for line in worker.finish()
        if line.endswith(b"\n")
    ]


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return url_of(path_in(tmp_path, request.param))


@pytest.mark.timeout(60 + 20 * RUNS)
@pytest.mark.parametrize("first", range(0, RUNS, RUNS_EACH))
def test_a_kill_at_any_moment_loses_nothing_acknowledged(url: str, first: int) -> None:
    chance = random.Random(first)
    store = open_store(url)
    prepare(store)
    store.close()
    told: Acknowledged = []
    for run in range(first, min(first + RUNS_EACH, RUNS)):
        # Two processes at once in every third run, the second of them killed a little later.
        workers = [
            start(url, f"run{run}-{number}", seed=run, threads=1 + run % 3, turns=10**6)
            for number in range(2 if run % 3 == 2 else 1)
        ]
        for worker in workers:
            begun = worker.stdout.readline().split()
            told.append((int(begun[0]), begun[1].decode()))
        for worker in workers:
            time.sleep(chance.uniform(0.0, 0.25))
            worker.send_signal(signal.SIGKILL)
        for worker in workers:
            told += acknowledged(worker)
            assert worker.returncode == -signal.SIGKILL
        store = open_store(url)
        check(store, told)
        store.close()

    assert len(told) > RUNS_EACH / 2


def test_one_goes_on_where_another_is_killed(url: str) -> None:
    store = open_store(url)
    prepare(store)
    going_on = start(url, "on", seed=1, threads=2, turns=150)
    told: Acknowledged = []
    for run in range(4):
        killed = start(url, f"killed{run}", seed=run, threads=2, turns=10**6)
        begun = killed.stdout.readline().split()
        told.append((int(begun[0]), begun[1].decode()))
        time.sleep(0.05)
        killed.kill()
        told += acknowledged(killed)
        check(store, told)
    told += acknowledged(going_on)

    assert going_on.returncode == 0
    assert check(store, told) > 300
    store.close()


def test_sixteen_threads_in_two_processes_lose_no_update(url: str) -> None:
    store = open_store(url)
    prepare(store)
    workers = [start(url, f"p{number}", seed=number, threads=8, turns=40) for number in range(2)]
    told = [line for worker in workers for line in acknowledged(worker)]

    assert [worker.returncode for worker in workers] == [0, 0]
    assert len(told) == 2 * 8 * 40
    check(store, told)
    with store.reading() as records:
        flips = Counter(entry.contact for entry in records.log.all() if entry.before)
        for id in SHARED:
            contact = records.contacts.get(id)
            assert contact is not None
            assert contact.version == 1 + flips[id]
    store.close()


def test_two_processes_take_turns(url: str) -> None:
    """Neither is kept waiting while the other never pauses."""
    store = open_store(url)
    prepare(store)
    store.close()
    workers = [start(url, f"p{number}", seed=7, threads=4, turns=10**6) for number in range(2)]
    for worker in workers:
        worker.stdout.readline()
    time.sleep(1.5)
    for worker in workers:
        worker.kill()
    counts = [len(acknowledged(worker)) for worker in workers]
    store = open_store(url)
    with store.reading() as records:
        turns = [name for name, _ in groupby(entry.id[:2] for entry in records.log.all())]
    store.close()

    assert min(counts) > 0.2 * max(counts)
    assert len(turns) > 25
