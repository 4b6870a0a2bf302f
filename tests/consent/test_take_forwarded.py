"""Mail that came back from where a contact's mailbox forwards to, and two messages under one id."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.consent.events import EventKind, Failure
from bot.consent.log.entries import EntryKind
from bot.consent.model import Bounce, ConsentValue, Contact
from bot.consent.use_cases import Service
from bot.consent.use_cases.ingest import ingest
from bot.runtime.clock import Stopped
from tests.support.consent_fixtures import told
from tests.support.take_fixtures import (
    MAILBOX,
    PHONE,
    alerts,
    consent,
    facts,
    lines,
    mailed,
    tell,
    text,
)

GONE = "gone@other.example"
NOBODYS = {"address": GONE, "only_recipient": MAILBOX}


@pytest.mark.parametrize(
    "failure",
    [
        Failure.HARD,
        Failure.SOFT,
        Failure.AMBIGUOUS,
        Failure.LISTED,
        Failure.LISTED_BOUNCE,
        None,
    ],
)
def test_a_bounce_of_where_a_mailbox_forwards_to_is_a_note(
    alerting: Service, subscriber: Contact, failure: Failure | None
):
    event = mailed(
        EventKind.FAILED, failure=failure, code="5.1.1", meaning="There is no such box.", **NOBODYS
    )
    outcome = ingest(alerting, [event])
    entry = told(alerting)[-1]

    assert outcome["forwarded"] == 1
    assert (entry.kind, entry.contact, entry.address) == (EntryKind.NOTE, subscriber.id, MAILBOX)
    assert "There is no such box. (Sendgrid 5.1.1)" in entry.reason
    assert consent(alerting, subscriber, MAILBOX).on is ConsentValue.YES
    assert facts(alerting, MAILBOX).bounce is Bounce.NO
    assert not facts(alerting, MAILBOX).soft_failures
    assert alerts(alerting) == []


def test_every_holder_has_the_note_and_it_is_written_once(
    alerting: Service, subscriber: Contact, housemate: Contact
):
    event = mailed(EventKind.FAILED, failure=Failure.HARD, **NOBODYS)
    entries = tell(alerting, event)
    again = tell(alerting, event)

    assert [(one.kind, one.contact) for one in entries] == [
        (EntryKind.NOTE, subscriber.id),
        (EntryKind.NOTE, housemate.id),
    ]
    assert again == []


def test_a_complaint_of_where_a_mailbox_forwards_to_is_a_note_beside_what_is_kept(
    alerting: Service, subscriber: Contact
):
    entries = tell(alerting, mailed(EventKind.COMPLAINT, **NOBODYS))
    (note,) = (entry for entry in entries if entry.contact == subscriber.id)

    assert note.kind is EntryKind.NOTE
    assert "spam" in note.reason
    assert consent(alerting, subscriber, MAILBOX).on is ConsentValue.YES
    assert not facts(alerting, MAILBOX).complaint


def test_the_log_has_no_word_of_the_other_mailbox(alerting: Service, subscriber: Contact):
    event = mailed(EventKind.FAILED, failure=Failure.HARD, id=f"ses:f1:{GONE}", **NOBODYS)

    (entry,) = tell(alerting, event)

    assert "gone" not in repr(entry)


@pytest.mark.parametrize(
    "told_",
    [
        {"address": GONE},
        {"address": GONE, "only_recipient": GONE},
        {"address": GONE, "only_recipient": "stranger@x.example"},
        {**NOBODYS, "failure": Failure.OURS},
        {**NOBODYS, "failure": Failure.ROUTE},
        {**NOBODYS, "failure": Failure.NOT_FINAL},
    ],
    ids=str,
)
def test_what_says_nothing_of_a_contacts_mailbox_is_no_note(
    alerting: Service, subscriber: Contact, told_: dict[str, object]
):
    given = {"failure": Failure.HARD, **told_}

    entries = tell(alerting, mailed(EventKind.FAILED, **given))

    assert [entry for entry in entries if entry.contact] == []


def test_a_bounce_of_the_contacts_own_mailbox_bounces_it(alerting: Service, subscriber: Contact):
    event = mailed(EventKind.FAILED, failure=Failure.HARD, only_recipient=MAILBOX)

    assert lines(tell(alerting, event)) == [(EntryKind.BOUNCE, "NO", "YES")]


def test_a_bounce_that_is_placed_nowhere_is_a_note_on_the_only_recipient(
    alerting: Service, subscriber: Contact
):
    (entry,) = tell(alerting, mailed(EventKind.UNPLACED, meaning="A message bounced somewhere."))

    assert (entry.kind, entry.contact) == (EntryKind.NOTE, subscriber.id)
    assert "A message bounced somewhere." in entry.reason
    assert facts(alerting, MAILBOX).bounce is Bounce.NO
    assert tell(alerting, mailed(EventKind.UNPLACED, address=GONE)) == []


OTHERS = "+14155550133"


def test_two_people_who_write_under_one_id_are_both_heard(alerting: Service, subscriber: Contact):
    first = text("STOP", id="twilio:in:SM1")
    entries = tell(alerting, first, replace(first, address=OTHERS))

    assert consent(alerting, subscriber).refused
    assert facts(alerting, alerting.hashed(OTHERS)).refusal is not None
    assert len(entries) == 4
    assert tell(alerting, first, replace(first, address=OTHERS)) == []


def test_one_message_by_two_ways_counts_once(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    """The webhook has no time, and the list of what was missed may lack the messaging service."""
    first = text("STOP", id="twilio:in:SM1", sender="MG1")
    ingest(alerting, [first])
    clock.advance(timedelta(minutes=1))

    again = replace(first, sender="+14155550177", occurred_at=clock() - timedelta(minutes=1))
    assert ingest(alerting, [again]) == {"duplicate": 1}


def test_what_an_earlier_version_took_stays_taken(alerting: Service, subscriber: Contact):
    """It remembered the id alone."""
    with alerting.store.transaction() as records:
        records.events.remember("twilio:twilio:in:SM1")

    assert ingest(alerting, [text("STOP", id="twilio:in:SM1")]) == {"duplicate": 1}
    assert not consent(alerting, subscriber).refused


def test_what_is_remembered_has_no_address_in_it(alerting: Service, subscriber: Contact):
    ingest(alerting, [text("STOP", id="twilio:in:SM1")])

    with alerting.store.reading() as records:
        assert not records.events.seen(f"twilio:twilio:in:SM1:{PHONE}")
        assert records.events.seen(f"twilio:twilio:in:SM1:{alerting.hashed(PHONE)}")
