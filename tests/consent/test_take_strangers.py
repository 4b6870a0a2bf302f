"""Events about an address that nobody has: kept under its hash, and applied when somebody appears
(rules.md §4, §8.4, §8.15)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.consent.alerts import AlertKind
from bot.consent.events import EventKind, Failure, Marker
from bot.consent.log.entries import EntryKind
from bot.consent.model import (
    AddressFacts,
    BlockState,
    Bounce,
    Channel,
    ConsentValue,
    Contact,
    Evidence,
    Origin,
)
from bot.consent.rules import Answer, decide
from bot.consent.use_cases import (
    Details,
    Row,
    Service,
    add,
    edit,
    erase,
    import_rows,
    verify,
)
from bot.consent.use_cases.alerts.reviews import answer_review
from bot.runtime.clock import Stopped
from tests.support.consent_fixtures import AGENT, OPERATOR, told
from tests.support.storages import on_disk
from tests.support.take_fixtures import (
    LOCAL,
    MAILBOX,
    OTHER_PHONE,
    PHONE,
    TOLL_FREE,
    alerts,
    block,
    consent,
    delivered,
    facts,
    failed,
    kept,
    lines,
    mailed,
    since,
    tell,
    text,
)

HOUR = timedelta(hours=1)


def appears(service: Service, phone: str = PHONE, name: str = "Ana Gómez") -> Contact:
    return add(service, Details(name=name, phone=phone), AGENT)


def test_a_stop_from_a_number_that_nobody_has_is_kept_and_told_as_unknown(
    alerting: Service, clock: Stopped
):
    entries = tell(alerting, text("STOP"))

    assert lines(entries) == [
        (EntryKind.CONSENT, "UNSET", "NO"),
        (EntryKind.BLOCK, "none", "blocked"),
    ]
    assert {entry.contact for entry in entries} == {None}
    assert {entry.address for entry in entries} == {alerting.hashed(PHONE)}
    assert entries[0].actor == "contact"
    refusal = kept(alerting, PHONE).refusal
    assert refusal is not None
    assert (refusal.since, refusal.reason) == (clock(), "Replied “STOP”")
    assert alerts(alerting) == [AlertKind.UNKNOWN]
    assert verify(alerting).problem is None


def test_it_is_applied_when_a_contact_appears_with_that_number(alerting: Service, clock: Stopped):
    tell(alerting, text("STOP"))
    stopped_at = clock()
    clock.advance(HOUR)

    ana = appears(alerting)

    assert consent(alerting, ana).refused
    assert consent(alerting, ana).since == stopped_at
    assert block(alerting) is BlockState.BLOCKED
    entries = [entry for entry in told(alerting, ana.id) if entry.kind is not EntryKind.CONTACT]
    assert [(e.actor, e.by, e.occurred_at) for e in entries] == [
        ("system", Origin.CONTACT, stopped_at),
        ("system", Origin.CONTACT, stopped_at),
    ]


def test_no_import_revives_it(alerting: Service, clock: Stopped):
    tell(alerting, text("STOP"))
    clock.advance(HOUR)
    evidence = Evidence(text="web form", at=clock())
    row = Row(
        line=2, details=Details(name="Ana", phone=PHONE), sms=ConsentValue.YES, evidence=evidence
    )

    import_rows(alerting, [row], file="contacts.csv", actor=OPERATOR)

    with alerting.store.reading() as records:
        (ana,) = records.contacts.at(PHONE)
    assert consent(alerting, ana).refused


@pytest.mark.parametrize("address", [PHONE, MAILBOX, "+15005550006"])
def test_no_number_or_mailbox_of_nobody_is_on_the_disk(
    alerting: Service, storage_path: Path, address: str
):
    mail = "@" in address
    events = [
        mailed(kind, address=address, scope="asm_group:7", id=f"sendgrid:{address.upper()}:{kind}")
        for kind in EventKind
        if mail and kind is not EventKind.REPLY
    ]
    if not mail:
        events = [
            text(words, address=address, id=f"telnyx:{n}:{address}")
            for n, words in enumerate(("STOP", "stop all", "Stop. Thank you", "UNSTOP", "hello"))
        ]
    events += [failed(failure, address=address) for failure in Failure]

    tell(alerting, *events, delivered(address=address))

    left = on_disk(storage_path).lower()
    assert address.encode() not in left
    assert address.lstrip("+").encode() not in left
    assert verify(alerting).problem is None


def test_what_a_stranger_writes_is_not_in_the_log(alerting: Service):
    tell(alerting, text("Stop. I am Ana Gomez of Elm Street"))
    tell(alerting, text("ALTO, says Ana Gomez", address=OTHER_PHONE, marker=Marker.STOP))
    tell(alerting, text("please don't text me, says Ana Gomez", address=OTHER_PHONE))
    with alerting.store.reading() as records:
        review = next(alert for alert in records.outbox.all() if alert.kind is AlertKind.REVIEW)
    assert review.text == "Stop. I am Ana Gomez of Elm Street"

    answer_review(alerting, review.id, True, AGENT)

    assert not any("Ana" in (entry.reason or "") for entry in told(alerting))


def test_a_second_stop_of_nobody_moves_the_refusal_on_and_a_late_one_is_a_note(
    alerting: Service, clock: Stopped
):
    tell(alerting, text("STOP"))
    clock.advance(HOUR)

    assert lines(tell(alerting, text("STOP"))) == [(EntryKind.CONSENT, "NO", "NO")]
    assert kept(alerting, PHONE).blocks[LOCAL].since == clock()
    late = tell(alerting, text("STOP", occurred_at=clock() - HOUR / 2))
    assert lines(late) == [(EntryKind.NOTE, "NO", "NO")]
    refusal = kept(alerting, PHONE).refusal
    assert refusal is not None
    assert refusal.since == clock()


def test_unstop_of_nobody_lifts_that_senders_block_and_the_refusal_stays(
    alerting: Service, clock: Stopped
):
    tell(alerting, text("STOP"), text("STOP", sender=TOLL_FREE))
    clock.advance(HOUR)

    tell(alerting, text("UNSTOP"))
    ana = appears(alerting)

    assert (block(alerting, LOCAL), block(alerting, TOLL_FREE)) == (
        BlockState.NONE,
        BlockState.BLOCKED,
    )
    assert consent(alerting, ana).refused
    assert alerts(alerting) == [AlertKind.UNKNOWN]


def test_what_nobody_lifted_before_they_appeared_is_not_blocked_by_an_older_stop(
    alerting: Service, clock: Stopped
):
    tell(alerting, text("UNSTOP"))
    clock.advance(HOUR)
    ana = appears(alerting)

    tell(alerting, text("STOP", occurred_at=clock() - 2 * HOUR))

    assert block(alerting) is BlockState.NONE
    assert consent(alerting, ana).refused


def test_a_probable_refusal_of_nobody_is_held_for_whoever_appears(
    alerting: Service, clock: Stopped
):
    tell(alerting, text("Stop. Thank you"))
    clock.advance(HOUR)

    ana = appears(alerting)

    held = facts(alerting).hold
    assert held is not None
    assert held.since == clock() - HOUR
    assert kept(alerting, PHONE).hold is None
    assert decide(ana, facts(alerting), Channel.SMS).answer is Answer.NO
    assert alerts(alerting) == [AlertKind.REVIEW]


def test_whoever_appears_is_refused_when_it_was_read_as_an_opt_out(alerting: Service):
    tell(alerting, text("Stop. Thank you"))
    ana = appears(alerting)
    with alerting.store.reading() as records:
        (review,) = records.outbox.all()

    answer_review(alerting, review.id, True, AGENT)

    assert consent(alerting, ana).refused
    assert facts(alerting).hold is None


def test_a_complaint_and_an_unsubscribe_of_nobody_are_kept(alerting: Service):
    entries = tell(
        alerting,
        mailed(EventKind.COMPLAINT),
        mailed(EventKind.UNSUBSCRIBED, address="bo@x.example"),
    )

    refused, listed = (EntryKind.CONSENT, "UNSET", "NO"), (EntryKind.BLOCK, "none", "blocked")
    bounced = (EntryKind.BOUNCE, "NO", "YES")
    assert lines(entries) == [refused, listed, bounced, refused, listed]
    assert {entry.contact for entry in entries} == {None}
    ana = add(alerting, Details(name="Ana", email=MAILBOX), AGENT)
    bo = add(alerting, Details(name="Bo", email="bo@x.example"), AGENT)

    assert consent(alerting, ana, MAILBOX).refused
    assert consent(alerting, bo, "bo@x.example").refused
    assert facts(alerting, MAILBOX).complaint
    assert facts(alerting, MAILBOX).blocks.keys() == {"sendgrid/complaint"}
    assert facts(alerting, "bo@x.example").blocks.keys() == {"sendgrid/unsubscribe"}
    assert alerts(alerting) == [AlertKind.UNKNOWN] * 2


@pytest.mark.parametrize("failure", [Failure.OURS, Failure.ROUTE, Failure.NOT_FINAL])
def test_what_is_no_fault_of_the_address_is_kept_of_nobody(alerting: Service, failure: Failure):
    assert tell(alerting, failed(failure), delivered()) == []


@pytest.mark.parametrize(
    "failure", [Failure.HARD, Failure.SOFT, Failure.AMBIGUOUS, Failure.LISTED_BOUNCE]
)
def test_what_failed_for_nobody_is_told_to_nobody_and_meets_whoever_appears(
    alerting: Service, subscriber: Contact, clock: Stopped, failure: Failure
):
    address = "bo@x.example" if failure is Failure.LISTED_BOUNCE else OTHER_PHONE
    told_of = {"provider": "sendgrid"} if failure is Failure.LISTED_BOUNCE else {}
    entries = tell(alerting, *(failed(failure, address=a, **told_of) for a in (address,) * 2))
    clock.advance(HOUR)
    details = {"email": address} if "@" in address else {"phone": address}
    new = add(alerting, Details(name="Bo", **details), AGENT)

    met = facts(alerting, address)
    assert entries
    assert {(entry.contact, entry.address) for entry in entries} == {
        (None, alerting.hashed(address))
    }
    assert alerts(alerting) == []
    assert consent(alerting, new, address).on is ConsentValue.UNSET
    assert met.bounce is (
        Bounce.YES if failure in (Failure.HARD, Failure.LISTED_BOUNCE) else Bounce.NO
    )
    assert len(met.soft_failures) == (2 if failure in (Failure.SOFT, Failure.AMBIGUOUS) else 0)
    assert {name: block.state for name, block in met.blocks.items()} == {
        Failure.AMBIGUOUS: {LOCAL: BlockState.UNKNOWN},
        Failure.LISTED_BOUNCE: {"sendgrid/bounce": BlockState.BLOCKED},
    }.get(failure, {})


@pytest.mark.parametrize("failures", [[Failure.HARD], [Failure.SOFT] * 2])
def test_what_failed_for_nobody_and_was_proved_well_since_does_not_meet_the_next_one(
    alerting: Service, clock: Stopped, failures: list[Failure]
):
    tell(alerting, *(failed(failure) for failure in failures))
    clock.advance(HOUR)
    appears(alerting)
    tell(alerting, delivered(sent_at=clock()))

    appears(alerting, name="Bo")

    assert (facts(alerting).bounce, facts(alerting).soft_failures) == (Bounce.NO, ())
    assert kept(alerting, PHONE) == AddressFacts(address=alerting.hashed(PHONE))
    assert verify(alerting).problem is None


def test_a_delivery_to_nobody_ends_what_failed_before_it(alerting: Service, clock: Stopped):
    tell(alerting, failed(Failure.SOFT))
    tell(alerting, failed(Failure.HARD, address=OTHER_PHONE))
    clock.advance(HOUR)
    tell(alerting, delivered(), delivered(address=OTHER_PHONE, sent_at=clock()))

    assert kept(alerting, PHONE).soft_failures == ()
    assert kept(alerting, OTHER_PHONE).bounce is Bounce.NO


def test_an_opt_out_failure_of_nobody_is_a_block_and_no_refusal(alerting: Service):
    assert lines(tell(alerting, failed(Failure.OPT_OUT))) == [(EntryKind.BLOCK, "none", "blocked")]

    ana = appears(alerting)

    assert block(alerting) is BlockState.BLOCKED
    assert consent(alerting, ana).on is ConsentValue.UNSET
    assert alerts(alerting) == []


@pytest.mark.parametrize("dated", [True, False])
def test_the_failed_confirmation_of_nobodys_stop_is_nothing_and_a_later_message_is_a_block(
    alerting: Service, clock: Stopped, dated: bool
):
    tell(alerting, text("STOP"))
    stopped_at = clock()
    clock.advance(timedelta(seconds=2))
    tell(alerting, text("UNSTOP"))

    confirmation = tell(alerting, failed(Failure.OPT_OUT, sent_at=stopped_at))
    later = tell(alerting, failed(Failure.OPT_OUT, sent_at=clock() if dated else None))

    assert confirmation == []
    assert lines(later) == [(EntryKind.BLOCK, "none", "blocked")]
    assert alerts(alerting) == [AlertKind.UNKNOWN]


def test_our_own_suppression_of_nobody_is_on_the_providers_list_and_no_refusal(alerting: Service):
    entries = tell(alerting, mailed(EventKind.SUPPRESSED))

    assert lines(entries) == [(EntryKind.BLOCK, "none", "blocked")]
    ana = add(alerting, Details(name="Ana", email=MAILBOX), AGENT)
    assert facts(alerting, MAILBOX).blocks.keys() == {"sendgrid/ours"}
    assert consent(alerting, ana, MAILBOX).on is ConsentValue.UNSET
    assert alerts(alerting) == []


def test_what_is_kept_of_a_number_stays_when_its_contact_takes_another(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    edit(alerting, subscriber.id, Details(phone=OTHER_PHONE), AGENT)
    clock.advance(HOUR)
    tell(alerting, text("STOP"))
    clock.advance(HOUR)

    assert consent(alerting, subscriber, OTHER_PHONE).on is ConsentValue.UNSET
    edit(alerting, subscriber.id, Details(phone=PHONE), AGENT)
    assert consent(alerting, subscriber).refused
    assert block(alerting) is BlockState.BLOCKED


def leaves_and_comes_back(
    service: Service, subscriber: Contact, clock: Stopped, *meanwhile: str
) -> None:
    """To a number to which these texts came from nobody."""
    left_at = clock()
    edit(service, subscriber.id, Details(phone=OTHER_PHONE), AGENT)
    clock.advance(HOUR)
    tell(service, *(text(words, occurred_at=left_at) for words in meanwhile))
    edit(service, subscriber.id, Details(phone=PHONE), AGENT)


def test_a_stop_of_the_very_moment_of_an_unstop_blocks_whoever_comes_back(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, text("UNSTOP"))

    leaves_and_comes_back(alerting, subscriber, clock, "STOP")

    assert block(alerting) is BlockState.BLOCKED


def test_a_vaguer_stop_of_nobody_makes_no_known_block_unknown(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    tell(alerting, text("STOP"))
    clock.advance(HOUR)

    leaves_and_comes_back(alerting, subscriber, clock, "STOP!!!")

    assert (block(alerting), since(alerting)) == (BlockState.BLOCKED, clock() - HOUR)


@pytest.mark.parametrize("address", ["Acme Corp", "72345", "whatsapp:+44", "+1"])
def test_what_is_no_number_is_kept_and_never_a_crash(
    alerting: Service, subscriber: Contact, storage_path: Path, address: str
):
    entries = tell(alerting, text("STOP", address=address), delivered(address=address))

    assert {entry.address for entry in entries} == {alerting.hashed(address)}
    assert alerts(alerting) == [AlertKind.UNKNOWN]
    assert consent(alerting, subscriber).on is ConsentValue.YES
    assert verify(alerting).problem is None


# Erased


def personal(service: Service, subscriber: Contact, clock: Stopped) -> None:
    """Everything that events can leave behind."""
    for words in ("STOP", "Ana here. Stop. Thank you", "UNSTOP", "STOP"):
        tell(service, text(words, id=f"telnyx:{clock():%s}:{PHONE}"))
        clock.advance(timedelta(seconds=30))
        tell(service, failed(Failure.OPT_OUT), failed(Failure.SOFT), failed(Failure.AMBIGUOUS))
    tell(service, mailed(EventKind.COMPLAINT, id=f"ses:1:{MAILBOX}"))


def test_erasure_leaves_nothing_personal_of_any_event_and_the_refusal(
    alerting: Service, subscriber: Contact, clock: Stopped, storage_path: Path
):
    personal(alerting, subscriber, clock)

    erase(alerting, subscriber.id, OPERATOR)

    left = on_disk(storage_path).lower()
    for trace in (PHONE, PHONE[1:], MAILBOX, "Ana here", "gómez", "Replied", "thank you"):
        assert trace.lower().encode() not in left
    assert kept(alerting, PHONE).refusal is not None
    assert kept(alerting, MAILBOX).refusal is not None
    assert facts(alerting) == AddressFacts(address=PHONE)
    assert verify(alerting).problem is None


def test_who_comes_back_after_erasure_is_still_refused_and_blocked(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    personal(alerting, subscriber, clock)
    erase(alerting, subscriber.id, OPERATOR)
    clock.advance(HOUR)

    again = appears(alerting)

    assert consent(alerting, again).refused
    assert block(alerting) is BlockState.BLOCKED
    assert facts(alerting).bounce is Bounce.NO
    assert verify(alerting).problem is None


def test_a_reply_that_nobody_has_judged_counts_as_a_refusal_when_its_contact_is_erased(
    alerting: Service, subscriber: Contact, clock: Stopped, storage_path: Path
):
    tell(alerting, text("Stop. Thank you, Ana"))

    erase(alerting, subscriber.id, OPERATOR)

    assert kept(alerting, PHONE).refusal is not None
    assert b"Thank you" not in on_disk(storage_path)
    assert verify(alerting).problem is None


def test_a_reply_that_somebody_can_still_judge_is_no_refusal_yet(
    alerting: Service, subscriber: Contact, housemate: Contact
):
    tell(alerting, text("Stop. Thank you"))

    erase(alerting, subscriber.id, OPERATOR)

    assert kept(alerting, PHONE).refusal is None
    assert facts(alerting).hold is not None
    assert consent(alerting, housemate).on is ConsentValue.YES


def test_whoever_shares_the_number_keeps_what_events_told_of_it(
    alerting: Service, subscriber: Contact, housemate: Contact, clock: Stopped
):
    personal(alerting, subscriber, clock)
    before = facts(alerting)

    erase(alerting, subscriber.id, OPERATOR)

    # Now it is the housemate's entry that tells of each opt-out.
    after = facts(alerting)
    assert [replace(r, entry="") for r in after.refusals] == [
        replace(r, entry="") for r in before.refusals
    ]
    assert replace(after, refusals=before.refusals) == before
    assert consent(alerting, housemate).refused
    assert verify(alerting).problem is None


def test_an_event_after_erasure_is_about_nobody(
    alerting: Service, subscriber: Contact, clock: Stopped, storage_path: Path
):
    erase(alerting, subscriber.id, OPERATOR)
    clock.advance(HOUR)

    entries = tell(alerting, text("STOP"))

    assert {entry.contact for entry in entries} == {None}
    assert PHONE.encode() not in on_disk(storage_path)
