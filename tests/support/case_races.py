"""Rounds of a race between processes for one case."""

from __future__ import annotations

import atexit
import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from bot.consent.cases import Case, CaseState
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import Channel, ConsentValue, Contact
from bot.consent.use_cases import (
    CaseRequest,
    Details,
    Service,
    StatusUpdate,
    add,
    change,
    request,
)
from bot.consent.use_cases.ingest import ingest
from bot.runtime.clock import Stopped
from tests.support.case_worker import Order, carry_out
from tests.support.cases_fixtures import case_of, steps
from tests.support.consent_fixtures import AGENT, told
from tests.support.storages import url_of
from tests.support.take_fixtures import text

#: Of each pair; every second one is started the other way round.
ROUNDS = 50
ROOT = Path(__file__).resolve().parents[2]
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
YES = StatusUpdate(sms=ConsentValue.YES, evidence="the form of Ana")
ANA, BO = "slack:U0ANA", "slack:U0BO"
Result = dict[str, Any]
#: Carries two orders out at the same moment; what came of each.
Race = Callable[[Order, Order], tuple[Result, Result]]
_turns = itertools.cycle([(0, 1), (1, 0)])


def both_at_once(run: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=run, args=(n,)) for n in next(_turns)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def in_threads(service: Service) -> Iterator[Race]:
    def race(*orders: Order) -> tuple[Result, Result]:
        start = threading.Barrier(2)
        results: list[Result] = [{}, {}]

        def run(n: int) -> None:
            start.wait()
            results[n] = carry_out(service, orders[n])

        both_at_once(run)
        return results[0], results[1]

    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # else one is done before the other has begun
    yield race
    sys.setswitchinterval(usual)


def in_processes(path: Path, channel: str | None = None) -> Iterator[Race]:
    """The two processes live as long as this one: a start takes longer than a whole race."""
    workers = _workers()
    opening: Order = {"do": "open", "url": url_of(path), "channel": channel}
    for worker in workers:
        _carry_out(worker, opening)

    def race(*orders: Order) -> tuple[Result, Result]:
        start = threading.Barrier(2)
        results: list[Result] = [{}, {}]

        def run(n: int) -> None:
            start.wait()
            results[n] = _carry_out(workers[n], orders[n])

        both_at_once(run)
        return results[0], results[1]

    yield race
    for worker in workers:
        _carry_out(worker, {"do": "close"})


def _carry_out(worker: subprocess.Popen[str], order: Order) -> Result:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(json.dumps(order) + "\n")
    worker.stdin.flush()
    result: Result = json.loads(worker.stdout.readline())
    return result


@cache
def _workers() -> list[subprocess.Popen[str]]:
    command = [sys.executable, str(ROOT / "tests" / "support" / "case_worker.py")]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    workers = [
        subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for worker in workers:
        atexit.register(worker.communicate)  # its input ends, and with it the process
    return workers


class Round:
    """A contact of its own who refused, and a case that waits for a manager."""

    #: When everything else begins.
    at: datetime

    def __init__(self, service: Service, number: int) -> None:
        self.service = service
        self.number = number
        self.phone = f"+1415555{number:04}"
        self.contact: Contact = add(service, Details(name="Ana", phone=self.phone), AGENT)
        change(service, self.contact.id, YES, AGENT)

    @staticmethod
    def with_refusals(
        service: Service, clock: Stopped, words: str, numbers: Iterable[int]
    ) -> list[Round]:
        """Their contacts text the words, all in one request."""
        rounds = [Round(service, number) for number in numbers]
        clock.advance(MINUTE)
        ingest(service, [text(words, address=one.phone) for one in rounds])
        clock.advance(MINUTE)
        for one in rounds:
            one.at = clock()
        return rounds

    def asked(self) -> Case:
        self.case = request(
            self.service,
            self.contact.id,
            CaseRequest(channel=Channel.SMS, evidence="a call"),
            AGENT,
        )
        return self.case

    def order(self, do: str, who: str = ANA, after: timedelta = MINUTE, **more: Any) -> Order:
        at = (self.at + after).isoformat()
        more |= {"case": self.case.id} if hasattr(self, "case") else {}
        return {
            "do": do, "who": who, "at": at, "contact": self.contact.id, "phone": self.phone, **more
        }  # fmt: skip

    def text(self, words: str, **more: Any) -> Order:
        return self.order("text", words=words, id=f"SM{self.number}:{words}", **more)

    # What is seen afterwards

    @property
    def on(self) -> ConsentValue:
        with self.service.store.reading() as records:
            contact = records.contacts.get(self.contact.id)
        assert contact is not None
        return contact.consents[self.phone].on

    @property
    def state(self) -> CaseState:
        return case_of(self.service, self.case).state

    @property
    def steps(self) -> list[str]:
        return [after for _, after, _ in steps(self.service, self.case)]

    @property
    def consents(self) -> list[Entry]:
        return [e for e in told(self.service, self.contact.id) if e.kind is EntryKind.CONSENT]
