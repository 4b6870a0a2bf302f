"""What a person may change of a contact, whose `no` it is, and what is taken back within 15 minutes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.consent.errors import (
    Invalid,
    NeedsEvidence,
    NeedsManager,
    NotAllowed,
    NotFound,
    OptinError,
    Refused,
    TooLate,
)
from bot.consent.log.entries import CHANGING, EntryKind
from bot.consent.model import Actor, Bounce, Channel, ConsentValue, Contact, Evidence, Origin, Role
from bot.consent.rules import Reason
from bot.consent.use_cases import (
    Details,
    Service,
    StatusUpdate,
    add,
    change,
    edit,
    note,
    profile,
    undo,
    verify,
)
from bot.runtime.clock import Stopped
from tests.support.consent_fixtures import (
    AGENT,
    MANAGER,
    NOBODY,
    NOW,
    OPERATOR,
    OTHER_AGENT,
    bounce,
    stop,
    told,
)
from tests.support.storages import on_disk

YES = StatusUpdate(sms=ConsentValue.YES, evidence="web form of 3 November")
NO = StatusUpdate(sms=ConsentValue.NO)
CLEAR_SMS = StatusUpdate(
    clear_bounce=frozenset({Channel.SMS}), reason=Reason.CORRECTION, evidence="called"
)
SLIP = StatusUpdate(sms=ConsentValue.NO, reason=Reason.PHONE)


@pytest.fixture
def ana(service: Service) -> Contact:
    return add(
        service, Details(name="Ana Gómez", phone="+1 415 555 0100", email="ana@example.com"), AGENT
    )


def sms(service: Service, contact: Contact) -> ConsentValue:
    return profile(service, contact.id, AGENT).contact.consent(Channel.SMS).on


def answer(service: Service, contact: Contact) -> str:
    return profile(service, contact.id, AGENT).decisions[Channel.SMS].answer


def test_a_first_yes_needs_evidence_and_no_approval(service: Service, ana: Contact):
    with pytest.raises(NeedsEvidence):
        change(service, ana.id, StatusUpdate(sms=ConsentValue.YES), AGENT)

    outcome = change(service, ana.id, YES, AGENT)

    consent = outcome.contact.consent(Channel.SMS)
    assert [(c.what, c.before, c.after) for c in outcome.changes] == [("SMS On", "UNSET", "YES")]
    assert consent.evidence is not None
    assert (consent.evidence.text, consent.evidence.at) == ("web form of 3 November", NOW)
    assert answer(service, ana) == "yes"


@pytest.mark.parametrize("evidence", ["", " \t\n", "\u200b", "\u202a \u202c", "\0", "\x1b"])
def test_what_cannot_be_seen_is_no_evidence(service: Service, ana: Contact, evidence: str):
    with pytest.raises(NeedsEvidence) as refusal:
        change(service, ana.id, StatusUpdate(sms=ConsentValue.YES, evidence=evidence), AGENT)

    assert refusal.value.field == "evidence"
    assert sms(service, ana) is ConsentValue.UNSET


def test_evidence_from_the_future_is_none_and_from_this_instant_it_is(
    service: Service, ana: Contact
):
    later = NOW + timedelta(seconds=1)
    with pytest.raises(Invalid) as refusal:
        change(
            service,
            ana.id,
            StatusUpdate(sms=ConsentValue.YES, evidence="form", evidence_at=later),
            AGENT,
        )

    change(
        service, ana.id, StatusUpdate(sms=ConsentValue.YES, evidence="form", evidence_at=NOW), AGENT
    )

    assert refusal.value.field == "evidence"
    assert sms(service, ana) is ConsentValue.YES


def test_a_no_needs_nothing_else_and_holds_at_once(service: Service, ana: Contact):
    change(service, ana.id, YES, AGENT)
    change(service, ana.id, NO, AGENT)

    assert answer(service, ana) == "no"


@pytest.mark.parametrize(
    ("reason", "by", "whose"),
    [
        (None, None, Origin.CONTACT),
        ("", None, Origin.CONTACT),
        ("because", None, Origin.CONTACT),
        (Reason.PHONE, None, Origin.CONTACT),
        (Reason.EMAIL, None, Origin.CONTACT),
        (Reason.IN_PERSON, None, Origin.CONTACT),
        (Reason.WEB_FORM, None, Origin.CONTACT),
        (Reason.WRONG_PERSON, None, Origin.STAFF),
        (Reason.CORRECTION, None, Origin.STAFF),
        ("account closed", Origin.STAFF, Origin.STAFF),
        (Reason.CORRECTION, Origin.CONTACT, Origin.CONTACT),
        (Reason.PHONE, Origin.STAFF, Origin.CONTACT),
        (Reason.WEB_FORM, Origin.STAFF, Origin.CONTACT),
        (None, Origin.STAFF, Origin.CONTACT),
        ("", Origin.STAFF, Origin.CONTACT),
    ],
)
def test_whose_no_it_is_comes_from_the_reason(
    service: Service, ana: Contact, reason: str | None, by: Origin | None, whose: Origin
):
    change(service, ana.id, StatusUpdate(sms=ConsentValue.NO, reason=reason, by=by), AGENT)

    assert profile(service, ana.id, AGENT).contact.consent(Channel.SMS).by is whose


@pytest.mark.parametrize("who", [AGENT, MANAGER, OPERATOR])
def test_nobody_sets_yes_where_the_contact_refused_not_even_who_approves(
    service: Service, ana: Contact, who: Actor
):
    change(service, ana.id, SLIP, AGENT)
    with pytest.raises(NeedsManager) as refusal:
        change(service, ana.id, YES, who)

    assert refusal.value.field == "sms_on"
    assert "on 3 Nov 2026" in refusal.value.sentence
    assert sms(service, ana) is ConsentValue.NO


def test_what_staff_refused_comes_back_with_evidence_and_no_approval(
    service: Service, ana: Contact
):
    change(service, ana.id, StatusUpdate(sms=ConsentValue.NO, reason=Reason.WRONG_PERSON), AGENT)
    with pytest.raises(NeedsEvidence):
        change(service, ana.id, StatusUpdate(sms=ConsentValue.YES), AGENT)

    change(service, ana.id, YES, OTHER_AGENT)

    assert sms(service, ana) is ConsentValue.YES


def test_a_refusal_of_the_contact_takes_over_one_of_staff_and_never_the_other_way(
    service: Service, ana: Contact
):
    change(service, ana.id, StatusUpdate(sms=ConsentValue.NO, reason=Reason.CORRECTION), AGENT)
    change(service, ana.id, StatusUpdate(sms=ConsentValue.NO, reason=Reason.PHONE), AGENT)
    change(service, ana.id, StatusUpdate(sms=ConsentValue.NO, reason=Reason.CORRECTION), AGENT)

    with pytest.raises(NeedsManager):
        change(service, ana.id, YES, AGENT)
    assert profile(service, ana.id, AGENT).contact.consent(Channel.SMS).by is Origin.CONTACT


def test_a_yes_without_proof_takes_on_evidence_and_one_with_proof_stays(
    service: Service, ana: Contact
):
    change(service, ana.id, YES, AGENT)
    again = change(
        service, ana.id, StatusUpdate(sms=ConsentValue.YES, evidence="another form"), AGENT
    )

    assert again.changes == ()
    assert again.contact.version == 2


def test_a_consent_cannot_be_set_to_unset(service: Service, ana: Contact):
    with pytest.raises(Invalid):
        change(service, ana.id, StatusUpdate(sms=ConsentValue.UNSET), AGENT)


def test_there_is_no_consent_without_an_address(service: Service):
    mailbox = add(service, Details(name="Bo", email="bo@example.com"), AGENT)

    for wanted in (YES, NO):
        with pytest.raises(Invalid) as refusal:
            change(service, mailbox.id, wanted, AGENT)
        assert refusal.value.field == "sms_on"


def test_one_save_is_carried_out_whole_or_not_at_all(
    service: Service, ana: Contact, storage_path: Path
):
    before = on_disk(storage_path)
    with pytest.raises(NeedsEvidence):
        change(
            service,
            ana.id,
            StatusUpdate(email=ConsentValue.YES, sms=ConsentValue.NO, note="x"),
            AGENT,
        )

    assert on_disk(storage_path) == before
    assert sms(service, ana) is ConsentValue.UNSET


def test_every_change_has_one_entry_that_says_all_of_it(service: Service, ana: Contact):
    wish = StatusUpdate(
        sms=ConsentValue.YES,
        email=ConsentValue.NO,
        evidence="form",
        reason=Reason.PHONE,
        note="called",
    )
    change(service, ana.id, wish, AGENT)

    _, on, off, said = told(service, ana.id)
    assert (on.kind, on.channel, on.address) == (EntryKind.CONSENT, Channel.SMS, "+14155550100")
    assert (on.before, on.after, on.reason) == ("UNSET", "YES", "Asked by phone")
    assert (on.actor, on.source, on.occurred_at, on.recorded_at) == (
        AGENT.id,
        "slack",
        NOW,
        NOW,
    )
    assert (off.channel, off.before, off.after, off.by) == (
        Channel.EMAIL,
        "UNSET",
        "NO",
        Origin.CONTACT,
    )
    assert (said.kind, said.reason) == (EntryKind.NOTE, "called")
    assert [e.version for e in (on, off, said)] == [2, 3, 3]


@pytest.mark.parametrize(
    "wish",
    [
        YES,
        NO,
        StatusUpdate(do_not_contact=True),
        StatusUpdate(note="x"),
        StatusUpdate(clear_bounce=frozenset(Channel)),
    ],
)
def test_who_is_nobody_here_changes_nothing(
    service: Service, ana: Contact, storage_path: Path, wish: StatusUpdate
):
    before = on_disk(storage_path)
    with pytest.raises(NotAllowed):
        change(service, ana.id, wish, NOBODY)
    with pytest.raises(NotAllowed):
        undo(service, ana.id, Channel.SMS, NOBODY)
    with pytest.raises(NotAllowed):
        note(service, ana.id, "x", NOBODY)
    with pytest.raises(NotAllowed):
        profile(service, ana.id, NOBODY)

    assert on_disk(storage_path) == before


def test_a_role_is_the_one_held_now_and_not_the_one_held_before(service: Service, ana: Contact):
    change(service, ana.id, StatusUpdate(do_not_contact=True), MANAGER)
    demoted = Actor(id=MANAGER.id, role=Role.AGENT, source="slack")

    with pytest.raises(NotAllowed):
        change(service, ana.id, StatusUpdate(do_not_contact=False), demoted)


def test_anybody_marks_do_not_contact_and_only_a_manager_takes_it_off(
    service: Service, ana: Contact
):
    change(service, ana.id, YES, AGENT)
    change(service, ana.id, StatusUpdate(do_not_contact=True), AGENT)
    with pytest.raises(NotAllowed):
        change(service, ana.id, StatusUpdate(do_not_contact=False), AGENT)
    held = answer(service, ana)
    change(service, ana.id, StatusUpdate(do_not_contact=False), MANAGER)

    assert (held, answer(service, ana)) == ("no", "yes")


def test_an_unknown_contact_is_not_found(service: Service):
    with pytest.raises(NotFound):
        change(service, "0" * 32, NO, AGENT)


# Bounces


def test_a_cleared_bounce_is_on_probation_and_never_green(service: Service, ana: Contact):
    change(service, ana.id, YES, AGENT)
    bounce(service, "+14155550100")
    bounced = answer(service, ana)
    clear = StatusUpdate(
        clear_bounce=frozenset({Channel.SMS}),
        reason="they changed phones",
        evidence=" they texted from it ",
    )
    outcome = change(service, ana.id, clear, AGENT)

    after = profile(service, ana.id, AGENT)
    assert bounced == "no"
    assert [(c.what, c.after) for c in outcome.changes] == [("SMS Bounce", "PROBATION")]
    assert after.facts[Channel.SMS].bounce is Bounce.PROBATION
    assert after.decisions[Channel.SMS].answer == "unverified"
    entry = told(service, ana.id)[-1]
    assert entry.reason == "they changed phones"
    assert entry.evidence == Evidence(text="they texted from it", at=NOW)
    assert verify(service).problem is None


@pytest.mark.parametrize("blank", [None, "", " \u200b"])
def test_an_agent_clears_a_bounce_with_a_reason_and_with_evidence_only(
    service: Service, ana: Contact, blank: str | None
):
    bounce(service, "+14155550100")
    clear = StatusUpdate(
        clear_bounce=frozenset({Channel.SMS}), reason="Correction", evidence="call"
    )

    with pytest.raises(Invalid) as no_reason:
        change(service, ana.id, replace(clear, reason=blank), AGENT)
    with pytest.raises(NeedsEvidence) as no_evidence:
        change(service, ana.id, replace(clear, evidence=blank), AGENT)

    assert no_reason.value.field == "reason"
    assert no_evidence.value.field == "evidence"
    assert profile(service, ana.id, AGENT).facts[Channel.SMS].bounce is Bounce.YES


def test_at_the_command_line_the_reason_of_a_cleared_bounce_counts_as_evidence(
    service: Service, ana: Contact
):
    bounce(service, "+14155550100")
    clear = StatusUpdate(clear_bounce=frozenset({Channel.SMS}), reason="Typo fixed")
    with pytest.raises(Invalid):
        change(service, ana.id, replace(clear, reason=None), OPERATOR)
    change(service, ana.id, clear, OPERATOR)

    assert told(service, ana.id)[-1].evidence == Evidence(text="Typo fixed", at=NOW)


def test_a_bounce_of_a_shared_number_is_told_of_everybody_who_has_it(
    service: Service, ana: Contact
):
    bo = add(service, Details(name="Bo", phone="+14155550100"), AGENT)
    bounce(service, "+14155550100")
    change(service, bo.id, CLEAR_SMS, AGENT)

    for contact in (ana, bo):
        last = told(service, contact.id)[-1]
        assert (last.kind, last.before, last.after) == (EntryKind.BOUNCE, "YES", "PROBATION")


def test_clearing_what_has_not_bounced_changes_nothing(service: Service, ana: Contact):
    outcome = change(service, ana.id, StatusUpdate(clear_bounce=frozenset(Channel)), AGENT)

    assert outcome.changes == ()
    assert len(told(service)) == 1


def test_only_a_manager_clears_a_complaint_and_the_refusal_stays(service: Service, ana: Contact):
    stop(service, "ana@example.com")
    bounce(service, "ana@example.com", complaint=True)
    clear = replace(CLEAR_SMS, clear_bounce=frozenset({Channel.EMAIL}))
    with pytest.raises(NotAllowed):
        change(service, ana.id, clear, AGENT)
    change(service, ana.id, clear, MANAGER)

    after = profile(service, ana.id, AGENT)
    assert after.facts[Channel.EMAIL].bounce is Bounce.PROBATION
    assert after.contact.consent(Channel.EMAIL).refused


def test_a_bounce_goes_with_the_address_and_a_new_number_is_the_cure(
    service: Service, ana: Contact
):
    bounce(service, "+14155550100")
    edit(service, ana.id, Details(phone="+1 415 555 0111"), AGENT)
    change(service, ana.id, YES, AGENT)
    moved = answer(service, ana)
    edit(service, ana.id, Details(phone="+1 415 555 0100"), AGENT)

    assert moved == "yes"
    assert profile(service, ana.id, AGENT).facts[Channel.SMS].bounce is Bounce.YES


# What somebody else did meanwhile


def test_who_saves_upon_a_change_of_somebody_else_hears_of_it_and_their_no_is_done(
    service: Service, ana: Contact
):
    change(service, ana.id, StatusUpdate(email=ConsentValue.YES, evidence="form"), OTHER_AGENT)
    wish = StatusUpdate(
        sms=ConsentValue.NO,
        email=ConsentValue.YES,
        evidence="call",
        note="typed",
        do_not_contact=None,
    )
    outcome = change(service, ana.id, wish, AGENT, version=1)

    assert outcome.meanwhile is not None
    assert outcome.meanwhile.actor == OTHER_AGENT.id
    assert [c.what for c in outcome.changes] == ["SMS On"]
    assert outcome.left is not None
    assert (outcome.left.sms, outcome.left.email, outcome.left.note) == (
        None,
        ConsentValue.YES,
        "typed",
    )


def test_a_yes_upon_a_change_of_somebody_else_waits(service: Service, ana: Contact):
    change(service, ana.id, StatusUpdate(email=ConsentValue.NO), OTHER_AGENT)
    outcome = change(service, ana.id, YES, AGENT, version=1)

    assert outcome.changes == ()
    assert outcome.left == YES
    assert sms(service, ana) is ConsentValue.UNSET


def test_do_not_contact_never_waits_either(service: Service, ana: Contact):
    change(service, ana.id, YES, OTHER_AGENT)
    change(service, ana.id, StatusUpdate(do_not_contact=True), AGENT, version=1)

    assert answer(service, ana) == "no"


def test_taking_do_not_contact_off_waits(service: Service, ana: Contact):
    change(service, ana.id, StatusUpdate(do_not_contact=True), OTHER_AGENT)
    outcome = change(service, ana.id, StatusUpdate(do_not_contact=False), MANAGER, version=1)

    assert outcome.contact.do_not_contact
    assert outcome.left == StatusUpdate(do_not_contact=False)


def test_a_note_of_somebody_else_is_no_change(service: Service, ana: Contact):
    note(service, ana.id, "called back", OTHER_AGENT)
    outcome = change(service, ana.id, YES, AGENT, version=1)

    assert outcome.meanwhile is None
    assert sms(service, ana) is ConsentValue.YES


# Undo


@pytest.mark.parametrize("reason", [Reason.PHONE, Reason.CORRECTION, None])
def test_ones_own_slip_is_undone_also_when_it_was_recorded_as_the_contacts_wish(
    service: Service, ana: Contact, clock: Stopped, reason: str | None
):
    before = change(service, ana.id, YES, AGENT).contact.consent(Channel.SMS)
    clock.advance(timedelta(days=30))
    slip = change(service, ana.id, StatusUpdate(sms=ConsentValue.NO, reason=reason), AGENT)
    clock.advance(timedelta(minutes=15))
    outcome = undo(service, ana.id, Channel.SMS, AGENT)

    after = outcome.contact.consent(Channel.SMS)
    assert slip.changes[0].undoable
    assert (after.on, after.by, after.evidence) == (ConsentValue.YES, before.by, before.evidence)
    assert outcome.contact.version == 4
    assert told(service, ana.id)[-1].recorded_at == clock()


def test_a_consent_that_is_put_back_is_as_old_as_it_was(
    service: Service, ana: Contact, clock: Stopped
):
    change(service, ana.id, YES, AGENT)
    clock.advance(timedelta(days=30))
    change(service, ana.id, SLIP, AGENT)
    after = undo(service, ana.id, Channel.SMS, AGENT)

    assert after.contact.consent(Channel.SMS).since == NOW


def test_after_fifteen_minutes_it_is_too_late(service: Service, ana: Contact, clock: Stopped):
    change(service, ana.id, YES, AGENT)
    change(service, ana.id, SLIP, AGENT)
    clock.advance(timedelta(minutes=15, seconds=1))

    with pytest.raises(TooLate):
        undo(service, ana.id, Channel.SMS, AGENT)


@pytest.mark.parametrize("who", [OTHER_AGENT, MANAGER, OPERATOR])
def test_nobody_undoes_what_somebody_else_did(service: Service, ana: Contact, who: Actor):
    change(service, ana.id, YES, AGENT)
    change(service, ana.id, SLIP, AGENT)

    with pytest.raises(Refused):
        undo(service, ana.id, Channel.SMS, who)


def test_a_stop_that_lies_between_cannot_be_undone(service: Service, ana: Contact, clock: Stopped):
    change(service, ana.id, YES, AGENT)
    change(service, ana.id, SLIP, AGENT)
    clock.advance(timedelta(minutes=1))
    stop(service, "+14155550100", sender="+18885550199")

    with pytest.raises(Refused):
        undo(service, ana.id, Channel.SMS, AGENT)
    assert sms(service, ana) is ConsentValue.NO


def test_a_refusal_that_a_colleague_heard_lies_between_and_is_told(
    service: Service, ana: Contact, clock: Stopped
):
    change(service, ana.id, YES, AGENT)
    change(service, ana.id, SLIP, AGENT)
    clock.advance(timedelta(minutes=1))
    change(service, ana.id, StatusUpdate(sms=ConsentValue.NO, reason=Reason.EMAIL), OTHER_AGENT)

    with pytest.raises(Refused):
        undo(service, ana.id, Channel.SMS, AGENT)
    last = told(service, ana.id)[-1]
    assert (last.kind, last.actor, last.by) == (EntryKind.NOTE, OTHER_AGENT.id, Origin.CONTACT)
    assert sms(service, ana) is ConsentValue.NO


def test_a_refusal_of_the_other_channel_does_not_lie_between(service: Service, ana: Contact):
    change(service, ana.id, YES, AGENT)
    change(service, ana.id, SLIP, AGENT)
    stop(service, "ana@example.com")

    assert (
        undo(service, ana.id, Channel.SMS, AGENT).contact.consent(Channel.SMS).on
        is ConsentValue.YES
    )


def test_an_undo_is_not_undone_nor_done_twice(service: Service, ana: Contact):
    change(service, ana.id, YES, AGENT)
    change(service, ana.id, SLIP, AGENT)
    undo(service, ana.id, Channel.SMS, AGENT)

    with pytest.raises(Refused):
        undo(service, ana.id, Channel.SMS, AGENT)
    assert sms(service, ana) is ConsentValue.YES


@pytest.mark.parametrize("wish", [NO, YES])
def test_only_a_yes_that_became_a_no_can_be_undone(
    service: Service, ana: Contact, wish: StatusUpdate
):
    change(service, ana.id, wish, AGENT)

    with pytest.raises(Refused):
        undo(service, ana.id, Channel.SMS, AGENT)


def test_a_slip_at_a_number_that_is_gone_is_not_undone_at_another(service: Service, ana: Contact):
    change(service, ana.id, YES, AGENT)
    change(service, ana.id, SLIP, AGENT)
    edit(service, ana.id, Details(phone="+1 415 555 0111"), AGENT)

    with pytest.raises(Refused):
        undo(service, ana.id, Channel.SMS, AGENT)
    assert profile(service, ana.id, AGENT).contact.consent(Channel.SMS).refused


# Words


def test_hard_words_are_kept_as_far_as_they_can_be_and_the_log_stays_whole(
    service: Service, ana: Contact
):
    odd = "a\ud800b\0c\u202e\x1b[2J ﷽ 🙂" + "x" * 10_000
    change(
        service,
        ana.id,
        StatusUpdate(sms=ConsentValue.YES, evidence=odd, reason=odd, note=odd),
        AGENT,
    )
    note(service, ana.id, odd, AGENT)

    last = told(service, ana.id)[-1]
    assert last.reason == "a\ufffdb\ufffdc\u202e[2J ﷽ 🙂" + "x" * 10_000
    assert verify(service).problem is None


@pytest.mark.parametrize("text", ["", "  ", "\u200b", "\0"])
def test_an_empty_note_is_none(service: Service, ana: Contact, text: str):
    with pytest.raises(Invalid):
        note(service, ana.id, text, AGENT)
    assert change(service, ana.id, StatusUpdate(note=text), AGENT).changes == ()
    assert len(told(service)) == 1


def test_versions_grow_by_one_with_every_entry_that_changes_and_with_no_other(
    service: Service, ana: Contact
):
    for wish in (YES, SLIP, SLIP, StatusUpdate(note="x"), StatusUpdate(do_not_contact=True), YES):
        try:
            change(service, ana.id, wish, AGENT)
        except OptinError:
            continue

    entries = told(service, ana.id)
    changing = [entry.version for entry in entries if entry.kind in CHANGING]
    assert changing == list(range(1, len(changing) + 1))
    assert profile(service, ana.id, AGENT).contact.version == changing[-1] == 4
