"""Races on PostgreSQL that are lost by whoever takes locks in another order: approvals, STOPs and
the telling of alerts at the same moment, from processes of their own. Nobody is a deadlock's
victim, least of all a STOP.

Who wins each of them is in test_case_races.py.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from bot.consent.model import ConsentValue
from bot.consent.use_cases import Service, verify
from bot.consent.use_cases.alerts.outbox import claim
from bot.consent.use_cases.alerts.settle import Posting, Result, settle
from bot.runtime.clock import Stopped
from tests.support.case_races import ROUNDS, Round, in_processes
from tests.support.consent_fixtures import NOW, open_service
from tests.support.storages import path_in, url_of
from tests.support.store_fixtures import OPEN

CHANNEL = "C0ALERTS"
_SENT = Posting(result=Result.SENT, ts="1.0")
_LATER = Posting(result=Result.LATER, wait=timedelta(0))


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    return path_in(tmp_path / "storage", "postgresql")


def deadlocks(storage: Path) -> int:
    """So many that the server has broken up in this database."""
    with psycopg.connect(url_of(storage), autocommit=True) as server:
        (count,) = server.execute(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone() or (0,)
    return int(count)


def deadlock(storage: Path) -> None:
    """One that is, on purpose: two sessions take two locks, each in another order."""
    with (
        psycopg.connect(url_of(storage)) as one,
        psycopg.connect(url_of(storage)) as other,
    ):
        one.execute("SELECT pg_advisory_xact_lock(1)")
        other.execute("SELECT pg_advisory_xact_lock(2)")
        crossing = threading.Thread(target=_wait_for, args=(one, 2))
        crossing.start()
        _wait_for(other, 1)
        crossing.join()


def _wait_for(session: psycopg.Connection, lock: int) -> None:
    with suppress(psycopg.errors.DeadlockDetected):
        session.execute("SELECT pg_advisory_xact_lock(%s)", [lock])
    session.rollback()


@contextmanager
def telling(storage: Path) -> Iterator[Counter[Result]]:
    """Somebody who claims alerts and settles them, all the time: what they did."""
    over = threading.Event()
    done: Counter[Result] = Counter()

    def work(service: Service) -> None:
        while not over.is_set():
            if alert := claim(service, OPEN):
                # Each is put off once, so that it is claimed again.
                posting = _SENT if alert.delivery.attempts > 1 else _LATER
                settle(service, alert, posting)
                done[posting.result] += 1

    services = [open_service(storage, Stopped(NOW + timedelta(days=9))) for _ in range(2)]
    workers = [threading.Thread(target=work, args=(service,)) for service in services]
    for worker in workers:
        worker.start()
    try:
        yield done
    finally:
        over.set()
        for worker in workers:
            worker.join()
        for service in services:
            service.store.close()


def test_a_deadlock_would_be_seen(storage: Path) -> None:
    before = deadlocks(storage)
    deadlock(storage)
    # Each session reports at its end, which is soon.
    while deadlocks(storage) == before:
        pass

    assert deadlocks(storage) == before + 1


@pytest.mark.parametrize("words", ["STOP", "stop all"])
def test_an_approval_a_stop_and_whoever_tells_of_them_never_wait_for_one_another(
    storage: Path, words: str
) -> None:
    before = deadlocks(storage)
    clock = Stopped(NOW)
    service = replace(open_service(storage, clock), alert_channel=CHANNEL, approval_channel=CHANNEL)
    race_in = contextmanager(in_processes)
    with closing(service.store), telling(storage) as told, race_in(storage, CHANNEL) as race:
        for number in range(ROUNDS):
            (one,) = Round.with_refusals(service, clock, "stop all", [number])
            one.asked()
            approved, stopped = race(one.order("approve"), one.text(words))

            assert "refused" not in approved | stopped
            assert one.on is ConsentValue.NO
        problem = verify(service).problem

    assert deadlocks(storage) == before
    assert problem is None
    assert told[Result.SENT]
