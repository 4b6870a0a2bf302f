"""Requests of programs: people decide them, from one message an hour."""

from __future__ import annotations

import pytest

from bot.consent.alerts import Alert, AlertKind
from bot.consent.cases import CaseState
from bot.consent.errors import Invalid, NeedsEvidence, NotAllowed, NotFound, Refused
from bot.consent.events import EventKind
from bot.consent.gates import Code
from bot.consent.model import Channel, Contact
from bot.consent.use_cases import (
    Details,
    Service,
    add,
    approve,
    cancel,
    deny,
    erase,
    run_case_timers,
)
from bot.consent.use_cases.cases.hourly_requests import MOST_REQUESTS, post_hourly_requests
from bot.consent.use_cases.stated.stated_cases import list_cases, state_request
from bot.consent.use_cases.stated.statement import Withheld
from bot.runtime.clock import Stopped
from tests.support.cases_fixtures import APPROVALS, DAY, HOUR, ask, case_of, messages
from tests.support.consent_fixtures import AGENT, MANAGER, OPERATOR
from tests.support.stated_fixtures import MINUTE, NEWSLETTER, SHOP, proof, say
from tests.support.take_fixtures import mailed, tell, text


def refusers(service: Service, clock: Stopped, count: int) -> list[Contact]:
    """Contacts who opted out of texts an hour ago."""
    found = []
    for n in range(count):
        phone = f"+1415555{1000 + n}"
        found.append(add(service, Details(name=f"Contact {n:02}", phone=phone), AGENT))
        tell(service, text("stop all", address=phone))
    clock.advance(HOUR)
    return found


def named(alert: Alert) -> list[str]:
    return (alert.about or "").split()


def lists(service: Service) -> list[Alert]:
    return messages(service, AlertKind.CASE_LIST)


# One message an hour


def test_the_requests_of_an_hour_come_as_one_message(desk: Service, clock: Stopped) -> None:
    people = refusers(desk, clock, 3)
    cases = []
    for person in people:
        cases.append(say(desk, person, "yes").case)
        clock.advance(MINUTE)
    assert post_hourly_requests(desk) == 0
    clock.advance(HOUR)

    assert post_hourly_requests(desk) == 3
    [alert] = lists(desk)
    assert (alert.slack_channel, named(alert)) == (APPROVALS, [case.id for case in cases if case])
    assert messages(desk, AlertKind.CASE) == []
    assert post_hourly_requests(desk) == 0


def test_twenty_are_named_at_once_and_the_rest_an_hour_later(desk: Service, clock: Stopped) -> None:
    for person in refusers(desk, clock, MOST_REQUESTS + 2):
        say(desk, person, "yes")
    clock.advance(HOUR)
    assert post_hourly_requests(desk) == MOST_REQUESTS
    clock.advance(HOUR - MINUTE)
    assert post_hourly_requests(desk) == 0
    clock.advance(MINUTE)

    assert post_hourly_requests(desk) == 2
    first, second = lists(desk)
    assert not set(named(first)) & set(named(second))


def test_what_comes_within_the_hour_goes_with_the_next(desk: Service, clock: Stopped) -> None:
    one, two = refusers(desk, clock, 2)
    say(desk, one, "yes")
    clock.advance(HOUR)
    post_hourly_requests(desk)
    clock.advance(MINUTE)
    say(desk, two, "yes")
    clock.advance(HOUR - 2 * MINUTE)
    assert post_hourly_requests(desk) == 0
    clock.advance(MINUTE)

    assert post_hourly_requests(desk) == 1


def test_what_is_decided_already_is_not_named(desk: Service, clock: Stopped) -> None:
    one, two, three = refusers(desk, clock, 3)
    first, second = say(desk, one, "yes").case, say(desk, two, "yes").case
    assert first is not None
    assert second is not None
    deny(desk, first.id, "No.", MANAGER)
    erase(desk, two.id, OPERATOR)
    clock.advance(HOUR)
    assert post_hourly_requests(desk) == 0
    say(desk, three, "yes")
    clock.advance(HOUR)

    assert post_hourly_requests(desk) == 1
    assert len(lists(desk)) == 1


def test_without_a_channel_no_message_is_put(alerting: Service, clock: Stopped) -> None:
    [person] = refusers(alerting, clock, 1)
    say(alerting, person, "yes")
    clock.advance(HOUR)

    assert post_hourly_requests(alerting) == 0
    assert lists(alerting) == []


def test_each_decision_redraws_the_message(desk: Service, clock: Stopped) -> None:
    cases = [say(desk, person, "yes").case for person in refusers(desk, clock, 2)]
    clock.advance(HOUR)
    post_hourly_requests(desk)
    for n, case in enumerate(cases, 1):
        assert case is not None
        approve(desk, case.id, MANAGER, version=case.version)
        [alert] = lists(desk)

        assert alert.delivery.desired_version > n


def test_no_reminder_of_a_program_s_request_is_put(desk: Service, clock: Stopped) -> None:
    """Its message names up to twenty, and is no thread of one request."""
    [person] = refusers(desk, clock, 1)
    case = say(desk, person, "yes").case
    assert case is not None
    clock.advance(HOUR)
    post_hourly_requests(desk)
    clock.advance(6 * DAY)
    run_case_timers(desk)
    assert messages(desk, AlertKind.CASE_REMINDER) == []
    clock.advance(14 * DAY)
    run_case_timers(desk)

    assert case_of(desk, case).state is CaseState.EXPIRED


# Asking, listing, taking back


def test_a_program_asks_for_what_the_contact_refused(
    desk: Service, stopped: Contact, clock: Stopped
) -> None:
    case = state_request(desk, stopped.id, Channel.SMS, proof(clock()), NEWSLETTER)

    assert (case.state, case.requested_by, case.contact) == (
        CaseState.PENDING,
        NEWSLETTER.id,
        stopped.id,
    )
    with pytest.raises(Withheld) as refusal:
        state_request(desk, stopped.id, Channel.SMS, proof(clock()), SHOP)
    assert refusal.value.gate.code is Code.OPTED_OUT
    assert refusal.value.case == case


def test_a_request_needs_evidence_and_a_refusal(
    desk: Service, stopped: Contact, clock: Stopped
) -> None:
    with pytest.raises(NeedsEvidence):
        state_request(desk, stopped.id, Channel.SMS, None, NEWSLETTER)
    with pytest.raises(Refused, match="YES already"):
        state_request(desk, stopped.id, Channel.EMAIL, proof(clock()), NEWSLETTER)
    with pytest.raises(NotFound):
        state_request(desk, "f" * 32, Channel.SMS, proof(clock()), NEWSLETTER)


def test_open_cases_come_by_pages_the_oldest_first(desk: Service, clock: Stopped) -> None:
    cases = []
    for person in refusers(desk, clock, 5):
        cases.append(say(desk, person, "yes").case)
        clock.advance(MINUTE)
    first = list_cases(desk, NEWSLETTER, limit=3)
    second = list_cases(desk, NEWSLETTER, limit=3, after=first[-1].id)

    assert [case.id for case in (*first, *second)] == [case.id for case in cases if case]
    assert list_cases(desk, NEWSLETTER, limit=3, after=second[-1].id) == []


def test_the_cases_of_a_contact_are_all_of_them_the_newest_first(
    desk: Service, stopped: Contact, clock: Stopped
) -> None:
    old = ask(desk, stopped)
    cancel(desk, old.id, AGENT)
    new = say(desk, stopped, "yes").case
    assert new is not None
    found = list_cases(desk, NEWSLETTER, contact=stopped.id)

    assert [case.id for case in found] == [new.id, old.id]
    assert list_cases(desk, NEWSLETTER, contact=stopped.id, after=new.id) == [case_of(desk, old)]
    assert list_cases(desk, NEWSLETTER, contact=stopped.id, limit=1) == [new]


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"limit": 0}, Invalid),
        ({"limit": 101}, Invalid),
        ({"after": "f" * 32}, NotFound),
        ({"contact": "f" * 32}, NotFound),
    ],
)
def test_what_can_not_be_listed_is_refused(
    desk: Service, asked: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        list_cases(desk, NEWSLETTER, **asked)  # type: ignore[arg-type]


def test_a_program_takes_back_its_own_request_and_no_other(
    desk: Service, stopped: Contact, clock: Stopped
) -> None:
    tell(desk, mailed(EventKind.UNSUBSCRIBED))
    clock.advance(HOUR)
    own = say(desk, stopped, "yes").case
    other = ask(desk, stopped, Channel.EMAIL)
    assert own is not None
    for case, program in ((own, SHOP), (other, NEWSLETTER)):
        with pytest.raises(NotAllowed):
            cancel(desk, case.id, program)

    assert cancel(desk, own.id, NEWSLETTER).won
    assert case_of(desk, own).state is CaseState.CANCELLED
