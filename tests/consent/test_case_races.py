"""Two people, or a person and the contact, at the same moment: two threads on one storage, and two
processes. One decision counts, the other is told whose, and a STOP is never lost."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

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
    verify,
)
from bot.runtime.clock import Stopped
from tests.support.case_worker import Order, carry_out
from tests.support.cases_fixtures import case_of, steps
from tests.support.consent_fixtures import AGENT, told
from tests.support.storages import url_of
from tests.support.take_fixtures import tell, text

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


def in_processes(path: Path, *more: str) -> Iterator[Race]:
    command = [
        sys.executable,
        str(ROOT / "tests" / "support" / "case_worker.py"),
        url_of(path),
        *more,
    ]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    with ExitStack() as stack:
        workers = [
            stack.enter_context(
                subprocess.Popen(
                    command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
            )
            for _ in range(2)
        ]

        def race(*orders: Order) -> tuple[Result, Result]:
            start = threading.Barrier(2)
            results: list[Result] = [{}, {}]

            def run(n: int) -> None:
                given, answered = workers[n].stdin, workers[n].stdout
                assert given is not None
                assert answered is not None
                line = json.dumps(orders[n]) + "\n"
                start.wait()
                given.write(line)
                given.flush()
                results[n] = json.loads(answered.readline())

            both_at_once(run)
            return results[0], results[1]

        yield race


@pytest.fixture(params=["threads", "processes"])
def race(request: pytest.FixtureRequest, service: Service, storage_path: Path) -> Iterator[Race]:
    yield from in_threads(service) if request.param == "threads" else in_processes(storage_path)
    assert verify(service).problem is None


class Round:
    """A contact of its own who refused, and a case that waits for a manager."""

    def __init__(self, service: Service, clock: Stopped, number: int, words: str) -> None:
        self.service = service
        self.number = number
        self.phone = f"+1415555{number:04}"
        self.contact: Contact = add(service, Details(name="Ana", phone=self.phone), AGENT)
        change(service, self.contact.id, YES, AGENT)
        clock.advance(MINUTE)
        tell(service, text(words, address=self.phone))
        clock.advance(MINUTE)
        self.at: datetime = clock()

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
            contact = records.contact(self.contact.id)
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


def rounds(service: Service, clock: Stopped, words: str = "stop all") -> Iterator[Round]:
    for number in range(ROUNDS):
        one = Round(service, clock, number, words)
        one.asked()
        yield one


def is_told_of(loser: Result, winner: Result) -> bool:
    """Whether it was told who was quicker, and when."""
    return (loser["won"], loser["by"], loser["at"]) == (False, winner["by"], winner["at"])


def test_of_two_approvals_at_once_one_counts(service: Service, clock: Stopped, race: Race) -> None:
    for one in rounds(service, clock):
        results = race(one.order("approve", ANA), one.order("approve", BO, 2 * MINUTE))
        winner, loser = sorted(results, key=lambda result: not result["won"])

        assert (winner["won"], winner["state"]) == (True, "completed")
        assert winner["by"] in (ANA, BO)
        assert is_told_of(loser, winner)
        assert one.steps == ["pending", "approved", "completed"]
        assert [(e.after, e.actor) for e in one.consents][2:] == [("YES", winner["by"])]


def test_of_an_approval_and_a_denial_at_once_one_counts(
    service: Service, clock: Stopped, race: Race
) -> None:
    for one in rounds(service, clock):
        approved, denied = race(one.order("approve", ANA), one.order("deny", BO))
        winner, loser = (approved, denied) if approved["won"] else (denied, approved)

        assert winner["won"]
        assert is_told_of(loser, winner)
        assert one.steps in (["pending", "approved", "completed"], ["pending", "denied"])
        assert (one.on is ConsentValue.YES) == approved["won"] == (one.state is CaseState.COMPLETED)


def test_of_an_approval_and_a_withdrawal_at_once_one_counts(
    service: Service, clock: Stopped, race: Race
) -> None:
    for one in rounds(service, clock):
        approved, withdrawn = race(one.order("approve", ANA), one.order("cancel", AGENT.id))
        winner, loser = (approved, withdrawn) if approved["won"] else (withdrawn, approved)

        assert winner["won"]
        assert is_told_of(loser, winner)
        assert (one.on is ConsentValue.YES) == approved["won"] == (one.state is CaseState.COMPLETED)


@pytest.mark.parametrize("words", ["STOP", "stop all"])
def test_a_stop_wins_against_an_approval(
    service: Service, clock: Stopped, race: Race, words: str
) -> None:
    for one in rounds(service, clock):
        approved, _ = race(one.order("approve"), one.text(words))

        assert one.on is ConsentValue.NO
        if approved["won"]:
            assert one.steps == ["pending", "approved", "completed"]
            assert [e.after for e in one.consents][2:] == ["YES", "NO"]
        else:
            assert (approved["state"], approved["by"]) == ("overtaken", "contact")
            assert approved["at"] == one.order("text")["at"]
            assert one.steps == ["pending", "overtaken"]
            assert one.consents[-1].after == "NO"


def test_a_stop_that_is_told_late_wins_against_an_approval_too(
    service: Service, clock: Stopped, race: Race
) -> None:
    """It is older than the evidence and overtakes no case; but it blocks, and what it finds at YES
    it sets to NO, which is the safe direction."""
    for one in rounds(service, clock):
        before = (one.at - MINUTE / 2).isoformat()
        approved, _ = race(one.order("approve"), one.text("STOP", occurred_at=before))

        assert approved["won"]
        assert one.on is ConsentValue.NO
        assert one.state is CaseState(approved["state"])
        assert approved["state"] in ("approved", "completed")


def test_the_contacts_key_and_the_managers_at_once_complete_the_case_once(
    service: Service, clock: Stopped, race: Race
) -> None:
    for one in rounds(service, clock, "STOP"):
        approved, _ = race(one.order("approve"), one.text("UNSTOP"))

        assert approved["won"]
        assert one.on is ConsentValue.YES
        assert one.steps == ["pending", "approved", "completed"]
        assert [(e.after, e.actor) for e in one.consents][2:] == [("YES", ANA)]


def test_the_contacts_key_and_a_stop_at_once_leave_a_no(
    service: Service, clock: Stopped, race: Race
) -> None:
    for one in rounds(service, clock, "STOP"):
        carry_out(service, one.order("approve", after=MINUTE))
        race(one.text("UNSTOP", after=2 * MINUTE), one.text("STOP", after=2 * MINUTE))

        assert one.on is ConsentValue.NO
        assert one.state in (CaseState.COMPLETED, CaseState.OVERTAKEN)


def test_of_an_approval_and_the_end_of_its_time_one_counts(
    service: Service, clock: Stopped, race: Race
) -> None:
    second = timedelta(seconds=1)
    for one in rounds(service, clock):
        approved, _ = race(
            one.order("approve", after=14 * DAY - second), one.order("expire", after=14 * DAY)
        )

        if approved["won"]:
            assert one.steps == ["pending", "approved", "completed"]
            assert one.on is ConsentValue.YES
        else:
            ended_at = one.order("expire", after=14 * DAY)["at"]
            assert (approved["state"], approved["by"]) == ("expired", "system")
            assert approved["at"] == ended_at
            assert one.steps == ["pending", "expired"]
            assert one.on is ConsentValue.NO


def test_of_an_approval_and_another_number_at_once_the_new_number_is_never_agreed_to(
    service: Service, clock: Stopped, race: Race
) -> None:
    for one in rounds(service, clock):
        number = f"+1415556{one.number:04}"
        approved, _ = race(one.order("approve"), one.order("renumber", BO) | {"phone": number})
        with service.store.reading() as records:
            contact = records.contact(one.contact.id)
        assert contact is not None

        assert contact.phone == number
        assert contact.consent(Channel.SMS).on is ConsentValue.UNSET
        assert (one.on is ConsentValue.YES) == approved["won"]
        assert approved["won"] or is_told_of(approved, {"by": BO, "at": one.order("")["at"]})


def test_of_two_requests_at_once_one_is_opened(
    service: Service, clock: Stopped, race: Race
) -> None:
    for number in range(ROUNDS):
        one = Round(service, clock, number, "stop all")
        results = race(one.order("request", ANA), one.order("request", BO))
        with service.store.reading() as records:
            cases = records.cases(one.contact.id)

        assert sorted("refused" in result for result in results) == [False, True]
        assert len(cases) == 1
