"""The numbers for managers: shares, opt-outs by day and source, time to honour, bounces."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta, timezone

import pytest

from bot.consent.events import Event, EventKind, Failure
from bot.consent.model import Channel, ConsentValue, Contact
from bot.consent.use_cases import Service, StatusUpdate, change
from bot.consent.use_cases.stats import BounceClass, OptOutSource, Stats, counts_between, stats
from bot.runtime.clock import Stopped
from handlers import stats_words
from tests.support.consent_fixtures import AGENT
from tests.support.take_fixtures import MAILBOX, PHONE, failed, mailed, tell, text

DAY = timedelta(days=1)


def counted(service: Service, days: int = 7) -> Stats:
    return stats(service, AGENT, since=service.now() - days * DAY, zone=UTC)


def test_nobody_and_nothing_are_said_in_words(alerting: Service) -> None:
    found = counted(alerting)

    assert stats_words.share(found, Channel.SMS) == "No contact has a phone number."
    assert stats_words.opt_outs(found) == "Nobody opted out."
    assert list(stats_words.honoured(found)) == []
    assert stats_words.bounces(found) == "Nothing bounced."
    assert len(found.days) == 8


def test_whoever_agreed_is_told_apart_from_whoever_can_be_sent_to(
    alerting: Service, subscriber: Contact, housemate: Contact
) -> None:
    tell(alerting, failed(Failure.HARD))
    found = counted(alerting)

    sms, email = found.shares[Channel.SMS], found.shares[Channel.EMAIL]
    assert (sms.contacts, sms.on, sms.reachable) == (2, 2, 0)
    assert (email.contacts, email.on, email.reachable) == (2, 2, 2)
    assert stats_words.share(found, Channel.SMS) == (
        "2 of 2 contacts with a phone number agreed (100 %); 0 can be sent to now."
    )


@pytest.mark.parametrize(
    ("told", "channel", "source"),
    [
        (text("STOP"), Channel.SMS, OptOutSource.TEXT),
        (mailed(EventKind.UNSUBSCRIBED), Channel.EMAIL, OptOutSource.UNSUBSCRIBE),
        (mailed(EventKind.COMPLAINT), Channel.EMAIL, OptOutSource.COMPLAINT),
        (failed(Failure.OPT_OUT), Channel.SMS, OptOutSource.PROVIDER),
    ],
)
def test_each_opt_out_counts_once_by_day_channel_and_source(
    alerting: Service,
    subscriber: Contact,
    clock: Stopped,
    told: Event,
    channel: Channel,
    source: OptOutSource,
) -> None:
    tell(alerting, replace(told, occurred_at=alerting.now()))
    clock.advance(DAY)
    found = counted(alerting)

    assert dict(found.opt_outs) == {(channel, source): 1}
    assert [sum(day.values()) for day in found.days.values()][-2:] == [1, 0]
    with alerting.store.reading() as records:
        opt_outs, _ = counts_between(records.log, alerting.now() - 7 * DAY, alerting.now())
    assert opt_outs == found.opt_outs


def test_what_staff_decides_and_what_is_said_again_are_no_opt_outs(
    alerting: Service, subscriber: Contact
) -> None:
    change(alerting, subscriber.id, StatusUpdate(sms=ConsentValue.NO, reason="Wrong person"), AGENT)
    tell(alerting, mailed(EventKind.UNSUBSCRIBED), mailed(EventKind.UNSUBSCRIBED))
    found = counted(alerting)

    assert dict(found.opt_outs) == {(Channel.EMAIL, OptOutSource.UNSUBSCRIBE): 1}


def test_what_is_older_does_not_count(
    alerting: Service, subscriber: Contact, clock: Stopped
) -> None:
    tell(alerting, text("STOP"))
    clock.advance(8 * DAY)

    assert counted(alerting).opt_outs == {}


def test_days_are_those_of_the_reader(
    alerting: Service, subscriber: Contact, clock: Stopped
) -> None:
    at = alerting.now()
    clock.advance(at.replace(hour=23, minute=30) + DAY - at)
    tell(alerting, text("STOP"))
    east = timezone(timedelta(hours=2))
    days = stats(alerting, AGENT, since=alerting.now() - 2 * DAY, zone=east).days

    assert [day for day, found in days.items() if found] == [alerting.now().astimezone(east).date()]


def test_the_time_to_honour_is_from_the_contact_to_the_log(
    alerting: Service, subscriber: Contact, housemate: Contact, clock: Stopped
) -> None:
    now = alerting.now()
    tell(alerting, mailed(EventKind.UNSUBSCRIBED, occurred_at=now - timedelta(seconds=90)))
    clock.advance(timedelta(hours=1))
    tell(alerting, text("STOP", occurred_at=alerting.now() - 30 * DAY))
    found = counted(alerting)

    assert found.told.count == 4
    assert found.told.longest == 30 * DAY
    assert found.told.late == 2
    (said,) = stats_words.honoured(found)
    assert said == (
        "Opt-outs by text and e-mail: half took effect within 15 days, the longest took 30 days. "
        "2 took longer than the 10 business days of the law."
    )


def test_bounces_count_by_class(alerting: Service, subscriber: Contact, clock: Stopped) -> None:
    tell(alerting, failed(Failure.SOFT), failed(Failure.SOFT), failed(Failure.HARD))
    tell(alerting, mailed(EventKind.COMPLAINT))
    found = counted(alerting)

    assert dict(found.bounces) == {
        (Channel.SMS, BounceClass.SOFT): 2,
        (Channel.SMS, BounceClass.HARD): 1,
        (Channel.EMAIL, BounceClass.COMPLAINT): 1,
    }
    assert stats_words.bounces(found) == (
        "SMS: 1 lasting bounce, 2 temporary failures. Email: 1 spam report."
    )


def test_no_number_holds_an_address(alerting: Service, subscriber: Contact) -> None:
    tell(alerting, text("STOP"), mailed(EventKind.UNSUBSCRIBED))
    found = counted(alerting)
    said = f"{stats_words.stats_shape(found)}{stats_words.stats_file(found)}"

    assert not any(part in said for part in (PHONE, MAILBOX, "Ana", "0100"))
    assert stats_words.stats_file(found).splitlines()[0] == "day,channel,source,opt_outs"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.2, "less than a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (7_199, "1 hour"),
        (200_000, "2 days"),
    ],
)
def test_times_as_people_say_them(seconds: float, said: str) -> None:
    assert stats_words.duration(timedelta(seconds=seconds)) == said
