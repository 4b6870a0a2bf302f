"""A probable refusal: held at once, read by a person, or a refusal by itself at the deadline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.consent.errors import NotAllowed, NotFound, Refused
from bot.consent.events import Event, EventKind
from bot.consent.log.entries import EntryKind
from bot.consent.model import Channel, ConsentValue, Contact, Origin
from bot.consent.use_cases import Details, add, edit, erase, verify
from bot.consent.use_cases.alerts.reviews import answer_review, expire_reviews, mark_handled
from bot.runtime.business_days import after_business_days, review_deadline
from tests.support.alerts_fixtures import PHONE, Bench, reply
from tests.support.consent_fixtures import AGENT, MANAGER, NOBODY, OPERATOR, told
from tests.support.storages import on_disk

TEXT = "please stop texting me"


def held(bench: Bench, address: str = PHONE) -> bool:
    with bench.service.store.reading() as records:
        return records.addresses.get(address).hold is not None


def now(bench: Bench, contact: Contact) -> Contact:
    with bench.service.store.reading() as records:
        found = records.contacts.get(contact.id)
    assert found is not None
    return found


def test_an_opt_out_counts_from_the_reply_for_everybody_with_the_number(bench: Bench) -> None:
    both = [bench.add(), bench.add(name="Luis Gómez")]
    bench.clock.advance(timedelta(hours=1))
    bench.take(reply(TEXT))
    wrote_at = bench.clock()
    bench.clock.advance(timedelta(days=1))
    answer = answer_review(bench.service, bench.alert().id, True, AGENT)

    assert answer.won
    assert not held(bench)
    for contact in both:
        consent = now(bench, contact).consent(Channel.SMS)
        assert (consent.on, consent.by, consent.since) == (
            ConsentValue.NO,
            Origin.CONTACT,
            wrote_at,
        )
        last = [e for e in told(bench.service, contact.id) if e.actor == AGENT.id]
        assert [(e.kind, e.after) for e in last] == [
            (EntryKind.CONSENT, "NO"),
            (EntryKind.HOLD, "released"),
        ]
    assert verify(bench.service).problem is None


def test_no_opt_out_releases_the_hold_and_changes_nothing_else(bench: Bench) -> None:
    contact = bench.add()
    bench.take(reply(TEXT))
    answer_review(bench.service, bench.alert().id, False, AGENT)

    assert not held(bench)
    assert now(bench, contact).consent(Channel.SMS).on is ConsentValue.YES
    assert told(bench.service)[-1].reason == f"“{TEXT}” was read as no opt-out"


def test_the_first_answer_wins_and_the_second_learns_whose(bench: Bench) -> None:
    contact = bench.add()
    bench.take(reply(TEXT))
    answer_review(bench.service, bench.alert().id, True, AGENT)
    entries = len(told(bench.service))
    second = answer_review(bench.service, bench.alert().id, False, MANAGER)

    assert not second.won
    assert (second.alert.follow_up.handled_by, second.alert.follow_up.answer) == (
        AGENT.id,
        "refusal",
    )
    assert len(told(bench.service)) == entries
    assert now(bench, contact).consent(Channel.SMS).on is ConsentValue.NO


def test_unanswered_it_becomes_a_refusal_by_itself(bench: Bench) -> None:
    contact = bench.add()
    bench.take(reply(TEXT))
    deadline = bench.alert().follow_up.deadline
    assert deadline is not None
    bench.clock.advance(deadline - bench.clock() - timedelta(seconds=1))
    early = expire_reviews(bench.service)
    bench.clock.advance(timedelta(seconds=1))
    late = expire_reviews(bench.service)

    assert (early, late) == (0, 1)
    assert expire_reviews(bench.service) == 0
    assert now(bench, contact).consent(Channel.SMS).on is ConsentValue.NO
    assert told(bench.service)[-1].actor == "system"
    assert "counts as an opt-out" in str(told(bench.service)[-1].reason)
    bench.run()
    assert "Nobody answered by the deadline" in bench.message().plain


def test_the_worker_keeps_the_deadlines(bench: Bench) -> None:
    contact = bench.add()
    bench.take(reply(TEXT))
    bench.run()
    bench.clock.advance(timedelta(days=10))
    bench.run(3)

    assert now(bench, contact).consent(Channel.SMS).on is ConsentValue.NO


def test_a_stop_meanwhile_is_not_refused_twice(bench: Bench) -> None:
    contact = bench.add()
    bench.take(reply(TEXT), reply("STOP"))
    since = now(bench, contact).consent(Channel.SMS).since
    review = next(alert for alert in bench.alerts() if alert.follow_up.deadline)
    answer_review(bench.service, review.id, True, AGENT)
    refusals = [e for e in told(bench.service) if e.kind is EntryKind.CONSENT and e.after == "NO"]

    assert len(refusals) == 1
    assert now(bench, contact).consent(Channel.SMS).since == since
    assert not held(bench)


def test_a_stranger_who_becomes_a_contact_meanwhile_is_the_one_who_refused(bench: Bench) -> None:
    bench.take(reply(TEXT))
    contact = add(bench.service, Details(name="Ana Gómez", phone=PHONE), OPERATOR)
    assert held(bench)
    answer_review(bench.service, bench.alert().id, True, AGENT)

    assert not held(bench)
    assert now(bench, contact).consent(Channel.SMS).on is ConsentValue.NO


def test_a_strangers_refusal_is_kept_under_the_hash(bench: Bench) -> None:
    bench.take(reply(TEXT))
    answer_review(bench.service, bench.alert().id, True, AGENT)
    contact = add(bench.service, Details(name="Ana Gómez", phone=PHONE), OPERATOR)

    assert now(bench, contact).consent(Channel.SMS).on is ConsentValue.NO
    assert verify(bench.service).problem is None


def test_a_number_that_changed_meanwhile_keeps_its_refusal(bench: Bench) -> None:
    contact = bench.add()
    bench.take(reply(TEXT))
    edit(bench.service, contact.id, Details(name="Ana", phone="+14155550133"), OPERATOR)
    answer_review(bench.service, bench.alert().id, True, AGENT)

    assert not held(bench)
    assert now(bench, contact).consents[PHONE].on is ConsentValue.NO
    assert now(bench, contact).consent(Channel.SMS).on is not ConsentValue.NO


def test_erasure_takes_the_quotation_out_of_the_channel_and_the_storage(bench: Bench) -> None:
    contact = bench.add(name="Canaria Kanarienvogel")
    bench.take(reply("please stop texting me canarytext"))
    bench.run()
    erase(bench.service, contact.id, OPERATOR)
    bench.run()
    bench.clock.advance(timedelta(days=10))
    bench.run()

    assert "canarytext" not in bench.message().plain
    for canary in (b"canarytext", b"4155550100", b"Canaria"):
        assert canary not in on_disk(bench.path)
    assert verify(bench.service).problem is None
    again = add(bench.service, Details(name="Ana Gómez", phone=PHONE), OPERATOR)
    assert now(bench, again).consent(Channel.SMS).on is ConsentValue.NO


def test_who_may_not_is_refused(bench: Bench) -> None:
    bench.add()
    bench.take(reply(TEXT), reply("STOP", "+12125550167"))
    review, stop = sorted(bench.alerts(), key=lambda alert: alert.follow_up.deadline is None)
    with pytest.raises(NotAllowed):
        answer_review(bench.service, review.id, True, NOBODY)
    with pytest.raises(NotAllowed):
        mark_handled(bench.service, stop.id, NOBODY)
    with pytest.raises(Refused):
        mark_handled(bench.service, review.id, AGENT)
    with pytest.raises(Refused):
        answer_review(bench.service, stop.id, True, AGENT)
    with pytest.raises(NotFound):
        answer_review(bench.service, "0" * 32, True, AGENT)

    assert held(bench)


def test_an_alert_is_marked_handled_once(bench: Bench) -> None:
    bench.add()
    bench.take(reply("STOP"))
    first = mark_handled(bench.service, bench.alert().id, AGENT)
    second = mark_handled(bench.service, bench.alert().id, MANAGER)
    bench.run()

    assert (first.won, second.won) == (True, False)
    assert second.alert.follow_up.handled_by == AGENT.id
    assert "Handled by" in bench.message().plain
    assert bench.message().buttons == ["View", "Request re-opt-in"]


@pytest.mark.parametrize(
    ("at", "deadline"),
    [
        # a plain week
        ("2026-11-02T14:02", "2026-11-09T14:02"),
        # Veterans Day, a Wednesday
        ("2026-11-09T09:00", "2026-11-17T09:00"),
        # Thanksgiving, a Thursday
        ("2026-11-23T09:00", "2026-12-01T09:00"),
        # written on a Saturday
        ("2026-11-14T23:59", "2026-11-20T23:59"),
        # 4 July 2026 is a Saturday, observed on the Friday
        ("2026-06-30T08:00", "2026-07-08T08:00"),
        # New Year's Day 2028 is a Saturday, observed in the year before; Christmas 2027, too
        ("2027-12-22T08:00", "2027-12-30T08:00"),
        ("2027-12-29T08:00", "2028-01-06T08:00"),
    ],
)
def test_a_deadline_is_five_business_days_later(at: str, deadline: str) -> None:
    assert review_deadline(when(at)) == when(deadline)


def test_no_business_day_is_now() -> None:
    assert after_business_days(when("2026-11-14T23:59"), 0) == when("2026-11-14T23:59")


def when(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_reassigned_number_is_asked_about_and_quotes_no_contact(bench: Bench) -> None:
    bench.add()
    bench.take(
        Event(
            provider="twilio",
            id="twilio:reassigned:1",
            kind=EventKind.REASSIGNED,
            channel=Channel.SMS,
            address=PHONE,
            sender="+18885550199",
        )
    )
    bench.run()
    message = bench.message()

    assert "Does number ending 0100 have a new owner?" in message.plain
    assert "wrote" not in message.plain
    assert "counts as an opt-out" not in message.plain
    assert message.buttons == ["It has a new owner", "It has not", "View"]
    answer_review(bench.service, bench.alert().id, True, OPERATOR)
    bench.run()
    assert "The number has a new owner: no more texts are sent" in bench.message().plain
    assert bench.message().buttons == ["View"]
