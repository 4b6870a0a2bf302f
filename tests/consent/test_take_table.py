"""What each event does: the rows of rules.md §4, with all that the Activity Log says of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.consent.alerts import AlertKind
from bot.consent.events import Event, EventKind, Failure, Marker
from bot.consent.gates import Code, Owner
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import BlockState, Bounce, Channel, ConsentValue, Contact, Origin
from bot.consent.rules import Answer
from bot.consent.use_cases import Service, StatusUpdate, change, profile
from bot.consent.use_cases.ingest import ingest
from bot.runtime.clock import Stopped
from tests.support.consent_fixtures import AGENT
from tests.support.take_fixtures import (
    LOCAL,
    MAILBOX,
    PHONE,
    TOLL_FREE,
    alerts,
    block,
    come_back,
    consent,
    delivered,
    facts,
    failed,
    lines,
    mailed,
    tell,
    text,
)

OUT = StatusUpdate(sms=ConsentValue.NO, email=ConsentValue.NO, reason="Correction")
STOPPED = [(EntryKind.CONSENT, "YES", "NO"), (EntryKind.BLOCK, "none", "blocked")]


def said(entry: Entry) -> tuple[str, str, str | None, Origin | None, str | None]:
    return entry.actor, entry.source, entry.reason, entry.by, entry.provider_id


def test_stop_refuses_and_blocks_its_sender_and_the_channel_is_told(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    entries = tell(alerting, text("STOP", id="twilio:in:SM1"))

    assert lines(entries) == STOPPED
    refusal, blocked = entries
    words = ("contact", "provider:twilio", "Replied “STOP”", Origin.CONTACT, "twilio:in:SM1")
    assert said(refusal) == words
    assert (refusal.channel, refusal.address) == (Channel.SMS, PHONE)
    assert (refusal.occurred_at, refusal.recorded_at) == (clock(), clock())
    assert blocked.sender == refusal.sender == LOCAL
    assert blocked.provider_id == "twilio:in:SM1"
    assert consent(alerting, subscriber).refused
    assert consent(alerting, subscriber, MAILBOX).on is ConsentValue.YES
    assert (block(alerting, LOCAL), block(alerting, TOLL_FREE)) == (
        BlockState.BLOCKED,
        BlockState.NONE,
    )
    assert facts(alerting).bounce is Bounce.NO
    assert alerts(alerting) == [AlertKind.STOP]


@pytest.mark.parametrize("words", ["stop all", "opt out"])
def test_a_refusal_that_is_no_block_word_refuses_and_blocks_nothing(
    alerting: Service, subscriber: Contact, words: str
):
    entries = tell(alerting, text(words))

    assert lines(entries) == [(EntryKind.CONSENT, "YES", "NO")]
    assert consent(alerting, subscriber).refused
    assert block(alerting) is BlockState.NONE
    assert alerts(alerting) == [AlertKind.STOP]


def test_what_the_carrier_may_have_heard_leaves_the_block_unknown(
    alerting: Service, subscriber: Contact
):
    entries = tell(alerting, text("STOP!!!"))

    assert lines(entries) == [
        (EntryKind.CONSENT, "YES", "NO"),
        (EntryKind.BLOCK, "none", "unknown"),
    ]


def test_the_providers_own_word_is_believed_before_any_list(alerting: Service, subscriber: Contact):
    entries = tell(alerting, text("ALTO", marker=Marker.STOP))

    assert lines(entries) == STOPPED
    assert entries[0].reason == "Replied “ALTO”"


def test_a_probable_refusal_is_held_for_a_person_and_changes_no_consent(
    alerting: Service, subscriber: Contact
):
    entries = tell(alerting, text("Stop. Thank you"))

    assert lines(entries) == [(EntryKind.HOLD, "", "held")]
    assert said(entries[0])[:3] == ("contact", "provider:twilio", "Stop. Thank you")
    assert consent(alerting, subscriber).on is ConsentValue.YES
    held = facts(alerting).hold
    assert held is not None
    assert held.text == "Stop. Thank you"
    assert block(alerting) is BlockState.NONE
    assert alerts(alerting) == [AlertKind.REVIEW]


def test_a_second_probable_refusal_is_written_down_and_asks_nobody_again(
    alerting: Service, subscriber: Contact
):
    tell(alerting, text("Stop. Thank you"))

    entries = tell(alerting, text("please take me off your list"))

    assert lines(entries) == [(EntryKind.NOTE, "", "")]
    assert entries[0].reason == "Wrote “please take me off your list”"
    assert alerts(alerting) == [AlertKind.REVIEW]


def test_nobody_has_to_read_what_a_contact_says_who_has_refused_already(
    alerting: Service, subscriber: Contact
):
    tell(alerting, text("STOP"))

    entries = tell(alerting, text("please take me off your list"))

    assert lines(entries) == [(EntryKind.NOTE, "NO", "NO")]
    assert facts(alerting).hold is None
    assert alerts(alerting) == [AlertKind.STOP]


@pytest.mark.parametrize("words", ["UNSTOP", "start"])
def test_unstop_lifts_the_block_of_its_sender_and_no_consent(
    alerting: Service, subscriber: Contact, clock: Stopped, words: str
):
    tell(alerting, text("STOP"), text("STOP", sender=TOLL_FREE))
    clock.advance(timedelta(hours=1))

    entries = tell(alerting, text(words))

    assert lines(entries) == [(EntryKind.BLOCK, "blocked", "none")]
    assert said(entries[0])[:3] == ("contact", "provider:twilio", f"Replied “{words}”")
    assert (block(alerting, LOCAL), block(alerting, TOLL_FREE)) == (
        BlockState.NONE,
        BlockState.BLOCKED,
    )
    assert consent(alerting, subscriber).refused


def test_unstop_is_half_done_where_the_contact_had_refused(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, text("STOP"))
    clock.advance(timedelta(days=2))  # so that no message of that day is there to be edited

    tell(alerting, text("UNSTOP"))

    assert alerts(alerting) == [AlertKind.STOP, AlertKind.UNSTOP]


def test_unstop_without_a_block_keeps_the_key_and_tells_only_where_a_refusal_stands(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    agreed = tell(alerting, text("UNSTOP"))
    told_nobody = alerts(alerting)
    clock.advance(timedelta(hours=1))
    tell(alerting, text("stop all"))
    clock.advance(timedelta(days=2))

    refused = tell(alerting, text("UNSTOP"))

    assert lines(agreed) == lines(refused) == [(EntryKind.BLOCK, "none", "none")]
    assert told_nobody == []
    assert alerts(alerting) == [AlertKind.STOP, AlertKind.UNSTOP]
    assert consent(alerting, subscriber).refused


def test_yes_lifts_a_block_where_there_is_one(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, text("STOP"))
    clock.advance(timedelta(minutes=1))

    assert lines(tell(alerting, text("YES"))) == [(EntryKind.BLOCK, "blocked", "none")]


@pytest.mark.parametrize("sender", [LOCAL, TOLL_FREE])
def test_yes_without_a_block_is_nothing(alerting: Service, subscriber: Contact, sender: str):
    assert tell(alerting, text("YES", sender=sender)) == []


def test_yes_to_a_toll_free_number_is_nothing(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, text("STOP", sender=TOLL_FREE))
    clock.advance(timedelta(minutes=1))

    assert tell(alerting, text("YES", sender=TOLL_FREE)) == []


@pytest.mark.parametrize(
    "words", ["HELP", "thanks!", "can you stop by tomorrow?", "UNSTOP.", "", "🙂"]
)
def test_anything_else_is_nothing(alerting: Service, subscriber: Contact, words: str):
    assert tell(alerting, text(words)) == []
    assert alerts(alerting) == []


def test_an_unstop_that_the_carrier_does_not_hear_leaves_the_block(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, text("STOP"))
    clock.advance(timedelta(minutes=1))

    assert tell(alerting, text("start!!")) == []
    with alerting.store.reading() as records:
        [live] = records.outbox.all()
    assert live.follow_up.unread_at is not None
    assert live.follow_up.unstopped_at is None


def test_without_an_alert_of_that_day_it_is_one_of_its_own(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, text("STOP"))
    clock.advance(timedelta(days=2))
    tell(alerting, text("UNSTOP."))

    assert alerts(alerting) == ["stop", "unread"]


def test_a_second_stop_while_no_is_a_note_under_its_own_id(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, text("STOP"))
    refused = consent(alerting, subscriber)
    clock.advance(timedelta(hours=1))

    entries = tell(alerting, text("Unsubscribe", id="twilio:in:SM2"))

    assert lines(entries) == [(EntryKind.NOTE, "NO", "NO")]
    words = ("contact", "provider:twilio", "Replied “Unsubscribe”", Origin.CONTACT, "twilio:in:SM2")
    assert said(entries[0]) == words
    assert consent(alerting, subscriber) == refused


def test_a_second_stop_to_another_sender_blocks_that_one_too(
    alerting: Service, subscriber: Contact
):
    tell(alerting, text("STOP"))

    entries = tell(alerting, text("STOP", sender=TOLL_FREE))

    assert lines(entries) == [(EntryKind.NOTE, "NO", "NO"), (EntryKind.BLOCK, "none", "blocked")]
    assert block(alerting, TOLL_FREE) is BlockState.BLOCKED


def test_a_stop_makes_the_contacts_what_staff_had_switched_off(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    change(alerting, subscriber.id, OUT, AGENT)
    assert not consent(alerting, subscriber).refused

    entries = tell(alerting, text("STOP"))

    assert lines(entries) == [(EntryKind.CONSENT, "NO", "NO"), (EntryKind.BLOCK, "none", "blocked")]
    assert consent(alerting, subscriber).refused


def test_a_sender_that_nobody_names_blocks_nothing_and_is_refused_all_the_same(
    alerting: Service, subscriber: Contact
):
    assert lines(tell(alerting, text("STOP", sender=None))) == [(EntryKind.CONSENT, "YES", "NO")]
    assert tell(alerting, text("UNSTOP", sender=None)) == []


def test_an_opt_out_failure_that_we_had_missed_refuses_and_is_drift(
    alerting: Service, subscriber: Contact
):
    entries = tell(alerting, failed(Failure.OPT_OUT, code="21610", meaning="Opted out."))

    assert lines(entries) == [
        (EntryKind.BLOCK, "none", "blocked"),
        (EntryKind.CONSENT, "YES", "NO"),
    ]
    assert entries[1].reason == "Refused at the provider: Opted out. (Twilio 21610)"
    assert entries[1].actor == "provider:twilio"
    assert consent(alerting, subscriber).refused
    assert facts(alerting).bounce is Bounce.NO
    assert facts(alerting).soft_failures == ()
    assert alerts(alerting) == [AlertKind.DRIFT]


def test_an_opt_out_failure_of_a_block_that_is_known_renews_it_and_is_told_to_nobody(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, text("STOP"))
    refused = consent(alerting, subscriber)
    clock.advance(timedelta(hours=1))

    entries = tell(alerting, failed(Failure.OPT_OUT))

    assert lines(entries) == [(EntryKind.BLOCK, "blocked", "blocked")]
    assert consent(alerting, subscriber) == refused
    assert alerts(alerting) == [AlertKind.STOP]


def test_a_hard_failure_bounces_and_is_told(alerting: Service, subscriber: Contact, clock: Stopped):
    entries = tell(alerting, failed(Failure.HARD, code="30005", meaning="Unknown handset."))

    assert lines(entries) == [(EntryKind.BOUNCE, "NO", "YES")]
    assert said(entries[0])[:3] == ("provider:twilio",) * 2 + ("Unknown handset. (Twilio 30005)",)
    assert facts(alerting).bounced_at == clock()
    assert consent(alerting, subscriber).on is ConsentValue.YES
    assert block(alerting) is BlockState.NONE
    assert alerts(alerting) == [AlertKind.BOUNCE]


def test_a_hard_failure_of_what_bounces_already_is_told_to_nobody(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, failed(Failure.HARD))
    told = alerts(alerting)
    clock.advance(timedelta(hours=1))

    entries = tell(alerting, failed(Failure.HARD))

    assert lines(entries) == [(EntryKind.BOUNCE, "YES", "YES")]
    assert alerts(alerting) == told
    with alerting.store.reading() as records:
        assert [alert.count for alert in records.outbox.all()] == [1]


@pytest.mark.parametrize("failure", [Failure.SOFT, None])
def test_a_soft_or_nameless_failure_counts_and_is_logged_with_its_code(
    alerting: Service, subscriber: Contact, failure: Failure | None
):
    entries = tell(alerting, failed(failure, code="39999", meaning=None))

    assert lines(entries) == [(EntryKind.BOUNCE, "NO", "NO")]
    assert entries[0].changes == {"soft": ("0", "1")}
    assert entries[0].reason == "The message was not delivered. (Twilio 39999)"
    assert len(facts(alerting).soft_failures) == 1
    assert alerts(alerting) == []


def test_an_ambiguous_failure_makes_the_block_unknown_and_counts(
    alerting: Service, subscriber: Contact
):
    entries = tell(alerting, failed(Failure.AMBIGUOUS, code="30004"))

    assert lines(entries) == [(EntryKind.BLOCK, "none", "unknown"), (EntryKind.BOUNCE, "NO", "NO")]
    assert len(facts(alerting).soft_failures) == 1
    assert consent(alerting, subscriber).on is ConsentValue.YES


def test_an_ambiguous_failure_makes_no_known_block_unknown(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, text("STOP"))
    clock.advance(timedelta(hours=1))

    assert lines(tell(alerting, failed(Failure.AMBIGUOUS))) == [(EntryKind.BOUNCE, "NO", "NO")]
    assert block(alerting) is BlockState.BLOCKED


@pytest.mark.parametrize("failure", [Failure.OURS, Failure.ROUTE, Failure.NOT_FINAL])
def test_what_is_no_fault_of_the_contact_marks_nothing(
    alerting: Service, subscriber: Contact, failure: Failure
):
    assert tell(alerting, failed(failure), failed(failure, address=MAILBOX)) == []
    assert alerts(alerting) == []


def test_a_bounce_that_only_the_provider_knew_is_kept_and_told_to_nobody(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    again = {"provider": "sendgrid", "sender": "sendgrid-account", "address": MAILBOX}

    assert lines(tell(alerting, failed(Failure.LISTED_BOUNCE, **again))) == [
        (EntryKind.BLOCK, "none", "blocked"),
        (EntryKind.BOUNCE, "NO", "YES"),
    ]
    clock.advance(timedelta(hours=1))
    assert tell(alerting, failed(Failure.LISTED_BOUNCE, **again)) == []
    assert facts(alerting, MAILBOX).blocks.keys() == {"sendgrid/bounce"}
    assert consent(alerting, subscriber, MAILBOX).on is ConsentValue.YES
    assert alerts(alerting) == []


def test_a_bounce_that_was_cleared_here_bounces_again_while_the_provider_has_it_on_its_list(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    again = {"provider": "sendgrid", "sender": "sendgrid-account", "address": MAILBOX}
    tell(alerting, failed(Failure.LISTED_BOUNCE, **again))
    clear = StatusUpdate(
        clear_bounce=frozenset({Channel.EMAIL}), reason="the mailbox is right", evidence="a call"
    )
    change(alerting, subscriber.id, clear, AGENT)
    cleared = profile(alerting, subscriber.id, AGENT).decisions[Channel.EMAIL]
    clock.advance(timedelta(hours=1))

    tell(alerting, failed(Failure.LISTED_BOUNCE, **again))

    on_list, test = cleared.gates
    assert (on_list.code, on_list.owner) == (Code.SUPPRESSED, Owner.OPERATOR)
    assert "SendGrid" in on_list.remedy
    assert test.code is Code.PROBATION
    assert cleared.answer is Answer.NO
    assert facts(alerting, MAILBOX).bounce is Bounce.YES


def test_our_own_suppression_is_staffs_no_and_told_to_nobody(
    alerting: Service, subscriber: Contact
):
    entries = tell(alerting, mailed(EventKind.SUPPRESSED))

    assert lines(entries) == [
        (EntryKind.CONSENT, "YES", "NO"),
        (EntryKind.BLOCK, "none", "blocked"),
    ]
    assert facts(alerting, MAILBOX).blocks.keys() == {"sendgrid/ours"}
    assert said(entries[0])[:4] == (
        "provider:sendgrid",
        "provider:sendgrid",
        "Suppressed by our own side at the provider",
        Origin.STAFF,
    )
    assert not consent(alerting, subscriber, MAILBOX).refused
    assert consent(alerting, subscriber).on is ConsentValue.YES
    assert alerts(alerting) == []
    assert tell(alerting, mailed(EventKind.SUPPRESSED)) == []


def test_our_own_suppression_takes_no_refusal_from_the_contact(
    alerting: Service, subscriber: Contact
):
    tell(alerting, mailed(EventKind.UNSUBSCRIBED))

    entries = tell(alerting, mailed(EventKind.SUPPRESSED))

    assert lines(entries) == [(EntryKind.NOTE, "NO", "NO"), (EntryKind.BLOCK, "none", "blocked")]
    assert entries[0].by is Origin.STAFF
    assert facts(alerting, MAILBOX).blocks.keys() == {"sendgrid/ours", "sendgrid/unsubscribe"}
    assert consent(alerting, subscriber, MAILBOX).refused


def test_leaving_one_group_is_a_refusal_of_the_channel_and_the_log_keeps_of_what(
    alerting: Service, subscriber: Contact
):
    entries = tell(alerting, mailed(EventKind.UNSUBSCRIBED, scope="asm_group:7"))

    assert lines(entries) == [
        (EntryKind.CONSENT, "YES", "NO"),
        (EntryKind.BLOCK, "none", "blocked"),
    ]
    assert said(entries[0])[:4] == (
        "contact",
        "provider:sendgrid",
        "Unsubscribed from asm_group:7",
        Origin.CONTACT,
    )
    assert consent(alerting, subscriber, MAILBOX).refused
    assert consent(alerting, subscriber).on is ConsentValue.YES
    assert facts(alerting, MAILBOX).blocks.keys() == {"sendgrid/unsubscribe/asm_group:7"}
    assert alerts(alerting) == [AlertKind.UNSUBSCRIBE]


def test_one_click_refuses_and_is_on_no_providers_list(alerting: Service, subscriber: Contact):
    click = mailed(EventKind.UNSUBSCRIBED, provider="one_click", sender=None, scope="list:news")

    entries = tell(alerting, click)

    assert lines(entries) == [(EntryKind.CONSENT, "YES", "NO")]
    assert entries[0].reason == "Unsubscribed from list:news"
    assert facts(alerting, MAILBOX).blocks == {}
    assert alerts(alerting) == [AlertKind.UNSUBSCRIBE]


def test_an_unsubscribe_that_a_provider_reports_again_is_a_note(
    alerting: Service, subscriber: Contact
):
    tell(alerting, mailed(EventKind.UNSUBSCRIBED))

    assert lines(tell(alerting, mailed(EventKind.UNSUBSCRIBED))) == [(EntryKind.NOTE, "NO", "NO")]
    with alerting.store.reading() as records:
        assert [alert.count for alert in records.outbox.all()] == [1]


def test_subscribing_again_at_the_provider_is_no_consent(alerting: Service, subscriber: Contact):
    unmoved = tell(alerting, mailed(EventKind.RESUBSCRIBED))
    tell(alerting, mailed(EventKind.UNSUBSCRIBED, provider="one_click"))

    entries = tell(alerting, mailed(EventKind.RESUBSCRIBED))

    assert unmoved == []
    assert [(e.kind, e.actor, e.reason) for e in entries] == [
        (EntryKind.NOTE, "contact", "Subscribed again at the provider")
    ]
    assert consent(alerting, subscriber, MAILBOX).refused


DROPPED = failed(Failure.OPT_OUT, provider="sendgrid", address=MAILBOX, sender="sendgrid-account")


@pytest.mark.parametrize("listed", [DROPPED, mailed(EventKind.UNSUBSCRIBED)])
@pytest.mark.parametrize("kind", [EventKind.RESUBSCRIBED, EventKind.UNSUPPRESSED])
def test_off_the_providers_list_the_suppression_is_lifted_and_no_consent(
    alerting: Service, subscriber: Contact, clock: Stopped, kind: EventKind, listed: Event
):
    tell(alerting, listed)
    suppressed = facts(alerting, MAILBOX).blocks
    clock.advance(timedelta(hours=1))

    entries = tell(alerting, mailed(kind))

    assert suppressed.keys() == {"sendgrid/unsubscribe"}
    assert lines(entries) == [(EntryKind.BLOCK, "blocked", "none")]
    assert facts(alerting, MAILBOX).blocks == {}
    assert consent(alerting, subscriber, MAILBOX).refused


@pytest.mark.parametrize(
    ("off", "left"),
    [
        (mailed(EventKind.RESUBSCRIBED), {"bounce", "complaint", "ours", "unsubscribe/news"}),
        (
            mailed(EventKind.RESUBSCRIBED, scope="news"),
            {"bounce", "complaint", "ours", "unsubscribe"},
        ),
        (mailed(EventKind.UNSUPPRESSED), {"unsubscribe/news"}),
        (mailed(EventKind.UNSUPPRESSED, provider="ses"), None),
    ],
)
def test_only_the_entry_of_that_provider_cause_and_scope_goes_off_the_list(
    alerting: Service, subscriber: Contact, clock: Stopped, off: Event, left: set[str] | None
):
    tell(
        alerting,
        mailed(EventKind.UNSUBSCRIBED),
        mailed(EventKind.UNSUBSCRIBED, scope="news"),
        mailed(EventKind.COMPLAINT),
        mailed(EventKind.SUPPRESSED),
        replace(DROPPED, failure=Failure.LISTED_BOUNCE),
    )
    listed = facts(alerting, MAILBOX).blocks.keys()
    clock.advance(timedelta(hours=1))

    tell(alerting, off)

    expected = listed if left is None else {f"sendgrid/{name}" for name in left}
    assert len(listed) == 5
    assert facts(alerting, MAILBOX).blocks.keys() == expected


def test_a_drop_for_an_old_entry_of_the_list_refuses_nobody_who_agreed_since(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, mailed(EventKind.UNSUBSCRIBED, scope="news"))
    clock.advance(timedelta(hours=1))
    come_back(alerting, subscriber, MAILBOX)

    for _ in range(2):
        clock.advance(timedelta(hours=1))
        tell(alerting, replace(DROPPED, id=f"drop at {clock()}"))

    assert consent(alerting, subscriber, MAILBOX).on is ConsentValue.YES
    assert facts(alerting, MAILBOX).blocks.keys() == {"sendgrid/unsubscribe/news"}
    answer = profile(alerting, subscriber.id, AGENT).decisions[Channel.EMAIL].answer
    assert answer is Answer.NO


def test_a_drop_that_we_did_not_know_of_refuses_and_is_drift(
    alerting: Service, subscriber: Contact
):
    entries = tell(alerting, DROPPED)

    assert lines(entries) == [
        (EntryKind.BLOCK, "none", "blocked"),
        (EntryKind.CONSENT, "YES", "NO"),
    ]
    assert consent(alerting, subscriber, MAILBOX).refused
    assert consent(alerting, subscriber).on is ConsentValue.YES
    assert alerts(alerting) == [AlertKind.DRIFT]


def test_a_complaint_refuses_and_bounces(alerting: Service, subscriber: Contact):
    entries = tell(alerting, mailed(EventKind.COMPLAINT))

    assert lines(entries) == [
        (EntryKind.CONSENT, "YES", "NO"),
        (EntryKind.BLOCK, "none", "blocked"),
        (EntryKind.BOUNCE, "NO", "YES"),
    ]
    assert [(entry.actor, entry.by) for entry in entries] == [
        ("contact", Origin.CONTACT),
        ("provider:sendgrid", Origin.CONTACT),
        ("contact", Origin.CONTACT),
    ]
    assert facts(alerting, MAILBOX).blocks.keys() == {"sendgrid/complaint"}
    assert entries[0].reason == "Reported our e-mail as spam"
    assert consent(alerting, subscriber, MAILBOX).refused
    assert facts(alerting, MAILBOX).complaint
    assert alerts(alerting) == [AlertKind.COMPLAINT]


def test_a_complaint_that_is_reported_twice_is_told_once(alerting: Service, subscriber: Contact):
    tell(alerting, mailed(EventKind.COMPLAINT))

    assert lines(tell(alerting, mailed(EventKind.COMPLAINT))) == [(EntryKind.NOTE, "NO", "NO")]
    with alerting.store.reading() as records:
        assert [alert.count for alert in records.outbox.all()] == [1]


def test_neither_a_bounce_nor_a_delivery_takes_a_complaint_away(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, mailed(EventKind.COMPLAINT))
    clock.advance(timedelta(days=1))
    mail = {"provider": "sendgrid", "address": MAILBOX, "sender": "sendgrid-account"}

    assert tell(alerting, failed(Failure.HARD, **mail), delivered(sent_at=clock(), **mail)) == []
    assert facts(alerting, MAILBOX).complaint


def test_the_sandbox_says_that_it_is_the_sandbox(alerting: Service, subscriber: Contact):
    outcomes = ingest(alerting, [text("STOP"), text("hello")], source="sandbox")

    assert outcomes == {"applied": 1, "no_effect": 1}
    with alerting.store.reading() as records:
        newest = records.log.entries(contact=subscriber.id, limit=2)
    assert {entry.source for entry in newest} == {"sandbox"}
