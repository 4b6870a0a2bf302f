"""Told twice, late, in any order, all at once or not at all (rules.md §8.3, §8.5)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.consent.alerts import AlertKind
from bot.consent.errors import NeedsManager
from bot.consent.events import Event, EventKind, Failure
from bot.consent.log.entries import EntryKind
from bot.consent.model import BlockState, Bounce, ConsentValue, Contact
from bot.consent.use_cases import Details, Service, StatusUpdate, add, change, undo, verify
from bot.consent.use_cases.ingest import ingest
from bot.runtime.clock import Stopped
from tests.support.consent_fixtures import AGENT, NOW, OTHER_AGENT, open_service, told
from tests.support.storages import on_disk
from tests.support.take_fixtures import (
    LOCAL,
    MAILBOX,
    PHONE,
    TOLL_FREE,
    YES,
    alerts,
    block,
    come_back,
    consent,
    delivered,
    facts,
    failed,
    lines,
    mailed,
    since,
    tell,
    text,
)

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
OUT = StatusUpdate(sms=ConsentValue.NO, email=ConsentValue.NO, reason="Correction")

EVERYTHING = [
    text("STOP"),
    text("stop all"),
    text("Stop. Thank you"),
    text("UNSTOP"),
    text("hello"),
    failed(Failure.OPT_OUT),
    failed(Failure.HARD),
    failed(Failure.SOFT),
    failed(Failure.AMBIGUOUS),
    failed(Failure.OURS),
    failed(Failure.LISTED),
    failed(Failure.LISTED_BOUNCE),
    failed(Failure.LISTED_COMPLAINT),
    failed(Failure.LISTED_OPT_OUT),
    delivered(),
    mailed(EventKind.COMPLAINT),
    mailed(EventKind.UNSUBSCRIBED),
    mailed(EventKind.RESUBSCRIBED),
    mailed(EventKind.SUPPRESSED),
    mailed(EventKind.UNSUPPRESSED),
]


def name(event: Event) -> str:
    return f"{event.kind} {event.text or event.failure or ''}".strip()


# Twice


@pytest.mark.parametrize("event", EVERYTHING, ids=name)
def test_what_is_told_twice_changes_nothing(
    alerting: Service, subscriber: Contact, clock: Stopped, storage_path: Path, event: Event
):
    tell(alerting, event)
    before = on_disk(storage_path)
    clock.advance(10 * MINUTE)

    outcomes = ingest(alerting, [event])

    assert outcomes in ({"duplicate": 1}, {"no_effect": 1})
    assert on_disk(storage_path) == before


def test_what_is_told_twice_in_one_request_counts_once(alerting: Service, subscriber: Contact):
    stop = text("STOP")

    assert ingest(alerting, [stop, replace(stop), stop]) == {"applied": 1, "duplicate": 2}
    assert alerts(alerting) == [AlertKind.STOP]


def test_the_first_of_two_events_under_one_id_counts(alerting: Service, subscriber: Contact):
    tell(alerting, text("UNSTOP", id="twilio:in:SM1"))

    assert tell(alerting, text("STOP", id="twilio:in:SM1")) == []


def test_an_old_unstop_that_is_told_once_more_lifts_no_later_stop(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    unstop = text("UNSTOP")
    for event in (text("STOP"), unstop, text("STOP")):
        tell(alerting, event)
        clock.advance(HOUR)

    assert tell(alerting, unstop) == []
    assert block(alerting) is BlockState.BLOCKED


def test_an_old_failure_that_is_told_once_more_blocks_nobody_who_came_back(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    failure = failed(Failure.OPT_OUT)
    tell(alerting, text("STOP"))
    clock.advance(HOUR)
    tell(alerting, failure)  # nothing new then
    clock.advance(HOUR)
    tell(alerting, text("UNSTOP"))
    clock.advance(HOUR)

    assert tell(alerting, failure) == []
    assert block(alerting) is BlockState.NONE


# Late


def test_a_stop_from_before_the_consent_wins_when_it_comes_late_and_says_so(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    stopped_at = clock() - 2 * HOUR

    entries = tell(alerting, text("STOP", occurred_at=stopped_at))

    assert consent(alerting, subscriber).refused
    assert consent(alerting, subscriber).since == stopped_at
    assert entries[0].reason == (
        "Replied “STOP”. Told late: it counts although the contact agreed on 3 Nov 2026"
    )
    assert (entries[0].occurred_at, entries[0].recorded_at) == (stopped_at, clock())


def test_a_late_older_unstop_changes_nothing(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, text("STOP", occurred_at=clock() - HOUR))

    assert tell(alerting, text("UNSTOP", occurred_at=clock() - 2 * HOUR)) == []
    assert alerts(alerting) == [AlertKind.STOP]


def test_a_late_unstop_from_between_two_stops_changes_nothing(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, text("STOP", occurred_at=clock() - 3 * HOUR))
    tell(alerting, text("STOP", occurred_at=clock() - HOUR))

    assert tell(alerting, text("UNSTOP", occurred_at=clock() - 2 * HOUR)) == []
    assert since(alerting) == clock() - HOUR


def test_a_stop_told_after_a_newer_unstop_refuses_and_blocks_nothing(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, text("UNSTOP", occurred_at=clock() - HOUR))

    entries = tell(alerting, text("STOP", occurred_at=clock() - 24 * HOUR))

    assert lines(entries) == [(EntryKind.CONSENT, "YES", "NO")]
    assert consent(alerting, subscriber).refused
    assert block(alerting) is BlockState.NONE


@pytest.mark.parametrize("order", [("STOP", "UNSTOP"), ("UNSTOP", "STOP")], ids="-".join)
def test_a_tie_goes_to_the_refusal(
    alerting: Service, subscriber: Contact, clock: Stopped, order: Sequence[str]
):
    together = clock() - MINUTE

    tell(alerting, *(text(words, occurred_at=together) for words in order))

    assert block(alerting) is BlockState.BLOCKED


def test_a_vaguer_stop_makes_no_known_block_unknown(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, text("STOP"))
    clock.advance(MINUTE)
    tell(alerting, text("STOP!!!"))

    assert (block(alerting), since(alerting)) == (BlockState.BLOCKED, clock())


def test_nothing_happens_in_the_future(alerting: Service, subscriber: Contact, clock: Stopped):
    entries = tell(alerting, text("STOP", occurred_at=clock() + 400 * 24 * HOUR))
    clock.advance(MINUTE)

    assert {entry.occurred_at for entry in entries} == {clock() - MINUTE}
    assert lines(tell(alerting, text("UNSTOP"))) == [(EntryKind.BLOCK, "blocked", "none")]


@pytest.mark.parametrize("words", ["STOP", "stop all"])
def test_who_has_refused_meanwhile_stays_out_when_a_slip_is_undone(
    alerting: Service, subscriber: Contact, clock: Stopped, words: str
):
    change(alerting, subscriber.id, OUT, AGENT)
    clock.advance(MINUTE)
    tell(alerting, text(words, occurred_at=clock() - HOUR))

    with pytest.raises(Exception, match=r"change|since"):
        undo(alerting, subscriber.id, text("").channel, AGENT)
    assert consent(alerting, subscriber).refused


def test_who_has_refused_at_the_carrier_stays_out_when_a_slip_is_undone(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    change(alerting, subscriber.id, replace(OUT, reason="Asked by phone"), AGENT)
    clock.advance(MINUTE)
    tell(alerting, failed(Failure.OPT_OUT))

    with pytest.raises(Exception, match="refused since"):
        undo(alerting, subscriber.id, text("").channel, AGENT)


# In any order

ACTS = ("stop", "unstop", "bounce", "complaint", "yes")


@pytest.mark.parametrize("order", list(itertools.permutations(ACTS)), ids="-".join)
def test_every_order_of_arrival_ends_as_the_rules_say(
    service: Service, clock: Stopped, order: Sequence[str]
):
    """D6: with the contact's own order as the providers date it, whatever arrives first."""
    stop, unstop = clock() - 5 * HOUR, clock() - 4 * HOUR
    happened = {
        "stop": text("STOP", occurred_at=stop),
        "unstop": text("UNSTOP", occurred_at=unstop),
        "bounce": failed(Failure.HARD, occurred_at=clock() - 3 * HOUR),
        "complaint": mailed(EventKind.COMPLAINT, occurred_at=clock() - 2 * HOUR),
    }
    ana = add(service, Details(name="Ana", phone=PHONE, email=MAILBOX), AGENT)

    for act in order:
        clock.advance(MINUTE)
        if act == "yes":
            agree(service, ana)
        else:
            ingest(service, [happened[act]])

    sms, email = consent(service, ana), consent(service, ana, MAILBOX)
    assert sms.refused
    assert sms.since == stop
    assert (block(service), since(service)) == (BlockState.NONE, unstop)
    assert (facts(service).bounce, facts(service).bounced_at) == (Bounce.YES, NOW - 3 * HOUR)
    assert email.refused
    assert facts(service, MAILBOX).complaint
    assert verify(service).problem is None


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))), ids=str)
def test_the_block_is_as_the_contact_acted_last_whatever_arrives_first(
    service: Service, subscriber: Contact, clock: Stopped, order: Sequence[int]
):
    start = clock() - 10 * HOUR
    acts = [
        text(words, occurred_at=start + n * HOUR)
        for n, words in enumerate(("UNSTOP", "STOP", "UNSTOP", "STOP"))
    ]

    for n in order:
        ingest(service, [acts[n]])

    assert (block(service), since(service)) == (BlockState.BLOCKED, start + 3 * HOUR)
    assert consent(service, subscriber).refused


def agree(service: Service, contact: Contact) -> None:
    """As far as the rules let an agent."""
    for on in ("sms", "email"):
        try:
            change(
                service,
                contact.id,
                StatusUpdate(**{on: ConsentValue.YES}, evidence="a call"),
                OTHER_AGENT,
            )
        except NeedsManager:
            assert consent(service, contact, PHONE if on == "sms" else MAILBOX).refused


# All at once


def test_the_events_of_one_request_are_all_taken(
    alerting: Service, subscriber: Contact, housemate: Contact
):
    events = [
        text("STOP"),
        text("STOP", sender=TOLL_FREE),
        mailed(EventKind.UNSUBSCRIBED),
        failed(Failure.HARD),
        text("STOP", address="+14155550199"),
    ]

    assert ingest(alerting, events) == {"applied": 5}
    assert ingest(alerting, events[2:]) == {"duplicate": 3}
    assert {block(alerting, LOCAL), block(alerting, TOLL_FREE)} == {BlockState.BLOCKED}


def test_a_request_that_breaks_off_leaves_nothing_of_its_events(
    alerting: Service, subscriber: Contact, storage_path: Path, clock: Stopped
):
    before = on_disk(storage_path)
    stop = text("STOP")

    def broken() -> Iterator[Event]:
        yield stop
        yield failed(Failure.HARD)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        ingest(alerting, broken())

    assert on_disk(storage_path) == before
    assert consent(alerting, subscriber).on is ConsentValue.YES
    assert alerts(alerting) == []
    assert ingest(alerting, [stop]) == {"applied": 1}


def test_what_was_taken_stands_after_a_restart(
    alerting: Service, subscriber: Contact, storage_path: Path, clock: Stopped
):
    stop = text("STOP")
    ingest(alerting, [stop])

    service = open_service(storage_path, clock)
    try:
        assert consent(service, subscriber).refused
        assert alerts(service) == [AlertKind.STOP]
        assert ingest(service, [stop]) == {"duplicate": 1}
    finally:
        service.store.close()


# Shared


def test_a_shared_number_is_refused_for_everybody_and_logged_on_each(
    alerting: Service, subscriber: Contact, housemate: Contact
):
    entries = tell(alerting, text("STOP"))

    assert [(entry.contact, entry.kind) for entry in entries] == [
        (subscriber.id, EntryKind.CONSENT),
        (housemate.id, EntryKind.CONSENT),
        (subscriber.id, EntryKind.BLOCK),
        (housemate.id, EntryKind.BLOCK),
    ]
    assert consent(alerting, subscriber).refused
    assert consent(alerting, housemate).refused
    assert alerts(alerting) == [AlertKind.STOP]


def test_who_had_refused_already_gets_a_note_and_who_had_not_a_change(
    alerting: Service, subscriber: Contact, housemate: Contact
):
    change(alerting, subscriber.id, replace(OUT, reason="Asked by phone"), AGENT)
    come_back(alerting, housemate)

    entries = tell(alerting, text("STOP"))

    assert [(entry.contact, entry.kind) for entry in entries][:2] == [
        (subscriber.id, EntryKind.NOTE),
        (housemate.id, EntryKind.CONSENT),
    ]


def test_a_shared_mailbox_bounces_complains_and_is_held_for_everybody(
    alerting: Service, subscriber: Contact, housemate: Contact
):
    for event in (
        failed(Failure.HARD),
        text("Stop. Thank you"),
        mailed(EventKind.COMPLAINT),
        text("UNSTOP"),
    ):
        entries = tell(alerting, event)

        assert {entry.contact for entry in entries} == {subscriber.id, housemate.id}
        versions = [(entry.contact, entry.version) for entry in entries]
        assert len(set(versions)) == len(versions)


def test_one_stop_stops_every_kind_of_text_and_no_mail(alerting: Service, subscriber: Contact):
    change(alerting, subscriber.id, YES, AGENT)

    tell(alerting, text("STOP", sender=TOLL_FREE))

    assert consent(alerting, subscriber).on is ConsentValue.NO
    assert consent(alerting, subscriber, MAILBOX).on is ConsentValue.YES


def test_the_log_is_told_on_each_and_holds(
    alerting: Service, subscriber: Contact, housemate: Contact
):
    for event in EVERYTHING:
        tell(alerting, replace(event, id=f"{event.id}:again"))

    assert verify(alerting).problem is None
    assert {entry.contact for entry in told(alerting)} == {subscriber.id, housemate.id}
