"""Contacts in from a file: what a row may do, and undoing the file as one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.consent.errors import Invalid, NotAllowed, Refused
from bot.consent.log.changes import ConsentChanged
from bot.consent.log.entries import EntryKind
from bot.consent.model import (
    Actor,
    Bounce,
    Channel,
    ConsentValue,
    Contact,
    Evidence,
    LineType,
    Origin,
)
from bot.consent.rules import Reason
from bot.consent.use_cases import (
    Details,
    Report,
    Row,
    Service,
    StatusUpdate,
    add,
    change,
    edit,
    erase,
    export,
    find,
    import_rows,
    profile,
    undo,
    undo_import,
    verify,
)
from bot.consent.use_cases.record import Recorder
from bot.runtime.clock import Stopped
from tests.support.consent_fixtures import AGENT, NOBODY, NOW, OPERATOR, stop, told
from tests.support.storages import on_disk

pytestmark = pytest.mark.every_storage

PHONE, OTHER_PHONE, MAILBOX = "+14155550100", "+14155550111", "ana@example.com"
FORM = Evidence(text="web form", at=NOW - timedelta(days=9))


def row(name: str = "Ana Gómez", phone: str | None = PHONE, **more: Any) -> Row:
    details = {k: more.pop(k) for k in ("email", "external_id", "company") if k in more}
    return Row(line=2, details=Details(name=name, phone=phone, **details), **more)


def take(service: Service, *rows: Row, actor: Actor = OPERATOR, dry_run: bool = False) -> Report:
    return import_rows(service, rows, file="contacts.csv", actor=actor, dry_run=dry_run)


def only(service: Service, text: str = PHONE) -> Contact:
    [found] = find(service, text, AGENT).contacts
    return found.contact


def on(service: Service, text: str = PHONE) -> ConsentValue:
    return only(service, text).consent(Channel.SMS).on


@pytest.mark.parametrize(
    ("before", "wanted", "evidence", "after", "counted"),
    [
        ("unset", ConsentValue.YES, FORM, "YES", "SMS On set to YES"),
        ("unset", ConsentValue.YES, None, "YES", "of these YES without evidence"),
        ("unset", ConsentValue.NO, None, "NO", "SMS On set to NO"),
        ("unset", ConsentValue.UNSET, FORM, "UNSET", "rows that change nothing"),
        ("yes", ConsentValue.NO, FORM, "NO", "SMS On set to NO"),
        ("yes", ConsentValue.YES, FORM, "YES", "rows that change nothing"),
        ("yes", ConsentValue.UNSET, None, "YES", "rows that change nothing"),
        (
            "contact's no",
            ConsentValue.YES,
            FORM,
            "NO",
            "SMS On kept at NO although the file says YES",
        ),
        (
            "staff's no",
            ConsentValue.YES,
            FORM,
            "NO",
            "SMS On kept at NO although the file says YES",
        ),
        ("contact's no", ConsentValue.NO, None, "NO", "rows that change nothing"),
        ("staff's no", ConsentValue.NO, None, "NO", "SMS On set to NO"),
        ("contact's no", ConsentValue.UNSET, None, "NO", "rows that change nothing"),
    ],
)
def test_a_row_may_set_no_and_fill_what_is_unset_and_never_turns_no_into_yes(
    service: Service,
    clock: Stopped,
    before: str,
    wanted: ConsentValue,
    evidence: Evidence | None,
    after: str,
    counted: str,
):
    ana = add(service, Details(name="Ana Gómez", phone=PHONE), AGENT)
    wishes = {
        "yes": StatusUpdate(sms=ConsentValue.YES, evidence="call"),
        "contact's no": StatusUpdate(sms=ConsentValue.NO),
        "staff's no": StatusUpdate(sms=ConsentValue.NO, reason=Reason.CORRECTION),
    }
    if before in wishes:
        change(service, ana.id, wishes[before], AGENT)
    clock.advance(timedelta(days=1))
    report = take(service, row(sms=wanted, evidence=evidence))

    assert on(service) == after
    assert report.counts[counted] == 1
    assert verify(service).problem is None


def test_a_no_out_of_a_file_is_the_contacts_and_needs_a_manager(service: Service):
    take(service, row(sms=ConsentValue.NO))

    consent = only(service).consent(Channel.SMS)
    assert (consent.by, consent.refused) == (Origin.IMPORT, True)


def test_a_yes_without_evidence_is_taken_and_shown_as_unproven(service: Service):
    take(service, row(sms=ConsentValue.YES))

    decision = profile(service, only(service).id, AGENT).decisions[Channel.SMS]
    assert decision.answer == "yes"
    assert decision.notes == ("Unproven: nothing shows that the contact agreed.",)


@pytest.mark.parametrize("text", ["", "  ", "\t", "\u200b", "\0"])
def test_evidence_that_says_nothing_proves_nothing_and_still_dates_the_yes(
    service: Service, text: str
):
    at = NOW - timedelta(days=9)
    take(service, row(sms=ConsentValue.YES, evidence=Evidence(text=text, at=at)))

    consent = only(service).consent(Channel.SMS)
    assert (consent.unproven, consent.since) == (True, at)


def test_a_yes_without_evidence_takes_on_evidence_from_a_later_file(service: Service):
    take(service, row(sms=ConsentValue.YES))
    take(service, row(sms=ConsentValue.YES, evidence=FORM))

    consent = only(service).consent(Channel.SMS)
    assert (consent.evidence, consent.since) == (FORM, FORM.at)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row(name=""), "There is no name, and nobody has this address."),
        (row(name="\u200b"), "There is no name, and nobody has this address."),
        (row(phone=None), "There is neither"),
        (row(phone="12345", email=MAILBOX), "too short"),
        (row(phone=PHONE, email="ana at example"), "no e-mail address"),
        (
            row(evidence=Evidence(text="form", at=NOW + timedelta(seconds=1))),
            "consent_at is in the future.",
        ),
        (row(name="N" * 10_000), "too long"),
    ],
)
def test_a_bad_row_is_rejected_with_its_reason_and_the_good_ones_are_kept(
    service: Service, bad: Row, reason: str
):
    said: list[str] = []
    report = import_rows(
        service,
        [bad, row(name="Bo", phone=OTHER_PHONE)],
        file="contacts.csv",
        actor=OPERATOR,
        reject=lambda row, reason: said.append(reason),
    )

    assert (report.rejected, report.counts["contacts added"], report.rows) == (1, 1, 2)
    assert len(said) == 1
    assert reason in said[0]
    assert only(service, OTHER_PHONE).name == "Bo"


def test_a_file_without_a_good_row_leaves_no_trace(service: Service, storage_path: Path):
    before = on_disk(storage_path)
    report = take(service, row(name=""))

    assert report.id is None
    assert on_disk(storage_path) == before


def test_a_rehearsal_says_what_the_import_will_do_and_changes_nothing(
    service: Service, storage_path: Path
):
    take(service, row(sms=ConsentValue.YES))
    rows = [row(sms=ConsentValue.NO), row(sms=ConsentValue.YES), row(name="Bo"), row(name="")]
    before = on_disk(storage_path)
    rehearsed = take(service, *rows, dry_run=True)

    assert on_disk(storage_path) == before
    assert rehearsed.id is None
    assert take(service, *rows).counts == rehearsed.counts


def test_the_same_file_again_changes_nothing(service: Service):
    rows = [
        row(sms=ConsentValue.YES, evidence=FORM, email=MAILBOX),
        row(name="Bo", phone=OTHER_PHONE, sms=ConsentValue.NO),
    ]
    take(service, *rows)
    entries = len(told(service))
    states = [p.contact.consents for p in export(service)]
    again = take(service, *rows)

    began, noted, ended = told(service)[entries:]
    assert again.counts == {"rows that change nothing": 2}
    assert [p.contact.consents for p in export(service)] == states
    assert (began.after, ended.after) == ("started", "finished")
    # Undoing the first file must leave what the second one says.
    assert (noted.kind, noted.before, noted.after) == (EntryKind.NOTE, "NO", "NO")


def test_a_no_of_a_file_reaches_everybody_with_the_address_and_the_report_counts_them(
    service: Service,
):
    for name in ("Ana Gómez", "Cy"):
        ana = add(service, Details(name=name, phone=PHONE), AGENT)
        change(service, ana.id, StatusUpdate(sms=ConsentValue.YES, evidence="call"), AGENT)
    report = take(service, row(name="Bo", sms=ConsentValue.NO))

    consents = [p.contact.consent(Channel.SMS) for p in find(service, PHONE, AGENT).contacts]
    assert [(consent.on, consent.by) for consent in consents] == [
        (ConsentValue.NO, Origin.IMPORT)
    ] * 3
    assert report.counts["opt-outs that reach another contact with the same address"] == 2
    assert report.counts["SMS On set to NO"] == 1
    assert {e.changes and e.changes["act"][1] for e in told(service) if e.after == "NO"} == {
        None,
        next(f"{e.actor}#{e.id}" for e in told(service) if e.after == "NO" and not e.changes),
    }


def test_a_row_that_says_no_and_one_that_says_yes_end_at_no_in_either_order(service: Service):
    take(service, row(sms=ConsentValue.NO), row(sms=ConsentValue.YES, evidence=FORM))
    other = {"name": "Bo", "phone": OTHER_PHONE}
    take(
        service,
        row(sms=ConsentValue.YES, evidence=FORM, **other),
        row(sms=ConsentValue.NO, **other),
    )

    assert (on(service), on(service, OTHER_PHONE)) == ("NO", "NO")


@pytest.mark.parametrize("name", ["A. Gomez", "Gómez, Ana", "Bo"])
def test_somebody_else_at_a_refused_number_gets_no_yes_from_a_file(service: Service, name: str):
    ana = add(service, Details(name="Ana Gómez", phone=PHONE), AGENT)
    change(service, ana.id, StatusUpdate(sms=ConsentValue.NO), AGENT)
    report = take(service, row(name=name, sms=ConsentValue.YES, evidence=FORM))

    consents = [p.contact.consent(Channel.SMS) for p in find(service, PHONE, AGENT).contacts]
    assert report.counts["SMS On kept at NO although the file says YES"] == 1
    assert [(consent.on, consent.by) for consent in consents] == [
        (ConsentValue.NO, Origin.CONTACT)
    ] * 2


def test_a_number_of_somebody_marked_do_not_contact_gets_no_yes_from_a_file(service: Service):
    ana = add(service, Details(name="Ana Gómez", phone=PHONE), AGENT)
    change(service, ana.id, StatusUpdate(do_not_contact=True), AGENT)
    take(service, row(name="A. Gomez", sms=ConsentValue.YES, evidence=FORM))

    answers = {p.decisions[Channel.SMS].answer for p in find(service, PHONE, AGENT).contacts}
    assert answers == {"no"}


@pytest.mark.parametrize(
    ("typed", "same"),
    [
        ({"name": "ANA  GOMEZ", "phone": "(415) 555-0100"}, True),
        ({"name": "ana gomez", "phone": None, "email": "ANA@example.com"}, True),
        ({"name": "Somebody", "phone": PHONE, "email": MAILBOX}, True),
        ({"name": "Somebody", "phone": OTHER_PHONE, "external_id": "crm-1"}, True),
        ({"name": "Somebody", "phone": PHONE}, False),
        ({"name": "Ana Gómez", "phone": OTHER_PHONE}, False),
        ({"name": "Ana Gómez", "phone": PHONE, "external_id": "crm-2"}, False),
    ],
)
def test_a_row_means_the_contact_with_its_id_or_its_name_and_address_or_both_addresses(
    service: Service, typed: dict[str, Any], same: bool
):
    take(service, row(email=MAILBOX, external_id="crm-1"))
    report = take(service, row(**typed))

    assert report.counts.get("contacts added", 0) == (not same)


def test_a_bounce_of_a_file_is_told_of_everybody_who_has_the_number(service: Service):
    add(service, Details(name="Bo", phone=PHONE), AGENT)
    report = take(service, row(sms_bounce=True), row(sms_bounce=True))

    bounces = [e for e in told(service) if e.kind is EntryKind.BOUNCE]
    assert report.counts["addresses marked as bounced"] == 1
    assert len({e.contact for e in bounces}) == len(bounces) == 2


@pytest.mark.parametrize("who", [NOBODY, AGENT])
def test_imports_are_made_and_undone_by_managers_and_operators(service: Service, who: Actor):
    with pytest.raises(NotAllowed):
        take(service, row(), actor=who)
    report = take(service, row())
    assert report.id is not None
    with pytest.raises(NotAllowed):
        undo_import(service, report.id, who)


def test_every_change_of_a_file_is_in_the_log_in_its_name(service: Service):
    report = take(service, row(sms=ConsentValue.YES, evidence=FORM))

    began, added, consent, ended = told(service)
    assert [e.after for e in (began, added, consent, ended)] == [
        "started",
        "added",
        "YES",
        "finished",
    ]
    assert {added.actor, consent.actor} == {f"import:{report.id}"}
    assert {began.actor, ended.actor} == {OPERATOR.id}
    assert (consent.occurred_at, consent.recorded_at) == (FORM.at, NOW)


def test_a_file_whose_name_is_no_text_can_be_imported(service: Service):
    import_rows(service, [row()], file="caf\udce9.csv", actor=OPERATOR)

    assert verify(service).problem is None


def test_an_export_has_everybody_who_is_not_erased(service: Service):
    take(service, row(), row(name="Bo", phone=OTHER_PHONE))
    erase(service, only(service).id, OPERATOR)

    assert [p.contact.name for p in export(service)] == ["Bo"]


# Undo


def undone(service: Service, report: Report, *, opt_outs: bool = False) -> dict[str, int]:
    assert report.id is not None
    reason = "The wrong list" if opt_outs else None
    counts = dict(undo_import(service, report.id, OPERATOR, opt_outs=opt_outs, reason=reason))
    assert verify(service).problem is None
    return counts


@pytest.mark.parametrize("opt_outs", [False, True])
def test_an_undone_import_takes_back_whom_it_brought_and_what_it_changed(
    service: Service, opt_outs: bool
):
    ana = add(service, Details(name="Ana Gómez", phone=PHONE), AGENT)
    change(service, ana.id, StatusUpdate(sms=ConsentValue.YES, evidence="call"), AGENT)
    was = profile(service, ana.id, AGENT).contact
    report = take(
        service,
        row(
            email=MAILBOX, company="Acme", external_id="crm-1", sms=ConsentValue.NO, sms_bounce=True
        ),
        row(name="Bo", phone=OTHER_PHONE, sms=ConsentValue.YES),
    )
    counts = undone(service, report, opt_outs=opt_outs)

    now = profile(service, ana.id, AGENT)
    said = "opt-outs taken back" if opt_outs else "opt-outs kept"
    assert counts == {"contacts removed": 1, "contacts put back": 1, said: 1}
    assert (now.contact.email, now.contact.company, now.contact.external_id) == (None, "", "")
    consent = now.contact.consent(Channel.SMS)
    if opt_outs:
        assert (consent.on, consent.since) == (ConsentValue.YES, was.consent(Channel.SMS).since)
        assert consent.evidence == was.consent(Channel.SMS).evidence
    else:
        assert (consent.on, consent.by, consent.actor) == (
            ConsentValue.NO,
            Origin.IMPORT,
            f"import:{report.id}",
        )
    assert now.facts[Channel.SMS].bounce is Bounce.NO
    assert find(service, OTHER_PHONE, AGENT).contacts == []
    assert now.contact.version > was.version


def test_an_import_is_undone_once(service: Service):
    report = take(service, row())
    undone(service, report)

    with pytest.raises(Refused):
        undone(service, report)
    with pytest.raises(Refused):
        undo_import(service, "no such import", OPERATOR)


@pytest.mark.parametrize("reason", [None, "", " \u200b"])
def test_the_opt_outs_of_an_import_are_taken_back_with_a_reason_and_also_later(
    service: Service, reason: str | None
):
    ana = add(service, Details(name="Ana Gómez", phone=PHONE), AGENT)
    bo = add(service, Details(name="Bo", phone=PHONE), AGENT)
    for contact in (ana, bo):
        change(service, contact.id, StatusUpdate(sms=ConsentValue.YES, evidence="call"), AGENT)
    # Nobody has the mailbox of the second row, which is rejected for its number.
    nobodys = Row(line=3, details=Details(phone="12345", email=MAILBOX), email=ConsentValue.NO)
    report = take(service, row(sms=ConsentValue.NO), nobodys)
    assert report.id is not None
    with pytest.raises(Invalid) as refusal:
        undo_import(service, report.id, OPERATOR, opt_outs=True, reason=reason)
    kept = undone(service, report)
    refused = [profile(service, c.id, AGENT).contact.consent(Channel.SMS).on for c in (ana, bo)]
    later = undone(service, report, opt_outs=True)
    back = [profile(service, c.id, AGENT).contact.consent(Channel.SMS).on for c in (ana, bo)]
    new = add(service, Details(name="Cy", phone=PHONE, email=MAILBOX), AGENT)

    assert refusal.value.field == "reason"
    assert kept["opt-outs kept"] == later["opt-outs taken back"] == 3
    assert (refused, back) == ([ConsentValue.NO] * 2, [ConsentValue.YES] * 2)
    assert {new.consent(channel).on for channel in Channel} == {ConsentValue.UNSET}


@pytest.mark.parametrize("opt_outs", [False, True])
def test_a_no_of_a_second_file_survives_the_undo_of_the_first(service: Service, opt_outs: bool):
    ana = add(service, Details(name="Ana Gómez", phone=PHONE), AGENT)
    change(service, ana.id, StatusUpdate(sms=ConsentValue.YES, evidence="call"), AGENT)
    first = take(service, row(sms=ConsentValue.NO))
    take(service, row(sms=ConsentValue.NO))
    undone(service, first, opt_outs=opt_outs)

    assert on(service) is ConsentValue.NO


def test_a_refusal_after_the_import_survives_its_undo(service: Service):
    report = take(service, row(sms=ConsentValue.YES))
    stop(service, PHONE)
    undone(service, report)

    assert on(service) is ConsentValue.NO


@pytest.mark.parametrize("later", [timedelta(minutes=5), timedelta(days=5)])
def test_a_refusal_that_repeats_a_no_of_the_file_survives_its_undo(
    service: Service, clock: Stopped, later: timedelta
):
    ana = add(service, Details(name="Ana Gómez", phone=PHONE), AGENT)
    change(service, ana.id, StatusUpdate(sms=ConsentValue.YES, evidence="call"), AGENT)
    report = take(service, row(sms=ConsentValue.NO))
    clock.advance(later)
    change(service, ana.id, StatusUpdate(sms=ConsentValue.NO, reason=Reason.PHONE), AGENT)
    undone(service, report, opt_outs=True)

    assert on(service) is ConsentValue.NO


def test_a_second_stop_that_was_only_noted_survives_the_undo_of_a_files_no(
    service: Service, clock: Stopped
):
    ana = add(service, Details(name="Ana Gómez", phone=PHONE), AGENT)
    change(service, ana.id, StatusUpdate(sms=ConsentValue.YES, evidence="call"), AGENT)
    report = take(service, row(sms=ConsentValue.NO))
    with service.store.transaction() as records:
        Recorder(
            service=service, records=records, actor="contact", source="provider:twilio", now=clock()
        ).record(
            records.contacts.get(ana.id),
            ConsentChanged(
                again=True,
                by=Origin.CONTACT,
                before=ConsentValue.NO,
                after=ConsentValue.NO,
                reason="STOP",
            ),
            address=PHONE,
            channel=Channel.SMS,
        )
    undone(service, report, opt_outs=True)

    assert on(service) is ConsentValue.NO


@pytest.mark.parametrize(
    "rows",
    [
        [row(sms=ConsentValue.YES), row(sms=ConsentValue.YES, evidence=FORM)],
        [row(sms=ConsentValue.YES), row(sms=ConsentValue.NO)],
        [
            row(sms=ConsentValue.YES, evidence=FORM),
            row(sms=ConsentValue.NO),
            row(sms=ConsentValue.YES),
        ],
    ],
)
def test_what_a_file_says_twice_of_one_contact_is_undone_to_what_was_before_the_file(
    service: Service, rows: list[Row]
):
    add(service, Details(name="Ana Gómez", phone=PHONE), AGENT)
    report = take(service, *rows)
    undone(service, report)
    halfway = on(service)
    undone(service, report, opt_outs=True)

    assert halfway is (
        ConsentValue.NO if any(row.sms is ConsentValue.NO for row in rows) else ConsentValue.UNSET
    )
    assert on(service) is ConsentValue.UNSET


def test_a_yes_that_a_person_gave_evidence_for_since_survives_the_undo(service: Service):
    report = take(service, row(sms=ConsentValue.YES))
    change(service, only(service).id, StatusUpdate(sms=ConsentValue.YES, evidence="call"), AGENT)
    counts = undone(service, report)

    assert counts == {"contacts kept, since somebody changed them": 1}
    assert on(service) is ConsentValue.YES


def test_two_who_share_a_bounced_number_both_go_when_nobody_touched_them(service: Service):
    report = take(service, row(sms_bounce=True), row(name="Bo", sms_bounce=True))

    assert undone(service, report) == {"contacts removed": 2}


def test_a_contact_whom_somebody_wrote_a_note_on_stays_and_loses_what_the_file_said(
    service: Service,
):
    report = take(service, row(sms=ConsentValue.YES))
    change(service, only(service).id, StatusUpdate(note="called back"), AGENT)
    undone(service, report)

    assert on(service) is ConsentValue.UNSET


def test_a_number_that_somebody_replaced_since_keeps_its_own_kind(service: Service):
    landline, mobile = "+442079460958", "+447911123456"
    ana = add(service, Details(name="Ana", phone=mobile, external_id="crm-1"), AGENT)
    report = take(service, row(name="Ana", phone=landline, external_id="crm-1"))
    edit(service, ana.id, Details(phone="+44 20 7946 0959"), AGENT)
    undone(service, report)

    assert profile(service, ana.id, AGENT).contact.line is LineType.LANDLINE


def test_a_number_that_was_stopped_while_a_file_had_replaced_it_comes_back_stopped(
    service: Service, clock: Stopped
):
    ana = add(service, Details(name="Ana", phone=PHONE, external_id="crm-1"), AGENT)
    change(service, ana.id, StatusUpdate(sms=ConsentValue.YES, evidence="call"), AGENT)
    report = take(service, row(name="Ana", phone=OTHER_PHONE, external_id="crm-1"))
    clock.advance(timedelta(hours=1))
    stop(service, PHONE)
    undone(service, report)

    back = profile(service, ana.id, AGENT).contact
    assert (back.phone, back.consent(Channel.SMS).on) == (PHONE, ConsentValue.NO)


def test_an_undo_never_takes_the_last_address(service: Service):
    ana = add(service, Details(name="Ana Gómez", phone=PHONE), AGENT)
    report = take(service, row(email=MAILBOX))
    edit(service, ana.id, Details(phone=""), AGENT)
    undone(service, report)

    assert profile(service, ana.id, AGENT).contact.email == MAILBOX


def test_who_was_erased_since_is_left_alone(service: Service):
    report = take(service, row(sms=ConsentValue.NO))
    erase(service, only(service).id, OPERATOR)

    assert undone(service, report) == {"contacts gone already": 1}


def test_a_slip_is_not_undone_when_a_file_has_said_no_since(service: Service, clock: Stopped):
    ana = add(service, Details(name="Ana Gómez", phone=PHONE), AGENT)
    change(service, ana.id, StatusUpdate(sms=ConsentValue.YES, evidence="call"), AGENT)
    change(service, ana.id, StatusUpdate(sms=ConsentValue.NO, reason=Reason.PHONE), AGENT)
    clock.advance(timedelta(minutes=1))
    take(service, row(sms=ConsentValue.NO))

    with pytest.raises(Refused):
        undo(service, ana.id, Channel.SMS, AGENT)
    assert on(service) is ConsentValue.NO


def test_a_file_of_many_batches_goes_in_and_out_as_one(service: Service, clock: Stopped):
    rows = [
        row(name=f"N{n}", phone=f"+1415555{n:04}", sms=ConsentValue.YES) for n in range(100, 199)
    ]
    rows += [row(name=f"M{n}", phone=None, email=f"m{n}@example.com") for n in range(400)]
    seen: list[int] = []
    report = import_rows(service, rows, file="x.csv", actor=OPERATOR, progress=seen.append)
    counts = undone(service, report)

    assert seen[-1] == report.rows == 499
    assert report.counts["contacts added"] == counts["contacts removed"] == 499
    assert list(export(service)) == []
