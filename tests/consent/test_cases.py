"""Re-opt-in: asked for with evidence, decided by a manager, completed by the last of two keys."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.consent.alerts import AlertKind
from bot.consent.cases import CaseState
from bot.consent.errors import (
    Changed,
    Invalid,
    NeedsEvidence,
    NeedsManager,
    NotAllowed,
    NotFound,
    OptinError,
    Refused,
)
from bot.consent.events import EventKind, Failure
from bot.consent.log.entries import EntryKind
from bot.consent.model import Actor, Channel, ConsentValue, Contact, Evidence, Origin, Role
from bot.consent.rules import Answer
from bot.consent.use_cases import (
    CaseRequest,
    Details,
    Service,
    StatusUpdate,
    add,
    approve,
    cancel,
    case_details,
    change,
    deny,
    erase,
    request,
    undo,
)
from bot.runtime.clock import Stopped
from tests.support.cases_fixtures import (
    APPROVALS,
    DAY,
    EVIDENCE,
    HOUR,
    OTHER_MANAGER,
    ask,
    case_of,
    entries,
    messages,
    on,
    steps,
)
from tests.support.consent_fixtures import AGENT, MANAGER, NOBODY, OPERATOR, OTHER_AGENT, told
from tests.support.take_fixtures import (
    LOCAL,
    MAILBOX,
    TOLL_FREE,
    consent,
    failed,
    lines,
    mailed,
    tell,
    text,
)

MINUTE = timedelta(minutes=1)


# Asking


def test_a_request_is_kept_logged_and_told_to_the_managers_channel(
    desk: Service, stopped: Contact
) -> None:
    before = len(told(desk))
    case = ask(desk, stopped, reason="Asked by phone", note="sounded glad")
    (entry,) = told(desk)[before:]
    (message,) = messages(desk, AlertKind.CASE)
    (stop,) = messages(desk, AlertKind.STOP)

    assert (case.state, case.version, case.requested_by) == (CaseState.PENDING, 1, AGENT.id)
    assert (case.reason, case.note, case.refusal) == (
        "Asked by phone",
        "sounded glad",
        "Replied “stop all”",
    )
    assert case.refused_at == consent(desk, stopped).since
    assert case.expires_at == case.requested_at + 14 * DAY
    assert (entry.kind, entry.before, entry.after) == (EntryKind.CASE, "", "pending")
    assert (entry.actor, entry.contact) == (AGENT.id, stopped.id)
    assert entry.evidence == Evidence(text=EVIDENCE, at=case.requested_at)
    assert (message.slack_channel, message.about) == (APPROVALS, case.id)
    assert case.copies == (message.id, stop.id)
    assert on(desk, stopped) is ConsentValue.NO


@pytest.mark.parametrize("nothing", ["", "  \t\n", "\u200b\u2060"])
def test_a_request_says_what_shows_the_new_permission(
    desk: Service, stopped: Contact, nothing: str
) -> None:
    with pytest.raises(NeedsEvidence) as refusal:
        request(desk, stopped.id, CaseRequest(channel=Channel.SMS, evidence=nothing), AGENT)

    assert refusal.value.field == "evidence"


@pytest.mark.parametrize("ago", [HOUR, 2 * HOUR])
def test_evidence_that_is_not_newer_than_the_refusal_proves_nothing(
    desk: Service, stopped: Contact, clock: Stopped, ago: timedelta
) -> None:
    with pytest.raises(Refused, match="newer") as refusal:
        ask(desk, stopped, evidence_at=clock() - ago)

    assert refusal.value.field == "evidence_date"


def test_evidence_is_newer_than_a_refusal_that_was_told_again(
    desk: Service, stopped: Contact, clock: Stopped
) -> None:
    tell(desk, text("STOP"))
    clock.advance(HOUR)

    with pytest.raises(Refused, match="newer"):
        ask(desk, stopped, evidence_at=clock() - HOUR - MINUTE)
    assert ask(desk, stopped, evidence_at=clock() - MINUTE).open


def test_evidence_is_not_from_the_future(desk: Service, stopped: Contact, clock: Stopped) -> None:
    with pytest.raises(Invalid) as refusal:
        ask(desk, stopped, evidence_at=clock() + MINUTE)

    assert refusal.value.field == "evidence_date"


def test_a_day_means_its_end_but_never_later_than_now(
    desk: Service, stopped: Contact, clock: Stopped
) -> None:
    midnight = clock().replace(hour=0, minute=0)
    case = ask(desk, stopped, evidence_at=midnight, precision=DAY)

    assert case.evidence.at == case.requested_at


def test_what_needs_no_approval_needs_no_case(desk: Service, subscriber: Contact) -> None:
    stranger = add(desk, Details(name="Bo", phone="+1 415 555 0123"), AGENT)
    change(desk, subscriber.id, StatusUpdate(sms=ConsentValue.NO, reason="Wrong person"), AGENT)

    with pytest.raises(Refused, match="no approval"):
        ask(desk, stranger)
    with pytest.raises(Refused, match="no approval"):
        ask(desk, subscriber)
    with pytest.raises(Refused, match="YES already"):
        ask(desk, subscriber, Channel.EMAIL)
    with pytest.raises(Invalid, match="no e-mail address"):
        ask(desk, stranger, Channel.EMAIL)
    with pytest.raises(NotFound):
        request(desk, "nobody", CaseRequest(channel=Channel.SMS, evidence=EVIDENCE), AGENT)


def test_only_one_case_is_open_of_a_contact_and_channel(desk: Service, stopped: Contact) -> None:
    case = ask(desk, stopped)

    with pytest.raises(Refused, match="already, on 3 Nov 2026"):
        ask(desk, stopped, by=OTHER_AGENT)
    cancel(desk, case.id, AGENT)
    assert ask(desk, stopped, by=OTHER_AGENT).open


def test_the_time_of_a_forgotten_case_does_not_stand_in_the_way(
    desk: Service, stopped: Contact, clock: Stopped
) -> None:
    first = ask(desk, stopped)
    clock.advance(14 * DAY)
    second = ask(desk, stopped)

    assert case_of(desk, first).state is CaseState.EXPIRED
    assert second.open


# Deciding


def test_approval_without_a_block_completes_at_once(
    desk: Service, stopped: Contact, clock: Stopped
) -> None:
    agreed = clock() - MINUTE
    case = ask(desk, stopped, evidence_at=agreed, reason="Asked by phone")
    before = len(told(desk))
    done = approve(desk, case.id, MANAGER, version=1)
    here = consent(desk, stopped)

    assert done.won
    assert done.case == case_of(desk, case)
    assert (done.case.state, done.case.decided_by) == (CaseState.COMPLETED, MANAGER.id)
    assert (done.case.decided_at, done.case.ended_at) == (clock(), clock())
    assert (done.case.ended_by, done.case.self_approved) == (MANAGER.id, False)
    assert lines(told(desk)[before:]) == [
        (EntryKind.CASE, "pending", "approved"),
        (EntryKind.CASE, "approved", "completed"),
        (EntryKind.CONSENT, "NO", "YES"),
    ]
    assert {e.actor for e in told(desk)[before:]} == {MANAGER.id}
    assert (here.on, here.by, here.actor) == (ConsentValue.YES, Origin.CONTACT, MANAGER.id)
    assert here.since == agreed
    assert here.evidence == Evidence(text=EVIDENCE, at=agreed)
    assert here.reason == "Re-opt-in: Asked by phone"


def test_approval_first_then_the_contacts_key(
    desk: Service, blocked: Contact, clock: Stopped
) -> None:
    case = ask(desk, blocked)
    waiting = approve(desk, case.id, MANAGER).case
    still = on(desk, blocked)
    clock.advance(HOUR)
    tell(desk, text("UNSTOP"))
    done = case_of(desk, case)

    assert (waiting.state, still) == (CaseState.APPROVED, ConsentValue.NO)
    assert (done.state, done.unstopped_at) == (CaseState.COMPLETED, clock())
    assert on(desk, blocked) is ConsentValue.YES
    assert steps(desk, case) == [
        ("", "pending", AGENT.id),
        ("pending", "approved", MANAGER.id),
        ("approved", "completed", MANAGER.id),
    ]
    last = told(desk)[-1]
    assert (last.kind, last.actor, last.source) == (
        EntryKind.CONSENT,
        MANAGER.id,
        "provider:twilio",
    )


def test_the_contacts_key_first_then_approval(desk: Service, blocked: Contact) -> None:
    case = ask(desk, blocked)
    tell(desk, text("UNSTOP"))
    halfway = case_of(desk, case)
    done = approve(desk, case.id, MANAGER, version=1)

    assert (halfway.state, on(desk, blocked)) == (CaseState.PENDING, ConsentValue.YES)
    assert halfway.unstopped_at is not None
    assert (done.won, done.case.state) == (True, CaseState.COMPLETED)


def test_a_key_that_came_before_the_request_counts(
    desk: Service, blocked: Contact, clock: Stopped
) -> None:
    tell(desk, text("UNSTOP"))
    clock.advance(HOUR)
    case = ask(desk, blocked)

    assert approve(desk, case.id, MANAGER).case.state is CaseState.COMPLETED


def test_each_sender_that_is_blocked_has_a_key_of_its_own(
    desk: Service, blocked: Contact, clock: Stopped
) -> None:
    tell(desk, text("STOP", sender=TOLL_FREE))
    clock.advance(HOUR)
    case = ask(desk, blocked)
    words = case_details(desk, case.id, AGENT).unblock_words
    approve(desk, case.id, MANAGER)
    tell(desk, text("UNSTOP", sender=TOLL_FREE))
    missing = case_details(desk, case.id, AGENT).missing
    halfway = on(desk, blocked)
    tell(desk, text("UNSTOP", sender=LOCAL))

    assert words == {TOLL_FREE: "UNSTOP", LOCAL: "START"}
    assert (list(missing), halfway) == ([LOCAL], ConsentValue.NO)
    assert on(desk, blocked) is ConsentValue.YES


def test_a_block_that_comes_to_light_while_waiting_is_waited_for_too(
    desk: Service, stopped: Contact, clock: Stopped
) -> None:
    case = ask(desk, stopped)
    tell(desk, failed(Failure.OPT_OUT))
    waiting = approve(desk, case.id, MANAGER).case
    tell(desk, failed(Failure.OPT_OUT, sender=TOLL_FREE))
    clock.advance(HOUR)
    tell(desk, text("UNSTOP"))
    halfway = on(desk, stopped)
    tell(desk, text("UNSTOP", sender=TOLL_FREE))

    assert (waiting.state, halfway) == (CaseState.APPROVED, ConsentValue.NO)
    assert on(desk, stopped) is ConsentValue.YES


def test_a_denial_says_why_and_changes_nothing_else(desk: Service, stopped: Contact) -> None:
    case = ask(desk, stopped)
    before = len(told(desk))

    with pytest.raises(Invalid) as refusal:
        deny(desk, case.id, " \t", MANAGER)
    assert refusal.value.field == "reason"
    assert len(told(desk)) == before

    done = deny(desk, case.id, " No proof ", MANAGER, version=1)

    assert (done.won, done.case.state) == (True, CaseState.DENIED)
    assert (done.case.decision, done.case.decided_by) == ("No proof", MANAGER.id)
    assert [(e.after, e.actor, e.reason) for e in told(desk)[before:]] == [
        ("denied", MANAGER.id, "No proof")
    ]
    assert on(desk, stopped) is ConsentValue.NO


def test_whoever_asked_and_managers_may_take_a_request_back(
    desk: Service, blocked: Contact
) -> None:
    own = ask(desk, blocked)

    with pytest.raises(NotAllowed):
        cancel(desk, own.id, OTHER_AGENT)
    assert cancel(desk, own.id, AGENT).case.ended_by == AGENT.id

    case = ask(desk, blocked)
    approve(desk, case.id, MANAGER)
    done = cancel(desk, case.id, OTHER_MANAGER)
    tell(desk, text("UNSTOP"))

    assert (done.won, done.case.state) == (True, CaseState.CANCELLED)
    assert not cancel(desk, case.id, OTHER_MANAGER).won
    assert on(desk, blocked) is ConsentValue.NO


def test_nobody_approves_what_they_asked_for(desk: Service, stopped: Contact) -> None:
    case = ask(desk, stopped, by=MANAGER)
    before = len(told(desk))

    with pytest.raises(NotAllowed, match="yourself"):
        approve(desk, case.id, MANAGER)
    assert [entry.reason for entry in told(desk)[before:]] == [
        "Tried to approve the re-opt-in for SMS: refused, because it is their own request"
    ]
    assert approve(desk, case.id, OTHER_MANAGER).won


def test_where_one_manager_is_all_the_log_says_that_it_was_their_own(
    desk: Service, stopped: Contact
) -> None:
    alone = replace(desk, self_approve=True)
    case = ask(alone, stopped, by=MANAGER)
    done = approve(alone, case.id, MANAGER)
    approved = entries(alone, case)[1]

    assert (done.won, done.case.self_approved) == (True, True)
    assert approved.reason == (
        "Approved by the one who asked for it, as OPTIN_SELF_APPROVE allows."
    )


def test_anothers_approval_is_never_called_their_own(desk: Service, stopped: Contact) -> None:
    alone = replace(desk, self_approve=True)
    case = ask(alone, stopped)
    done = approve(alone, case.id, MANAGER)

    assert not done.case.self_approved
    assert entries(alone, case)[1].reason is None


@pytest.mark.parametrize("role", [Role.AGENT, Role.NOBODY])
def test_who_is_no_manager_at_this_moment_decides_nothing(
    desk: Service, stopped: Contact, role: Role
) -> None:
    case = ask(desk, stopped)
    removed = replace(MANAGER, role=role)
    before = len(told(desk))

    for decide in (approve, lambda *asked: deny(*asked[:2], "No", asked[2])):
        with pytest.raises(NotAllowed):
            decide(desk, case.id, removed)
    assert {entry.kind for entry in told(desk)[before:]} == {EntryKind.NOTE}
    assert case_of(desk, case) == case


@pytest.mark.parametrize(
    ("role", "why"),
    [(Role.AGENT, "they are no manager"), (Role.NOBODY, "they may not use Optin")],
)
def test_a_refused_try_is_noted_once_for_each_person_case_and_reason(
    desk: Service, stopped: Contact, role: Role, why: str
) -> None:
    case = ask(desk, stopped)
    before = len(told(desk))

    for person in (MANAGER, OTHER_MANAGER):
        for _ in range(100):
            with pytest.raises(NotAllowed):
                approve(desk, case.id, replace(person, role=role))
    notes = told(desk, stopped.id)[-2:]
    assert len(told(desk)) == before + 2
    assert [note.actor for note in notes] == [MANAGER.id, OTHER_MANAGER.id]
    assert {note.reason for note in notes} == {
        f"Tried to approve the re-opt-in for SMS: refused, because {why}"
    }
    assert case_of(desk, case) == case

    with pytest.raises(NotAllowed):
        deny(desk, case.id, "No", replace(MANAGER, role=role))
    assert told(desk)[-1].reason == (f"Tried to deny the re-opt-in for SMS: refused, because {why}")


def test_a_try_at_a_request_that_is_none_is_not_noted(desk: Service, stopped: Contact) -> None:
    before = len(told(desk))

    with pytest.raises(NotAllowed):
        approve(desk, "f" * 32, replace(MANAGER, role=Role.AGENT))
    assert len(told(desk)) == before


def test_a_role_that_may_be_lost_while_the_storage_was_busy_decides_nothing(
    desk: Service, stopped: Contact
) -> None:
    case = ask(desk, stopped)
    asked = replace(OTHER_MANAGER, role_as_of=desk.now() - timedelta(seconds=0.25))

    for decide in (approve, lambda *asked: deny(*asked[:2], "No", asked[2])):
        with pytest.raises(Changed):
            decide(desk, case.id, asked)
    assert case_of(desk, case) == case
    assert approve(desk, case.id, replace(asked, role_as_of=desk.now())).won


def test_a_guest_asks_for_nothing_sees_nothing_and_withdraws_nothing(
    desk: Service, stopped: Contact
) -> None:
    case = ask(desk, stopped)
    guest = replace(AGENT, role=Role.NOBODY)

    for step in (
        lambda: request(
            desk, stopped.id, CaseRequest(channel=Channel.SMS, evidence="call"), NOBODY
        ),
        lambda: cancel(desk, case.id, guest),
        lambda: case_details(desk, case.id, NOBODY),
    ):
        with pytest.raises(NotAllowed):
            step()
    assert case_of(desk, case) == case


def test_a_version_that_was_never_shown_is_refused(desk: Service, stopped: Contact) -> None:
    case = ask(desk, stopped)

    with pytest.raises(Changed):
        approve(desk, case.id, MANAGER, version=7)
    with pytest.raises(Changed):
        deny(desk, case.id, "No", MANAGER, version=7)
    with pytest.raises(NotFound):
        approve(desk, "none", MANAGER)
    assert case_of(desk, case) == case


DECISIONS: list[Any] = [approve, lambda service, id, who: deny(service, id, "No proof", who)]


@pytest.mark.parametrize("first", DECISIONS, ids=["approved", "denied"])
@pytest.mark.parametrize("second", [*DECISIONS, cancel], ids=["approve", "deny", "cancel"])
def test_who_comes_second_is_told_who_decided_and_when(
    desk: Service, stopped: Contact, clock: Stopped, first: Any, second: Any
) -> None:
    case = ask(desk, stopped)
    won = first(desk, case.id, MANAGER)
    decided_at = clock()
    clock.advance(MINUTE)
    before = len(told(desk))
    lost = second(desk, case.id, OTHER_MANAGER)

    assert (won.won, lost.won) == (True, False)
    assert lost.case == won.case == case_of(desk, case)
    assert (lost.case.decided_by, lost.case.decided_at) == (MANAGER.id, decided_at)
    assert len(told(desk)) == before


def test_a_second_approval_of_what_waits_changes_nothing(desk: Service, blocked: Contact) -> None:
    case = ask(desk, blocked)
    first = approve(desk, case.id, MANAGER).case

    assert approve(desk, case.id, OTHER_MANAGER).case == first
    assert not deny(desk, case.id, "No", OTHER_MANAGER).won
    assert case_of(desk, case) == first


def test_the_requester_is_told_by_direct_message_once_for_each_step(
    desk: Service, blocked: Contact, clock: Stopped
) -> None:
    case = ask(desk, blocked)
    approve(desk, case.id, MANAGER)
    clock.advance(HOUR)
    tell(desk, text("UNSTOP"))
    sent = messages(desk, AlertKind.CASE_TOLD)

    assert [(a.slack_channel, a.text) for a in sent] == [
        ("U0AGENT1", "approved"),
        ("U0AGENT1", "completed"),
    ]


def test_every_copy_is_drawn_anew_with_every_step(desk: Service, blocked: Contact) -> None:
    case = ask(desk, blocked)

    def drawn() -> int:
        (copy,) = messages(desk, AlertKind.CASE)
        return copy.delivery.desired_version

    seen = [drawn()]
    approve(desk, case.id, MANAGER)
    seen.append(drawn())
    tell(desk, text("hello"), failed(Failure.HARD))
    seen.append(drawn())
    tell(desk, text("UNSTOP"))
    seen.append(drawn())

    assert seen == sorted(set(seen))


def test_the_alert_of_the_refusal_says_that_it_was_taken_back(
    desk: Service, blocked: Contact, clock: Stopped
) -> None:
    case = ask(desk, blocked)
    approve(desk, case.id, MANAGER)
    tell(desk, text("UNSTOP"))
    (alert,) = messages(desk, AlertKind.STOP)

    assert alert.follow_up.returned_at == clock()


# What approval leads to


def test_the_result_is_foretold_by_the_same_rules(desk: Service, blocked: Contact) -> None:
    case = ask(desk, blocked)
    foretold = case_details(desk, case.id, AGENT)
    assert foretold.then is not None
    assert foretold.now is not None

    assert [gate.code for gate in foretold.now.gates] == ["opted_out"]
    assert foretold.then.answer is Answer.YES
    assert list(foretold.missing) == [LOCAL]


def test_do_not_contact_stays_whatever_is_approved(desk: Service, stopped: Contact) -> None:
    case = ask(desk, stopped)
    change(desk, stopped.id, StatusUpdate(do_not_contact=True), OTHER_AGENT)
    seen = case_details(desk, case.id, MANAGER)
    assert seen.then is not None

    assert case_of(desk, case).open
    assert seen.then.answer is Answer.NO
    assert any("Do not contact" in warning for warning in seen.warnings)
    assert approve(desk, case.id, MANAGER).won
    assert case_details(desk, case.id, MANAGER).now == seen.then


def test_an_email_that_was_unsubscribed_comes_back_by_approval_alone(
    desk: Service, subscriber: Contact, clock: Stopped
) -> None:
    tell(desk, mailed(EventKind.UNSUBSCRIBED))
    clock.advance(HOUR)
    case = ask(desk, subscriber, Channel.EMAIL)

    assert approve(desk, case.id, MANAGER).case.state is CaseState.COMPLETED
    assert on(desk, subscriber, Channel.EMAIL) is ConsentValue.YES
    assert on(desk, subscriber) is ConsentValue.YES


@pytest.mark.parametrize("lifted", [EventKind.UNSUPPRESSED, EventKind.RESUBSCRIBED])
def test_the_providers_list_is_no_key_and_nothing_is_sent_before_the_address_is_off_it(
    desk: Service, subscriber: Contact, clock: Stopped, lifted: EventKind
) -> None:
    dropped = failed(Failure.OPT_OUT, address=MAILBOX, provider="sendgrid")
    tell(desk, mailed(EventKind.UNSUBSCRIBED), dropped)
    clock.advance(HOUR)
    case = ask(desk, subscriber, Channel.EMAIL)
    seen = case_details(desk, case.id, MANAGER)
    done = approve(desk, case.id, MANAGER).case
    halfway = case_details(desk, case.id, MANAGER).now
    tell(desk, mailed(lifted))
    after = case_details(desk, case.id, MANAGER).now
    assert seen.then is not None
    assert halfway is not None
    assert after is not None

    assert seen.missing == ()
    assert [gate.code for gate in seen.then.gates] == ["suppressed"]
    assert (done.state, on(desk, subscriber, Channel.EMAIL)) == (
        CaseState.COMPLETED,
        ConsentValue.YES,
    )
    assert [(gate.code, gate.owner) for gate in halfway.gates] == [("suppressed", "operator")]
    assert "SendGrid" in halfway.gates[0].remedy
    assert (halfway.answer, after.answer) == (Answer.NO, Answer.YES)


def test_a_complaint_is_warned_of_and_outlives_the_approval(
    desk: Service, subscriber: Contact, clock: Stopped
) -> None:
    tell(desk, mailed(EventKind.COMPLAINT))
    clock.advance(HOUR)
    case = ask(desk, subscriber, Channel.EMAIL)
    seen = case_details(desk, case.id, MANAGER)
    approve(desk, case.id, MANAGER)
    after = case_details(desk, case.id, MANAGER).now
    assert after is not None

    assert "The contact reported our e-mail as spam." in seen.warnings
    assert on(desk, subscriber, Channel.EMAIL) is ConsentValue.YES
    assert [gate.code for gate in after.gates] == ["suppressed", "complaint"]


def test_a_shared_number_comes_back_for_whom_it_was_asked(
    desk: Service, housemate: Contact, stopped: Contact
) -> None:
    tell(desk, text("stop all"))
    assert isinstance(desk.now, Stopped)
    desk.now.advance(HOUR)
    case = ask(desk, stopped)
    warnings = case_details(desk, case.id, MANAGER).warnings
    approve(desk, case.id, MANAGER)

    assert (on(desk, stopped), on(desk, housemate)) == (ConsentValue.YES, ConsentValue.NO)
    assert any(
        "Another contact has this number, and stays at NO." in warning for warning in warnings
    )


def test_one_unstop_counts_for_the_case_of_everybody_with_the_number(
    desk: Service, subscriber: Contact, housemate: Contact, clock: Stopped
) -> None:
    tell(desk, text("STOP"))
    clock.advance(HOUR)
    anas, bos = ask(desk, subscriber), ask(desk, housemate)
    approve(desk, anas.id, MANAGER)
    approve(desk, bos.id, MANAGER)
    tell(desk, text("UNSTOP"))

    assert {case_of(desk, case).state for case in (anas, bos)} == {CaseState.COMPLETED}
    assert (on(desk, subscriber), on(desk, housemate)) == (ConsentValue.YES, ConsentValue.YES)


def test_an_unstop_alone_completes_nothing(desk: Service, blocked: Contact) -> None:
    case = ask(desk, blocked)
    tell(desk, text("UNSTOP"), text("START"), text("YES"), text("yes please"))

    assert case_of(desk, case).state is CaseState.PENDING
    assert on(desk, blocked) is ConsentValue.NO


def test_what_was_refused_has_no_other_way_back(desk: Service, stopped: Contact) -> None:
    case = ask(desk, stopped)
    approve_by_edit = StatusUpdate(sms=ConsentValue.YES, evidence="call")

    for who in (AGENT, MANAGER, OPERATOR):
        with pytest.raises(NeedsManager):
            change(desk, stopped.id, approve_by_edit, who)
        with pytest.raises(OptinError):
            undo(desk, stopped.id, Channel.SMS, who)
    assert case_of(desk, case) == case
    assert on(desk, stopped) is ConsentValue.NO


def test_a_completed_case_stays_as_it_is_when_the_contact_stops_again(
    desk: Service, stopped: Contact, clock: Stopped
) -> None:
    case = approve(desk, ask(desk, stopped).id, MANAGER).case
    clock.advance(HOUR)
    tell(desk, text("STOP"))

    assert case_of(desk, case) == case
    assert on(desk, stopped) is ConsentValue.NO


def test_erased_contacts_are_asked_for_no_more(desk: Service, stopped: Contact) -> None:
    erase(desk, stopped.id, OPERATOR)

    with pytest.raises(Refused, match="erased"):
        ask(desk, stopped)


def test_a_case_is_decided_at_the_command_line_too(desk: Service, stopped: Contact) -> None:
    case = ask(desk, stopped, by=Actor(id="cli:ana", role=Role.OPERATOR, source="cli"))
    done = approve(desk, case.id, OPERATOR).case

    assert (done.state, done.decided_by) == (CaseState.COMPLETED, OPERATOR.id)
    assert messages(desk, AlertKind.CASE_TOLD) == []
