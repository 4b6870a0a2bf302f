"""Two people, or a person and the contact, at the same moment: two threads on one storage, and two
processes. One decision counts, the other is told whose, and a STOP is never lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.consent.cases import CaseState
from bot.consent.model import Channel, ConsentValue
from bot.consent.use_cases import Service, verify
from bot.runtime.clock import Stopped
from tests.support.case_races import (
    ANA,
    BO,
    DAY,
    MINUTE,
    ROUNDS,
    Race,
    Result,
    Round,
    in_processes,
    in_threads,
)
from tests.support.case_worker import carry_out
from tests.support.consent_fixtures import AGENT

pytestmark = pytest.mark.every_storage


@pytest.fixture(params=["threads", "processes"])
def race(request: pytest.FixtureRequest, service: Service, storage_path: Path) -> Iterator[Race]:
    yield from in_threads(service) if request.param == "threads" else in_processes(storage_path)
    assert verify(service).problem is None


def rounds(service: Service, clock: Stopped, words: str = "stop all") -> Iterator[Round]:
    for one in Round.with_refusals(service, clock, words, range(ROUNDS)):
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
            contact = records.contacts.get(one.contact.id)
        assert contact is not None

        assert contact.phone == number
        assert contact.consent(Channel.SMS).on is ConsentValue.UNSET
        assert (one.on is ConsentValue.YES) == approved["won"]
        assert approved["won"] or is_told_of(approved, {"by": BO, "at": one.order("")["at"]})


def test_of_two_requests_at_once_one_is_opened(
    service: Service, clock: Stopped, race: Race
) -> None:
    for one in Round.with_refusals(service, clock, "stop all", range(ROUNDS)):
        results = race(one.order("request", ANA), one.order("request", BO))
        with service.store.reading() as records:
            cases = records.cases.of(one.contact.id)

        assert sorted("refused" in result for result in results) == [False, True]
        assert len(cases) == 1
