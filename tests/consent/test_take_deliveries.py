"""What a delivery or a failure proves, and what it can't (rules.md §4, §8.6–8.8)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.consent.alerts import AlertKind
from bot.consent.events import Failure
from bot.consent.log.entries import EntryKind
from bot.consent.model import BlockState, Bounce, Channel, ConsentValue, Contact
from bot.consent.use_cases import Details, Service, StatusUpdate, add, change
from bot.runtime.clock import Stopped
from tests.support.consent_fixtures import AGENT, NOW
from tests.support.take_fixtures import (
    LOCAL,
    MAILBOX,
    TOLL_FREE,
    alerts,
    block,
    consent,
    delivered,
    facts,
    failed,
    lines,
    since,
    tell,
    text,
)

SECOND, MINUTE, HOUR, DAY = (
    timedelta(seconds=1),
    timedelta(minutes=1),
    timedelta(hours=1),
    timedelta(days=1),
)
CLEAR = StatusUpdate(
    clear_bounce=frozenset({Channel.SMS}), reason="the number is right", evidence="a call"
)


# Our own confirmation of an opt-out


def test_the_failure_of_our_own_confirmation_is_expected_and_told_to_nobody(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, text("STOP"))
    told = alerts(alerting)
    clock.advance(2 * SECOND)

    entries = tell(alerting, failed(Failure.OPT_OUT, code="21610", id="twilio:st:SM2:failed"))

    assert lines(entries) == [(EntryKind.EXPECTED_ERROR, "", "")]
    expected = entries[0]
    assert expected.expected
    assert (expected.actor, expected.sender) == ("provider:twilio", LOCAL)
    assert expected.provider_id == "twilio:st:SM2:failed"
    assert since(alerting) == clock() - 2 * SECOND
    assert alerts(alerting) == told


def test_there_is_one_expected_error_for_a_stop(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, text("STOP"))
    clock.advance(SECOND)
    tell(alerting, failed(Failure.OPT_OUT))
    told = alerts(alerting)
    clock.advance(SECOND)

    assert lines(tell(alerting, failed(Failure.OPT_OUT))) == [
        (EntryKind.BLOCK, "blocked", "blocked")
    ]
    assert alerts(alerting) == told


def test_the_next_stop_has_an_expected_error_of_its_own(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    for _ in range(2):
        clock.advance(HOUR)
        tell(alerting, text("STOP"))
        clock.advance(SECOND)

        assert lines(tell(alerting, failed(Failure.OPT_OUT))) == [
            (EntryKind.EXPECTED_ERROR, "", "")
        ]


@pytest.mark.parametrize(
    ("after", "kind"),
    [
        (0 * SECOND, EntryKind.EXPECTED_ERROR),
        (5 * MINUTE, EntryKind.EXPECTED_ERROR),
        (5 * MINUTE + SECOND, EntryKind.BLOCK),
    ],
)
def test_only_what_fails_within_five_minutes_is_expected(
    alerting: Service, subscriber: Contact, clock: Stopped, after: timedelta, kind: EntryKind
):
    tell(alerting, text("STOP"))
    clock.advance(after)

    assert [entry.kind for entry in tell(alerting, failed(Failure.OPT_OUT))] == [kind]
    assert alerts(alerting) == [AlertKind.STOP]


def test_another_senders_failure_is_a_block_of_its_own(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, text("STOP"))
    clock.advance(SECOND)

    entries = tell(alerting, failed(Failure.OPT_OUT, sender=TOLL_FREE))

    assert lines(entries) == [(EntryKind.BLOCK, "none", "blocked")]
    assert block(alerting, TOLL_FREE) is BlockState.BLOCKED


def test_a_message_sent_before_the_stop_is_no_confirmation_of_it(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, text("STOP"))
    clock.advance(SECOND)

    assert tell(alerting, failed(Failure.OPT_OUT, sent_at=clock() - MINUTE)) == []
    assert lines(tell(alerting, failed(Failure.OPT_OUT, sent_at=clock()))) == [
        (EntryKind.EXPECTED_ERROR, "", "")
    ]


def test_on_a_shared_number_the_expected_error_is_logged_on_each_contact_once(
    alerting: Service, subscriber: Contact, housemate: Contact, clock: Stopped
):
    tell(alerting, text("STOP"))
    clock.advance(SECOND)

    entries = tell(alerting, failed(Failure.OPT_OUT))

    assert [entry.contact for entry in entries] == [subscriber.id, housemate.id]
    assert {entry.kind for entry in entries} == {EntryKind.EXPECTED_ERROR}
    again = tell(alerting, failed(Failure.OPT_OUT))
    assert lines(again) == [(EntryKind.BLOCK, "blocked", "blocked")] * 2


def test_the_failed_confirmation_of_a_vague_stop_shows_that_the_carrier_heard_it(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, text("Stop."))
    clock.advance(SECOND)

    entries = tell(alerting, failed(Failure.OPT_OUT))

    assert lines(entries) == [
        (EntryKind.EXPECTED_ERROR, "", ""),
        (EntryKind.BLOCK, "unknown", "blocked"),
    ]
    assert alerts(alerting) == [AlertKind.STOP]


def test_a_confirmation_sent_before_the_unstop_does_not_block_who_came_back_meanwhile(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    stopped = clock()
    for words in ("STOP", "UNSTOP"):
        tell(alerting, text(words))
        clock.advance(SECOND)

    entries = tell(alerting, failed(Failure.OPT_OUT, sent_at=stopped))

    assert lines(entries) == [(EntryKind.EXPECTED_ERROR, "", "")]
    assert block(alerting) is BlockState.NONE


@pytest.mark.parametrize("dated", [True, False])
def test_a_message_that_fails_after_the_unstop_is_a_block_and_no_expected_error(
    alerting: Service, subscriber: Contact, clock: Stopped, dated: bool
):
    for words in ("STOP", "UNSTOP"):
        tell(alerting, text(words))
        clock.advance(SECOND)

    entries = tell(alerting, failed(Failure.OPT_OUT, sent_at=clock() if dated else None))

    assert lines(entries) == [(EntryKind.BLOCK, "none", "blocked")]
    assert block(alerting) is BlockState.BLOCKED
    assert AlertKind.DRIFT in alerts(alerting)


# Drift


def test_consent_that_is_newer_than_the_block_stays(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, failed(Failure.OPT_OUT, occurred_at=clock() - 2 * HOUR))

    assert consent(alerting, subscriber).on is ConsentValue.YES
    assert block(alerting) is BlockState.BLOCKED


def test_consent_of_the_very_moment_of_the_block_gives_way(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, failed(Failure.OPT_OUT, occurred_at=clock() - HOUR))

    assert consent(alerting, subscriber).refused


def test_each_message_that_a_standing_block_refuses_renews_it_and_refuses_nothing(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, failed(Failure.OPT_OUT, occurred_at=clock() - 2 * HOUR))
    began = since(alerting)
    told = alerts(alerting)

    for _ in range(3):
        clock.advance(HOUR)
        entries = tell(alerting, failed(Failure.OPT_OUT))
        assert lines(entries) == [(EntryKind.BLOCK, "blocked", "blocked")]

    standing = facts(alerting).blocks[LOCAL]
    assert (standing.began, standing.since) == (began, clock())
    assert consent(alerting, subscriber).on is ConsentValue.YES
    assert alerts(alerting) == told


def test_what_lifts_a_block_has_to_be_newer_than_the_last_message_that_it_refused(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    for _ in range(2):
        tell(alerting, failed(Failure.OPT_OUT))
        clock.advance(2 * HOUR)

    assert tell(alerting, text("UNSTOP", occurred_at=clock() - 3 * HOUR)) == []
    assert tell(alerting, delivered(sent_at=clock() - 3 * HOUR)) == []
    assert block(alerting) is BlockState.BLOCKED
    assert lines(tell(alerting, text("UNSTOP", occurred_at=clock() - HOUR))) == [
        (EntryKind.BLOCK, "blocked", "none")
    ]


def test_a_stop_on_a_standing_block_begins_it_anew(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, failed(Failure.OPT_OUT))
    clock.advance(HOUR)
    tell(alerting, text("STOP"))

    assert facts(alerting).blocks[LOCAL].began == clock()


def test_a_failure_from_before_the_contact_came_back_blocks_nothing(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, text("STOP"))
    clock.advance(HOUR)
    tell(alerting, text("UNSTOP"))
    clock.advance(HOUR)

    assert tell(alerting, failed(Failure.OPT_OUT, occurred_at=clock() - 90 * MINUTE)) == []
    assert tell(alerting, failed(Failure.OPT_OUT, sent_at=clock() - 90 * MINUTE)) == []
    assert block(alerting) is BlockState.NONE


def test_a_missed_refusal_counts_although_the_contact_has_lifted_the_block_since(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    clock.advance(HOUR)
    tell(alerting, text("UNSTOP"))

    tell(alerting, failed(Failure.OPT_OUT, occurred_at=clock() - 30 * MINUTE))

    assert block(alerting) is BlockState.NONE
    assert consent(alerting, subscriber).refused


def test_a_missed_refusal_makes_staffs_no_the_contacts(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    change(alerting, subscriber.id, StatusUpdate(sms=ConsentValue.NO, reason="Correction"), AGENT)
    clock.advance(MINUTE)

    tell(alerting, failed(Failure.OPT_OUT))

    assert consent(alerting, subscriber).refused


def test_who_was_never_asked_is_blocked_and_still_never_asked(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    new = add(alerting, Details(name="Cy", phone="+14155550122"), AGENT)

    entries = tell(alerting, failed(Failure.OPT_OUT, address="+14155550122"))

    assert lines(entries) == [(EntryKind.BLOCK, "none", "blocked")]
    assert consent(alerting, new, "+14155550122").on is ConsentValue.UNSET
    assert alerts(alerting) == [AlertKind.DRIFT]


# Soft failures


def test_three_soft_failures_on_two_days_bounce_and_the_third_is_told(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    for _ in range(2):
        tell(alerting, failed(Failure.SOFT))
        clock.advance(SECOND)
        assert alerts(alerting) == []
    clock.advance(DAY)

    entries = tell(alerting, failed(Failure.SOFT))

    assert lines(entries) == [(EntryKind.BOUNCE, "NO", "NO"), (EntryKind.BOUNCE, "NO", "YES")]
    assert alerts(alerting) == [AlertKind.BOUNCE]


def test_any_number_of_soft_failures_on_one_day_bounce_nothing(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    for _ in range(5):
        tell(alerting, failed(Failure.SOFT))
        clock.advance(MINUTE)

    assert facts(alerting).bounce is Bounce.NO
    assert len(facts(alerting).soft_failures) == 5


@pytest.mark.parametrize(
    ("days", "bounce"),
    [
        ((0, 1, 30), Bounce.YES),
        ((0, 1, 31), Bounce.NO),
        ((0, 20, 40), Bounce.NO),
        ((0, 20, 40, 41), Bounce.YES),
        # In whatever order they are told.
        ((30, 0, 1), Bounce.YES),
        ((60, 0, 1), Bounce.NO),
        ((60, 0, 1, 2), Bounce.YES),
    ],
)
def test_soft_failures_count_within_thirty_days_by_when_they_happened(
    alerting: Service, subscriber: Contact, clock: Stopped, days: tuple[int, ...], bounce: Bounce
):
    clock.advance(100 * DAY)

    tell(alerting, *(failed(Failure.SOFT, occurred_at=NOW + day * DAY) for day in days))

    assert facts(alerting).bounce is bounce


def test_on_a_shared_number_a_soft_failure_counts_once(
    alerting: Service, subscriber: Contact, housemate: Contact
):
    entries = tell(alerting, failed(Failure.SOFT))

    assert [entry.contact for entry in entries] == [subscriber.id, housemate.id]
    assert len(facts(alerting).soft_failures) == 1


def test_a_delivery_resets_the_count_of_what_failed_before_it(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    for _ in range(3):
        tell(alerting, failed(Failure.SOFT))
        clock.advance(HOUR)

    entries = tell(alerting, delivered(occurred_at=clock() - 90 * MINUTE))
    left = facts(alerting).soft_failures
    tell(alerting, delivered())

    assert lines(entries) == [(EntryKind.BOUNCE, "NO", "NO")]
    assert entries[0].changes == {"soft": ("3", "1")}
    assert left == (clock() - HOUR,)
    assert facts(alerting).soft_failures == ()


def test_a_delivery_to_an_address_that_is_well_is_no_news(alerting: Service, subscriber: Contact):
    assert tell(alerting, delivered(), delivered(address=MAILBOX)) == []


# What a delivery proves


def test_a_delivery_ends_a_bounce_only_if_it_was_sent_after_it(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, failed(Failure.HARD))
    bounced = clock()
    clock.advance(HOUR)

    for sent_at in (None, bounced - HOUR, bounced):
        assert tell(alerting, delivered(sent_at=sent_at)) == []
    assert lines(tell(alerting, delivered(sent_at=bounced + SECOND))) == [
        (EntryKind.BOUNCE, "YES", "NO")
    ]


def test_a_message_sent_between_two_bounces_proves_nothing(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    for _ in range(2):
        tell(alerting, failed(Failure.HARD))
        clock.advance(HOUR)

    assert tell(alerting, delivered(sent_at=clock() - 90 * MINUTE)) == []
    assert facts(alerting).bounce is Bounce.YES


@pytest.mark.parametrize("dated", [False, True])
def test_the_next_message_is_the_test_of_a_bounce_that_was_cleared(
    alerting: Service, subscriber: Contact, clock: Stopped, dated: bool
):
    tell(alerting, failed(Failure.HARD))
    clock.advance(HOUR)
    change(alerting, subscriber.id, CLEAR, AGENT)
    cleared = clock()
    clock.advance(HOUR)

    earlier = tell(alerting, delivered(sent_at=cleared - SECOND))
    unfinished = tell(alerting, delivered(occurred_at=cleared - SECOND))
    entries = tell(alerting, delivered(sent_at=clock() if dated else None))

    assert earlier == unfinished == []
    assert lines(entries) == [(EntryKind.BOUNCE, "PROBATION", "NO")]


def test_a_test_that_fails_bounces_again_and_is_told_again(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, failed(Failure.HARD))
    clock.advance(HOUR)
    change(alerting, subscriber.id, CLEAR, AGENT)
    clock.advance(HOUR)

    assert lines(tell(alerting, failed(Failure.HARD))) == [(EntryKind.BOUNCE, "PROBATION", "YES")]
    assert alerts(alerting) == [AlertKind.BOUNCE] * 2


def test_a_delivery_lifts_a_block_only_if_it_was_sent_after_it_began(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, failed(Failure.AMBIGUOUS))
    tell(alerting, delivered())
    began = clock()
    clock.advance(HOUR)

    for sent_at in (None, began - SECOND, began):
        assert tell(alerting, delivered(sent_at=sent_at)) == []
    entries = tell(alerting, delivered(sent_at=began + SECOND))

    assert lines(entries) == [(EntryKind.BLOCK, "unknown", "none")]
    assert since(alerting) == began + SECOND


def test_a_delivery_lifts_the_block_of_its_own_sender(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, text("STOP"), text("STOP", sender=TOLL_FREE))
    clock.advance(HOUR)

    tell(alerting, delivered(sent_at=clock()))

    assert (block(alerting, LOCAL), block(alerting, TOLL_FREE)) == (
        BlockState.NONE,
        BlockState.BLOCKED,
    )
    assert consent(alerting, subscriber).refused


def test_the_delivered_confirmation_of_a_stop_proves_nothing(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, text("STOP"))
    stopped = clock()
    clock.advance(HOUR)

    for after in (SECOND, 5 * MINUTE):
        assert tell(alerting, delivered(sent_at=stopped + after)) == []
    assert tell(alerting, delivered(sent_at=stopped + 5 * MINUTE + SECOND)) != []


def test_the_delivered_confirmation_of_a_second_stop_proves_nothing(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    for _ in range(2):
        tell(alerting, text("STOP"))
        clock.advance(HOUR)

    assert tell(alerting, delivered(sent_at=clock() - 59 * MINUTE)) == []
    assert tell(alerting, delivered(sent_at=clock() - 90 * MINUTE)) == []
    assert block(alerting) is BlockState.BLOCKED


def test_a_stop_from_after_the_proof_blocks_although_it_is_told_after_the_delivery(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, failed(Failure.AMBIGUOUS))
    clock.advance(HOUR)
    sent_at = clock()
    clock.advance(HOUR)
    tell(alerting, delivered(sent_at=sent_at))

    tell(alerting, text("STOP", occurred_at=sent_at + MINUTE))

    assert block(alerting) is BlockState.BLOCKED
