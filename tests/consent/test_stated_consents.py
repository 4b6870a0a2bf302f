"""A program states consents: NO at once, YES where nobody was asked, and a case for who refused."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.consent.alerts import AlertKind
from bot.consent.cases import CaseState
from bot.consent.errors import Invalid, NeedsEvidence, NotAllowed, NotFound
from bot.consent.events import EventKind
from bot.consent.gates import Code, Owner
from bot.consent.log.entries import EntryKind
from bot.consent.model import Channel, ConsentValue, Contact, Evidence, Origin
from bot.consent.rules import Answer
from bot.consent.use_cases import (
    Details,
    Row,
    Service,
    StatusUpdate,
    add,
    approve,
    change,
    deny,
    edit,
    erase,
    find,
    import_rows,
    profile,
    take_back,
    undo,
    verify,
)
from bot.consent.use_cases.stated.state_consent import state_consent
from bot.consent.use_cases.stated.statement import (
    ConsentStatement,
    StatedEvidence,
    StatedStatus,
    Withheld,
)
from bot.runtime.clock import Stopped
from tests.support.cases_fixtures import DAY, HOUR, messages
from tests.support.consent_fixtures import AGENT, MANAGER, OPERATOR, told
from tests.support.stated_fixtures import MINUTE, NEWSLETTER, proof, say, stranger
from tests.support.take_fixtures import MAILBOX, PHONE, consent, mailed, tell, text

NO, YES, UNSET = ConsentValue.NO, ConsentValue.YES, ConsentValue.UNSET


def answer(service: Service, contact: Contact, channel: Channel = Channel.SMS) -> Answer:
    return profile(service, contact.id, AGENT).decisions[channel].answer


# YES


def test_a_yes_fills_what_was_never_asked_with_its_evidence(desk: Service, clock: Stopped) -> None:
    cleo = stranger(desk)
    at = clock() - HOUR
    evidence = proof(at, ip="203.0.113.9", url="https://shop.example.com/checkout", language="en")
    done = say(desk, cleo, "yes", evidence=evidence)
    entry = told(desk, cleo.id)[-1]

    assert done.changed
    assert answer(desk, cleo) is Answer.YES
    assert (entry.kind, entry.before, entry.after) == (EntryKind.CONSENT, "UNSET", "YES")
    assert (entry.actor, entry.source, entry.by) == ("api:newsletter", "api", Origin.CONTACT)
    assert entry.occurred_at == at
    assert entry.evidence == Evidence(
        text="Ticked “Text me offers” (source: checkout; page: https://shop.example.com/checkout; "
        "language: en; IP: 203.0.113.9)",
        at=at,
    )


@pytest.mark.parametrize(
    ("missing", "field"),
    [
        ({"text": " \u200b\n"}, "evidence/text"),
        ({"source": ""}, "evidence/source"),
        ({"occurred_at": None}, "evidence/occurred_at"),
    ],
)
@pytest.mark.parametrize("status", ["yes", "pending"])
def test_a_yes_needs_its_whole_evidence(
    desk: Service, clock: Stopped, missing: dict[str, object], field: str, status: str
) -> None:
    cleo = stranger(desk)
    with pytest.raises(NeedsEvidence) as refusal:
        say(desk, cleo, status, evidence=replace(proof(clock()), **missing))  # type: ignore[arg-type]

    assert refusal.value.field == field
    assert consent(desk, cleo, "+14155550155").on is UNSET


def test_a_yes_without_any_evidence_is_refused(desk: Service) -> None:
    cleo = stranger(desk)
    bare = ConsentStatement(channel=Channel.SMS, status=StatedStatus.YES)
    with pytest.raises(NeedsEvidence) as refusal:
        state_consent(desk, cleo.id, bare, NEWSLETTER)

    assert refusal.value.field == "evidence"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"occurred_at": datetime(2027, 1, 1, tzinfo=UTC)}, "evidence/occurred_at"),
        ({"occurred_at": datetime(9999, 12, 31, tzinfo=UTC)}, "evidence/occurred_at"),
        ({"occurred_at": datetime(2026, 1, 1)}, "evidence/occurred_at"),  # noqa: DTZ001 - no zone
        ({"ip": "999.1.1.1"}, "evidence/ip"),
        ({"ip": "203.0.113.9; DROP TABLE"}, "evidence/ip"),
        ({"text": "x" * 5_001}, "evidence/text"),
        ({"url": "x" * 2**20}, "evidence/url"),
    ],
)
def test_evidence_that_can_not_be_is_refused(
    desk: Service, clock: Stopped, wrong: dict[str, object], field: str
) -> None:
    cleo = stranger(desk)
    with pytest.raises(Invalid) as refusal:
        say(desk, cleo, "yes", evidence=replace(proof(clock()), **wrong))  # type: ignore[arg-type]

    assert refusal.value.field == field
    assert consent(desk, cleo, "+14155550155").on is UNSET


def test_a_clock_that_is_some_seconds_ahead_means_now(desk: Service, clock: Stopped) -> None:
    cleo = stranger(desk)
    say(desk, cleo, "yes", evidence=proof(clock() + timedelta(seconds=20)))

    assert consent(desk, cleo, "+14155550155").since == clock()


def test_hostile_text_is_stored_without_what_no_storage_can_hold(desk: Service) -> None:
    cleo = stranger(desk)
    say(desk, cleo, "yes", text="a\x00b\ud800c\x1b[31m <!channel> & \u202ered", source="x\ny")
    entry = told(desk, cleo.id)[-1]

    assert entry.evidence is not None
    assert entry.evidence.text == "a\ufffdb\ufffdc[31m <!channel> & \u202ered (source: x y)"
    assert verify(desk).problem is None


def test_a_yes_proves_a_yes_without_evidence_once(desk: Service) -> None:
    bare = Row(line=2, details=Details(name="Bo", phone=PHONE), sms=YES)
    import_rows(desk, [bare], file="contacts.csv", actor=OPERATOR)
    [bo] = find(desk, PHONE, AGENT).contacts
    first, second = say(desk, bo.contact, "yes"), say(desk, bo.contact, "yes")

    assert bo.contact.consent(Channel.SMS).unproven
    assert (first.changed, second.changed) == (True, False)
    assert not consent(desk, bo.contact).unproven


def test_a_yes_that_is_proven_stays_as_it_is(desk: Service, subscriber: Contact) -> None:
    before = told(desk)

    assert not say(desk, subscriber, "yes").changed
    assert told(desk) == before


def test_a_yes_without_an_address_names_the_gate(desk: Service) -> None:
    bo = add(desk, Details(name="Bo", email="bo@example.com"), AGENT)
    with pytest.raises(Withheld) as refusal:
        say(desk, bo, "yes")

    assert refusal.value.gate.code is Code.NO_ADDRESS


def test_nobody_is_stated_to_agree_who_is_marked_do_not_contact(
    desk: Service, subscriber: Contact, housemate: Contact
) -> None:
    cleo = add(desk, Details(name="Cleo", phone=PHONE), AGENT)
    change(desk, housemate.id, StatusUpdate(do_not_contact=True), AGENT)

    for status in ("yes", "pending"):
        with pytest.raises(Withheld) as refusal:
            say(desk, cleo, status)
        assert refusal.value.gate.code is Code.DO_NOT_CONTACT


def test_what_staff_switched_off_no_program_switches_on(desk: Service, subscriber: Contact) -> None:
    change(desk, subscriber.id, StatusUpdate(sms=NO, reason="Wrong person"), AGENT)

    for status in ("yes", "pending"):
        with pytest.raises(Withheld, match="An agent can") as refusal:
            say(desk, subscriber, status)
        assert (refusal.value.gate.code, refusal.value.gate.owner) == (Code.OPTED_OUT, Owner.AGENT)
    assert consent(desk, subscriber).on is NO


def test_an_unknown_contact_is_not_found(desk: Service) -> None:
    with pytest.raises(NotFound):
        say(desk, replace(stranger(desk), id="f" * 32), "yes")


# Whoever refused


def test_a_yes_of_somebody_who_refused_opens_a_case_and_is_never_green(
    desk: Service, stopped: Contact
) -> None:
    done = say(desk, stopped, "yes")
    entry = told(desk, stopped.id)[-1]

    assert not done.changed
    assert done.case is not None
    assert (done.case.state, done.case.requested_by) == (CaseState.PENDING, "api:newsletter")
    assert "Ticked" in done.case.evidence.text
    assert (entry.kind, entry.actor) == (EntryKind.CASE, "api:newsletter")
    assert answer(desk, stopped) is Answer.NO
    # It is named with the others of its hour.
    assert messages(desk, AlertKind.CASE) == []


def test_evidence_that_is_older_than_the_refusal_leads_nowhere(
    desk: Service, stopped: Contact, clock: Stopped
) -> None:
    for at in (clock() - HOUR, clock() - DAY):  # the refusal was an hour ago
        with pytest.raises(Withheld, match="newer") as refusal:
            say(desk, stopped, "yes", occurred_at=at)
        assert refusal.value.gate.code is Code.OPTED_OUT
        assert refusal.value.gate.since == clock() - HOUR
    assert consent(desk, stopped).on is NO


def test_a_second_yes_says_that_the_case_is_open(desk: Service, stopped: Contact) -> None:
    case = say(desk, stopped, "yes").case
    with pytest.raises(Withheld, match="already") as refusal:
        say(desk, stopped, "yes")

    assert refusal.value.case == case


def test_a_manager_approves_what_a_program_asked_for(desk: Service, stopped: Contact) -> None:
    case = say(desk, stopped, "yes").case
    assert case is not None
    done = approve(desk, case.id, MANAGER, version=case.version)

    assert (done.won, done.case.state) == (True, CaseState.COMPLETED)
    assert answer(desk, stopped) is Answer.YES
    assert messages(desk, AlertKind.CASE_TOLD) == []


def test_no_program_decides_undoes_or_edits(desk: Service, stopped: Contact) -> None:
    case = say(desk, stopped, "yes").case
    assert case is not None
    yes = StatusUpdate(sms=YES, evidence="we say so")
    say(desk, stopped, "no", Channel.EMAIL)

    for forbidden in (
        lambda: approve(desk, case.id, NEWSLETTER),
        lambda: deny(desk, case.id, "no", NEWSLETTER),
        lambda: change(desk, stopped.id, yes, NEWSLETTER),
        lambda: undo(desk, stopped.id, Channel.EMAIL, NEWSLETTER),
        lambda: edit(desk, stopped.id, Details(name="Eve"), NEWSLETTER),
        lambda: take_back(desk, stopped.id, Channel.EMAIL, NEWSLETTER, reason="no"),
        lambda: erase(desk, stopped.id, NEWSLETTER),
    ):
        with pytest.raises(NotAllowed):
            forbidden()
    assert consent(desk, stopped).on is NO


# NO


def test_a_no_counts_at_once_for_everybody_with_the_address(
    desk: Service, subscriber: Contact, housemate: Contact, clock: Stopped
) -> None:
    done = say(desk, subscriber, "no", source="preference page", text="Unticked texts")
    entry = told(desk, subscriber.id)[-1]

    assert (done.changed, done.also) == (True, 1)
    assert (entry.before, entry.after, entry.by) == ("YES", "NO", Origin.CONTACT)
    assert entry.reason == "Asked through preference page"
    assert entry.evidence == Evidence(
        text="Unticked texts (source: preference page)", at=clock() - MINUTE
    )
    for contact in (subscriber, housemate):
        assert consent(desk, contact).refused
        assert consent(desk, contact).since == clock() - MINUTE
        assert consent(desk, contact, MAILBOX).on is YES
    assert consent(desk, add(desk, Details(name="Dan", phone=PHONE), AGENT)).refused


@pytest.mark.parametrize(
    "evidence",
    [
        None,
        StatedEvidence(),
        StatedEvidence(text="x" * 2**20, source="y" * 2**20, ip="no ip"),
        StatedEvidence(text="Unticked", occurred_at=datetime(2126, 1, 1, tzinfo=UTC)),
        StatedEvidence(text="Unticked", occurred_at=datetime(2126, 1, 1)),  # noqa: DTZ001 - no zone
    ],
)
def test_no_evidence_holds_up_a_no(
    desk: Service, subscriber: Contact, evidence: StatedEvidence | None
) -> None:
    statement = ConsentStatement(channel=Channel.SMS, status=StatedStatus.NO, evidence=evidence)

    assert state_consent(desk, subscriber.id, statement, NEWSLETTER).changed
    assert consent(desk, subscriber).refused
    assert consent(desk, subscriber).since == desk.now()


def test_the_same_no_once_more_changes_nothing(desk: Service, subscriber: Contact) -> None:
    say(desk, subscriber, "no")
    before = told(desk)

    assert not say(desk, subscriber, "no").changed
    assert told(desk) == before


def test_a_newer_no_is_noted_for_the_evidence_to_be_newer_than(
    desk: Service, subscriber: Contact, clock: Stopped
) -> None:
    say(desk, subscriber, "no")
    clock.advance(HOUR)
    say(desk, subscriber, "no")
    clock.advance(HOUR)

    with pytest.raises(Withheld, match="newer"):
        say(desk, subscriber, "yes", occurred_at=clock() - HOUR - MINUTE)


def test_a_no_makes_what_staff_switched_off_the_contacts_own(
    desk: Service, subscriber: Contact
) -> None:
    change(desk, subscriber.id, StatusUpdate(sms=NO, reason="Wrong person"), AGENT)

    assert say(desk, subscriber, "no").changed
    assert consent(desk, subscriber).refused


def test_a_no_that_is_told_late_counts_all_the_same(desk: Service, subscriber: Contact) -> None:
    say(desk, subscriber, "no", occurred_at=desk.now() - 30 * DAY)

    assert consent(desk, subscriber).refused


def test_no_source_passes_for_a_reason_of_ours(desk: Service, subscriber: Contact) -> None:
    """Some reasons mean something: a re-opt-in answers older refusals."""
    for source in ("Re-opt-in", "Undo of an import", "Refused at an earlier address"):
        say(desk, subscriber, "no", source=source, occurred_at=desk.now())

        assert consent(desk, subscriber).reason == "Asked through Re-opt-in"
    cleo = stranger(desk)
    say(desk, cleo, "yes", source="Re-opt-in")
    assert consent(desk, cleo, "+14155550155").reason is None


def test_a_no_and_a_later_yes_are_never_green(
    desk: Service, subscriber: Contact, clock: Stopped
) -> None:
    say(desk, subscriber, "no")
    for _ in range(3):
        clock.advance(HOUR)
        with contextlib.suppress(Withheld):
            say(desk, subscriber, "yes")
        assert answer(desk, subscriber) is Answer.NO


def test_a_manager_takes_back_a_no_that_a_program_stated_by_mistake(
    desk: Service, subscriber: Contact, housemate: Contact
) -> None:
    say(desk, subscriber, "no")
    take_back(desk, subscriber.id, Channel.SMS, MANAGER, reason="The shop mixed up two people")

    for contact in (subscriber, housemate):
        assert consent(desk, contact).on is YES


def test_a_no_overtakes_the_open_case(desk: Service, stopped: Contact, clock: Stopped) -> None:
    case = say(desk, stopped, "yes").case
    assert case is not None
    clock.advance(HOUR)
    say(desk, stopped, "no")
    with desk.store.reading() as records:
        after = records.cases.get(case.id)

    assert after is not None
    assert after.state is CaseState.OVERTAKEN


def test_a_stop_and_an_unsubscribe_are_not_lifted_by_any_statement(
    desk: Service, subscriber: Contact, clock: Stopped
) -> None:
    tell(desk, text("STOP"), mailed(EventKind.UNSUBSCRIBED))
    clock.advance(HOUR)
    for channel in Channel:
        assert say(desk, subscriber, "yes", channel).case is not None
        assert answer(desk, subscriber, channel) is Answer.NO
