"""What becomes of a case when time passes and other things happen to its contact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.consent.alerts import AlertKind
from bot.consent.cases import Case, CaseState
from bot.consent.errors import NeedsManager, Refused
from bot.consent.events import EventKind, Failure
from bot.consent.log.entries import EntryKind
from bot.consent.model import Channel, ConsentValue, Contact, Origin
from bot.consent.rules import Answer
from bot.consent.use_cases import (
    Details,
    Row,
    Service,
    StatusUpdate,
    approve,
    cancel,
    case_details,
    change,
    deny,
    edit,
    erase,
    import_rows,
    note,
    restore,
    retire,
    run_case_timers,
    subscribe_to_requests,
    undo,
    undo_import,
    verify,
)
from bot.consent.use_cases.alerts.reviews import answer_review, expire_reviews
from bot.runtime.clock import Stopped
from tests.support.cases_fixtures import (
    APPROVALS,
    DAY,
    HOUR,
    OTHER_MANAGER,
    ask,
    case_of,
    entries,
    messages,
    on,
    steps,
)
from tests.support.consent_fixtures import AGENT, MANAGER, OPERATOR, OTHER_AGENT, told
from tests.support.storages import on_disk
from tests.support.take_fixtures import (
    LOCAL,
    MAILBOX,
    OTHER_PHONE,
    PHONE,
    consent,
    delivered,
    facts,
    failed,
    mailed,
    tell,
    text,
)

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


def at_age(clock: Stopped, case: Case, age: timedelta) -> None:
    """Moves the clock to so long after the request."""
    clock.advance(case.requested_at + age - clock())


# Time


def test_a_case_that_nobody_finished_ends_after_fourteen_days(
    desk: Service, stopped: Contact, clock: Stopped
) -> None:
    case = ask(desk, stopped)
    at_age(clock, case, 14 * DAY - SECOND)
    run_case_timers(desk)
    early = case_of(desk, case).state
    clock.advance(SECOND)
    run_case_timers(desk)
    ended = case_of(desk, case)

    assert early is CaseState.PENDING
    assert (ended.state, ended.ended_by, ended.ended_at) == (CaseState.EXPIRED, "system", clock())
    assert steps(desk, case)[-1] == ("pending", "expired", "system")
    assert run_case_timers(desk) == 0
    assert on(desk, stopped) is ConsentValue.NO


def test_the_contacts_key_comes_too_late_when_the_time_of_an_approval_is_over(
    desk: Service, blocked: Contact, clock: Stopped
) -> None:
    case = ask(desk, blocked)
    approve(desk, case.id, MANAGER)
    at_age(clock, case, 14 * DAY)
    tell(desk, text("UNSTOP"))

    assert case_of(desk, case).state is CaseState.EXPIRED
    assert on(desk, blocked) is ConsentValue.NO


@pytest.mark.parametrize("decide", [approve, lambda *asked: deny(*asked[:2], "No", asked[2])])
def test_nobody_decides_when_the_time_is_over_even_if_nobody_has_looked(
    desk: Service, stopped: Contact, clock: Stopped, decide: Callable[..., object]
) -> None:
    case = ask(desk, stopped)
    at_age(clock, case, 14 * DAY)
    decide(desk, case.id, MANAGER)
    ended = case_of(desk, case)

    assert (ended.state, ended.ended_by, ended.decided_by) == (CaseState.EXPIRED, "system", None)
    assert on(desk, stopped) is ConsentValue.NO


def test_managers_are_reminded_after_two_and_after_five_days(
    desk: Service, stopped: Contact, clock: Stopped
) -> None:
    subscribe_to_requests(desk, OTHER_MANAGER, True)
    case = ask(desk, stopped)
    seen = []
    for age in (2 * DAY - SECOND, 2 * DAY, 3 * DAY, 5 * DAY, 9 * DAY):
        at_age(clock, case, age)
        run_case_timers(desk)
        run_case_timers(desk)
        seen.append(len(messages(desk, AlertKind.CASE_REMINDER)))
    reminders = messages(desk, AlertKind.CASE_REMINDER)

    assert seen == [0, 2, 2, 4, 4]
    assert {a.slack_channel for a in reminders} == {APPROVALS, "U0MANAGER2"}
    assert {a.thread for a in reminders} == {a.id for a in messages(desk, AlertKind.CASE)}
    assert {a.id for a in reminders} < set(case_of(desk, case).copies)
    assert steps(desk, case) == [("", "pending", AGENT.id)]


def test_after_a_long_pause_one_reminder_is_enough(
    desk: Service, stopped: Contact, clock: Stopped
) -> None:
    case = ask(desk, stopped)
    at_age(clock, case, 6 * DAY)
    run_case_timers(desk)

    assert len(messages(desk, AlertKind.CASE_REMINDER)) == 1
    assert case_of(desk, case).next_at == case.expires_at


def test_where_the_contact_is_waited_for_the_requester_is_reminded(
    desk: Service, blocked: Contact, clock: Stopped
) -> None:
    case = ask(desk, blocked)
    approve(desk, case.id, MANAGER)
    at_age(clock, case, 2 * DAY)
    run_case_timers(desk)
    (reminder,) = messages(desk, AlertKind.CASE_REMINDER)

    assert (reminder.slack_channel, reminder.text) == ("U0AGENT1", "approved")


def test_what_is_over_is_looked_after_no_more(
    desk: Service, stopped: Contact, clock: Stopped
) -> None:
    case = ask(desk, stopped)
    deny(desk, case.id, "No proof", MANAGER)
    at_age(clock, case, 20 * DAY)

    assert run_case_timers(desk) == 0
    assert messages(desk, AlertKind.CASE_REMINDER) == []


# Refusals


REFUSALS = {
    "STOP": lambda desk, contact: tell(desk, text("STOP")),
    "a refusal that blocks nothing": lambda desk, contact: tell(desk, text("stop all")),
    "the contact on the phone": lambda desk, contact: change(
        desk, contact.id, StatusUpdate(sms=ConsentValue.NO, reason="Asked by phone"), OTHER_AGENT
    ),
    "the requester's own note of it": lambda desk, contact: change(
        desk, contact.id, StatusUpdate(sms=ConsentValue.NO), AGENT
    ),
    "a file": lambda desk, contact: import_rows(
        desk,
        [Row(line=2, details=Details(name="Ana Gómez", phone=PHONE), sms=ConsentValue.NO)],
        file="crm.csv",
        actor=OPERATOR,
    ),
}


@pytest.mark.parametrize("approved", [False, True], ids=["pending", "approved"])
@pytest.mark.parametrize("refuse", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_newer_than_the_evidence_ends_the_case(
    desk: Service,
    blocked: Contact,
    refuse: Callable[[Service, Contact], object],
    approved: bool,
) -> None:
    case = ask(desk, blocked)
    if approved:
        approve(desk, case.id, MANAGER)
    refuse(desk, blocked)
    ended = case_of(desk, case)
    tell(desk, text("UNSTOP"))
    late = approve(desk, case.id, MANAGER)

    assert ended.state is CaseState.OVERTAKEN
    assert ended.ended_why == "The contact refused texts again."
    assert (late.won, late.case) == (False, ended)
    assert on(desk, blocked) is ConsentValue.NO


def test_the_same_no_in_a_second_file_is_no_new_refusal(
    desk: Service, subscriber: Contact, clock: Stopped
) -> None:
    REFUSALS["a file"](desk, subscriber)
    clock.advance(HOUR)
    case = ask(desk, subscriber)
    REFUSALS["a file"](desk, subscriber)
    seen = case_of(desk, case)
    approve(desk, case.id, MANAGER)
    back = consent(desk, subscriber)
    clock.advance(HOUR)
    REFUSALS["a file"](desk, subscriber)

    assert (seen.state, case_of(desk, case).state) == (CaseState.PENDING, CaseState.COMPLETED)
    assert (consent(desk, subscriber), back.on) == (back, ConsentValue.YES)


def test_the_first_file_that_says_no_ends_the_case_of_an_older_stop(
    desk: Service, stopped: Contact, clock: Stopped
) -> None:
    case = ask(desk, stopped)
    REFUSALS["a file"](desk, stopped)

    assert case_of(desk, case).state is CaseState.OVERTAKEN
    assert on(desk, stopped) is ConsentValue.NO


def test_who_ended_a_case_is_who_refused(desk: Service, stopped: Contact, clock: Stopped) -> None:
    first = ask(desk, stopped)
    tell(desk, text("STOP"))
    clock.advance(HOUR)
    second = ask(desk, stopped)
    REFUSALS["the contact on the phone"](desk, stopped)

    assert case_of(desk, first).ended_by == "contact"
    assert steps(desk, first)[-1] == ("pending", "overtaken", "contact")
    assert case_of(desk, second).ended_by == OTHER_AGENT.id


def test_a_refusal_at_the_very_moment_of_the_evidence_wins(
    desk: Service, stopped: Contact, clock: Stopped
) -> None:
    agreed = clock() - MINUTE
    case = ask(desk, stopped, evidence_at=agreed)
    tell(desk, text("STOP", occurred_at=agreed))

    assert case_of(desk, case).state is CaseState.OVERTAKEN


def test_a_late_stop_newer_than_the_evidence_ends_the_case(
    desk: Service, stopped: Contact, clock: Stopped
) -> None:
    agreed = clock() - 30 * MINUTE
    case = ask(desk, stopped, evidence_at=agreed)
    tell(desk, text("STOP", occurred_at=agreed + MINUTE))

    assert case_of(desk, case).state is CaseState.OVERTAKEN


def test_a_late_stop_older_than_the_evidence_only_asks_for_the_contacts_key(
    desk: Service, stopped: Contact, clock: Stopped
) -> None:
    agreed = clock() - 30 * MINUTE
    case = ask(desk, stopped, evidence_at=agreed)
    tell(desk, text("STOP", occurred_at=agreed - MINUTE))
    waiting = approve(desk, case.id, MANAGER).case
    clock.advance(HOUR)
    tell(desk, text("UNSTOP"))

    assert waiting.state is CaseState.APPROVED
    assert case_of(desk, case).state is CaseState.COMPLETED
    assert on(desk, stopped) is ConsentValue.YES


def test_an_approved_case_waits_for_no_sender_that_is_retired(
    desk: Service, blocked: Contact, clock: Stopped
) -> None:
    pending, other = ask(desk, blocked), OTHER_MANAGER
    retire(desk, LOCAL, MANAGER)
    assert case_of(desk, pending).state is CaseState.PENDING
    restore(desk, LOCAL, MANAGER)
    assert approve(desk, pending.id, other).case.state is CaseState.APPROVED
    retire(desk, LOCAL, MANAGER)

    assert case_of(desk, pending).state is CaseState.COMPLETED
    assert case_of(desk, pending).unstopped_at is None
    assert on(desk, blocked) is ConsentValue.YES


def test_the_same_stop_told_twice_ends_nothing_that_came_between(
    desk: Service, subscriber: Contact, clock: Stopped
) -> None:
    once = text("STOP")
    tell(desk, once)
    clock.advance(HOUR)
    case = ask(desk, subscriber)
    tell(desk, once)

    assert case_of(desk, case) == case


def test_what_is_no_refusal_leaves_the_case_open(
    desk: Service, blocked: Contact, clock: Stopped
) -> None:
    case = ask(desk, blocked)
    note(desk, blocked.id, "called back", OTHER_AGENT)
    edit(desk, blocked.id, Details(name="Ana G. Gómez", email="ana@example.org"), OTHER_AGENT)
    change(desk, blocked.id, StatusUpdate(sms=ConsentValue.NO, reason="Correction"), OTHER_AGENT)
    tell(
        desk,
        failed(Failure.HARD),
        failed(Failure.OPT_OUT),
        delivered(sent_at=clock() - 2 * DAY),
        text("hello"),
        mailed(EventKind.COMPLAINT),
    )

    assert case_of(desk, case) == case


def test_a_complaint_ends_the_case_of_the_mailbox(
    desk: Service, subscriber: Contact, clock: Stopped
) -> None:
    tell(desk, mailed(EventKind.UNSUBSCRIBED))
    clock.advance(HOUR)
    case = ask(desk, subscriber, Channel.EMAIL)
    tell(desk, mailed(EventKind.COMPLAINT))

    assert case_of(desk, case).state is CaseState.OVERTAKEN
    assert case_of(desk, case).ended_why == "The contact refused e-mails again."


def test_a_stop_overtakes_the_case_of_everybody_with_the_number(
    desk: Service, housemate: Contact, stopped: Contact
) -> None:
    tell(desk, text("stop all"))
    assert isinstance(desk.now, Stopped)
    desk.now.advance(HOUR)
    cases = [ask(desk, stopped), ask(desk, housemate)]
    tell(desk, text("STOP"))

    assert {case_of(desk, case).state for case in cases} == {CaseState.OVERTAKEN}


# Probable refusals


def test_a_probable_refusal_while_a_case_is_open_waits_for_a_persons_reading(
    desk: Service, stopped: Contact, clock: Stopped
) -> None:
    case = ask(desk, stopped)
    tell(desk, text("please stop texting me"))
    approve(desk, case.id, MANAGER)
    seen = case_details(desk, case.id, MANAGER)
    assert seen.now is not None

    assert facts(desk).hold is not None
    assert len(messages(desk, AlertKind.REVIEW)) == 1
    assert on(desk, stopped) is ConsentValue.YES
    assert (seen.now.answer, [g.code for g in seen.now.gates]) == (Answer.NO, ["review_hold"])

    answer_review(desk, messages(desk, AlertKind.REVIEW)[0].id, True, OTHER_AGENT)

    assert on(desk, stopped) is ConsentValue.NO


@pytest.mark.parametrize("read", [True, False])
def test_only_a_reading_as_an_opt_out_ends_the_case(
    desk: Service, stopped: Contact, clock: Stopped, read: bool
) -> None:
    case = ask(desk, stopped)
    tell(desk, text("please stop texting me"))
    wrote = clock()
    clock.advance(HOUR)
    answer_review(desk, messages(desk, AlertKind.REVIEW)[0].id, read, OTHER_AGENT)
    told_again = [
        (e.kind, e.by, e.occurred_at) for e in told(desk, stopped.id) if e.recorded_at == clock()
    ]

    assert case_of(desk, case).state is (CaseState.OVERTAKEN if read else CaseState.PENDING)
    assert ((EntryKind.NOTE, Origin.CONTACT, wrote) in told_again) is read


def test_a_reply_that_nobody_read_by_its_deadline_ends_the_case(
    desk: Service, stopped: Contact, clock: Stopped
) -> None:
    case = ask(desk, stopped)
    tell(desk, text("please stop texting me"))
    clock.advance(8 * DAY)
    expire_reviews(desk)

    assert case_of(desk, case).state is CaseState.OVERTAKEN
    assert case_of(desk, case).ended_by == "system"


def test_the_next_request_needs_evidence_newer_than_the_reply_that_was_read(
    desk: Service, stopped: Contact, clock: Stopped
) -> None:
    ask(desk, stopped)
    agreed = clock()
    clock.advance(HOUR)
    tell(desk, text("please stop texting me"))
    clock.advance(HOUR)
    answer_review(desk, messages(desk, AlertKind.REVIEW)[0].id, True, OTHER_AGENT)

    with pytest.raises(Refused, match="newer"):
        ask(desk, stopped, evidence_at=agreed)


def test_a_reply_that_was_read_as_an_opt_out_lies_between_a_slip_and_its_undo(
    desk: Service, subscriber: Contact, clock: Stopped
) -> None:
    tell(desk, text("please stop texting me"))
    change(desk, subscriber.id, StatusUpdate(sms=ConsentValue.NO), AGENT)
    answer_review(desk, messages(desk, AlertKind.REVIEW)[0].id, True, OTHER_AGENT)

    with pytest.raises(Refused, match="refused since"):
        undo(desk, subscriber.id, Channel.SMS, AGENT)


# Other changes


def test_another_number_ends_the_case(desk: Service, blocked: Contact) -> None:
    case = ask(desk, blocked)
    approve(desk, case.id, MANAGER)
    edit(desk, blocked.id, Details(phone=OTHER_PHONE), OTHER_AGENT)
    edit(desk, blocked.id, Details(phone=PHONE), OTHER_AGENT)
    tell(desk, text("UNSTOP"))
    ended = case_of(desk, case)

    assert (ended.state, ended.ended_by) == (CaseState.CANCELLED, OTHER_AGENT.id)
    assert "number was changed" in (ended.ended_why or "")
    assert on(desk, blocked) is ConsentValue.NO


def test_another_mailbox_leaves_the_case_of_the_number_open(
    desk: Service, stopped: Contact
) -> None:
    case = ask(desk, stopped)
    edit(desk, stopped.id, Details(email="new@example.com"), OTHER_AGENT)

    assert case_of(desk, case) == case


def test_another_number_out_of_a_file_ends_the_case(desk: Service, stopped: Contact) -> None:
    case = ask(desk, stopped)
    row = Row(line=2, details=Details(name="Ana Gómez", phone=OTHER_PHONE, email=MAILBOX))
    import_rows(desk, [row], file="crm.csv", actor=OPERATOR)

    assert case_of(desk, case).state is CaseState.CANCELLED


def test_a_yes_in_a_file_completes_nothing(desk: Service, stopped: Contact) -> None:
    case = ask(desk, stopped)
    row = Row(line=2, details=Details(name="Ana Gómez", phone=PHONE), sms=ConsentValue.YES)
    import_rows(desk, [row], file="crm.csv", actor=OPERATOR)

    assert case_of(desk, case) == case
    assert on(desk, stopped) is ConsentValue.NO


def test_the_undo_of_ones_own_slip_ends_the_case_that_it_made_needless(
    desk: Service, subscriber: Contact, clock: Stopped
) -> None:
    change(desk, subscriber.id, StatusUpdate(sms=ConsentValue.NO, reason="Asked by phone"), AGENT)
    clock.advance(MINUTE)
    case = ask(desk, subscriber, by=OTHER_AGENT)
    clock.advance(MINUTE - HOUR)
    undo(desk, subscriber.id, Channel.SMS, AGENT)
    ended = case_of(desk, case)

    assert (ended.state, ended.ended_by) == (CaseState.CANCELLED, AGENT.id)
    assert ended.ended_why == "SMS On was changed meanwhile."
    assert on(desk, subscriber) is ConsentValue.YES


def test_the_undo_of_an_import_ends_the_case_about_its_no(
    desk: Service, subscriber: Contact, clock: Stopped
) -> None:
    row = Row(line=2, details=Details(name="Ana Gómez", phone=PHONE), sms=ConsentValue.NO)
    id = import_rows(desk, [row], file="crm.csv", actor=OPERATOR).id
    assert id is not None
    clock.advance(HOUR)
    case = ask(desk, subscriber)
    undo_import(desk, id, OPERATOR, opt_outs=True, reason="The wrong list")

    assert case_of(desk, case).state is CaseState.CANCELLED
    assert on(desk, subscriber) is ConsentValue.YES


def test_the_undo_of_an_import_without_its_opt_outs_leaves_the_case_about_its_no(
    desk: Service, subscriber: Contact, clock: Stopped
) -> None:
    row = Row(line=2, details=Details(name="Ana Gómez", phone=PHONE), sms=ConsentValue.NO)
    id = import_rows(desk, [row], file="crm.csv", actor=OPERATOR).id
    assert id is not None
    clock.advance(HOUR)
    case = ask(desk, subscriber)
    counts = undo_import(desk, id, OPERATOR)

    assert counts["opt-outs kept"] == 1
    assert case_of(desk, case) == case
    assert on(desk, subscriber) is ConsentValue.NO


def test_the_undo_of_an_import_leaves_what_a_case_brought_back(
    desk: Service, subscriber: Contact, clock: Stopped
) -> None:
    row = Row(line=2, details=Details(name="Ana Gómez", phone=PHONE), sms=ConsentValue.NO)
    id = import_rows(desk, [row], file="crm.csv", actor=OPERATOR).id
    assert id is not None
    clock.advance(HOUR)
    approve(desk, ask(desk, subscriber).id, MANAGER)
    brought_back = consent(desk, subscriber)
    undo_import(desk, id, OPERATOR)

    assert brought_back.actor == MANAGER.id
    assert consent(desk, subscriber) == brought_back


def test_a_denied_request_leaves_the_contact_as_protected_as_before(
    desk: Service, stopped: Contact
) -> None:
    deny(desk, ask(desk, stopped).id, "No proof", MANAGER)

    with pytest.raises(NeedsManager):
        change(desk, stopped.id, StatusUpdate(sms=ConsentValue.YES, evidence="call"), AGENT)


# Erasure

SECRETS = ("mulberry evidence", "mulberry reason", "mulberry note", "mulberry denial")


def test_erasure_leaves_nothing_personal_of_any_case(
    desk: Service, blocked: Contact, storage_path: Path
) -> None:
    more = {"evidence": SECRETS[0], "reason": SECRETS[1], "note": SECRETS[2]}
    denied = ask(desk, blocked, **more)
    deny(desk, denied.id, SECRETS[3], MANAGER)
    waiting = ask(desk, blocked, **more)
    approve(desk, waiting.id, MANAGER)
    there = on_disk(storage_path)
    erase(desk, blocked.id, OPERATOR)
    bare = case_of(desk, waiting)

    assert all(secret.encode() in there for secret in SECRETS)
    assert b"mulberry" not in on_disk(storage_path)
    assert PHONE.encode() not in on_disk(storage_path)
    assert (bare.state, bare.address) == (CaseState.CANCELLED, "")
    assert bare.ended_why == "The contact was erased."
    assert case_of(desk, denied).state is CaseState.DENIED
    assert all(a.subject.masked == "" for a in messages(desk, AlertKind.CASE))
    assert case_details(desk, waiting.id, MANAGER).contact is None
    assert not approve(desk, waiting.id, MANAGER).won
    assert not cancel(desk, waiting.id, AGENT).won
    assert verify(desk).problem is None


def test_the_erasure_of_one_leaves_the_case_of_another(
    desk: Service, housemate: Contact, blocked: Contact
) -> None:
    tell(desk, text("stop all"))
    assert isinstance(desk.now, Stopped)
    desk.now.advance(HOUR)
    case = ask(desk, housemate)
    erase(desk, blocked.id, OPERATOR)
    waiting = approve(desk, case.id, MANAGER).case
    tell(desk, text("UNSTOP"))

    assert waiting.state is CaseState.APPROVED
    assert on(desk, housemate) is ConsentValue.YES


# The log


def test_every_step_has_one_entry_with_its_actor_and_no_change_of_the_version(
    desk: Service, blocked: Contact, clock: Stopped
) -> None:
    alone = replace(desk, self_approve=True)
    first = ask(alone, blocked)
    deny(alone, first.id, "No proof", MANAGER)
    second = ask(alone, blocked)
    cancel(alone, second.id, AGENT)
    third = ask(alone, blocked, by=MANAGER)
    approve(alone, third.id, MANAGER)
    tell(alone, text("UNSTOP"))
    versions = {entry.version for case in (first, second, third) for entry in entries(desk, case)}

    assert [s for case in (first, second, third) for s in steps(alone, case)] == [
        ("", "pending", AGENT.id),
        ("pending", "denied", MANAGER.id),
        ("", "pending", AGENT.id),
        ("pending", "cancelled", AGENT.id),
        ("", "pending", MANAGER.id),
        ("pending", "approved", MANAGER.id),
        ("approved", "completed", MANAGER.id),
    ]
    assert [case_of(alone, case).version for case in (first, second, third)] == [2, 2, 3]
    assert versions <= {blocked.version + 2, blocked.version + 3}
    assert verify(alone).problem is None
