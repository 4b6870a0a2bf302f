"""The digest of a channel: when it is due, what it counts, and that there is one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest

from bot.consent.alerts import Alert, AlertKind
from bot.consent.errors import Invalid, NotAllowed
from bot.consent.events import Failure
from bot.consent.use_cases import Details, add, write_value
from bot.consent.use_cases.alerts.alert_settings import mute
from bot.consent.use_cases.alerts.digest import post_digests
from bot.consent.use_cases.alerts.digest_settings import (
    MOST_DIGESTS,
    DigestEvery,
    DigestSettings,
    all_digests,
    change_digest,
    digest_settings,
)
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.ingest import ingest
from bot.runtime.clock import Stopped
from sandbox.first_workspace import ALERTS, SUPPORT
from tests.support.alerts_fixtures import failed, reply
from tests.support.consent_fixtures import AGENT, MANAGER, OPERATOR, open_service
from tests.support.storages import KINDS, forget, path_in

#: At nine in Prague, which is eight in UTC.
DAILY = DigestSettings(every=DigestEvery.DAY, hour=9, zone="Europe/Prague")
WEEKLY = DigestSettings(every=DigestEvery.WEEK, hour=9)


@pytest.fixture(params=KINDS)
def service(tmp_path: Path, clock: Stopped, request: pytest.FixtureRequest) -> Iterator[Service]:
    """Over each kind of storage, on Tuesday, 3 November."""
    path = path_in(tmp_path, request.param)
    opened = replace(open_service(path, clock), alert_channel=ALERTS)
    to(clock, 3, 14)
    yield opened
    opened.store.close()
    forget(path)


def to(clock: Stopped, day: int, hour: int, minute: int = 0) -> None:
    """Sets the clock to a time of November 2026, in UTC."""
    clock.advance(datetime(2026, 11, day, hour, minute, tzinfo=clock().tzinfo) - clock())


def stop(service: Service, phone: str = "+14155550100") -> None:
    add(service, Details(name="Ana", phone=phone), OPERATOR)
    ingest(service, [reply("STOP", phone, occurred_at=service.now())])


def digests(service: Service) -> list[Alert]:
    with service.store.reading() as records:
        return [alert for alert in records.outbox.all() if alert.kind is AlertKind.DIGEST]


def test_it_is_due_at_its_hour_in_its_zone_and_once(service: Service, clock: Stopped) -> None:
    change_digest(service, ALERTS, DAILY, MANAGER)
    stop(service)
    to(clock, 4, 7, 59)
    assert not post_digests(service)
    to(clock, 4, 8)
    assert post_digests(service)
    assert not post_digests(service)

    (digest,) = digests(service)
    assert digest.counts == {"opt_out sms text": 1}
    assert digest.slack_channel == ALERTS
    assert digest.last_at - digest.first_at == timedelta(days=1)
    assert "0100" not in str(digest)


def test_it_counts_bounces_too(service: Service, clock: Stopped) -> None:
    change_digest(service, ALERTS, DAILY, MANAGER)
    add(service, Details(name="Ana", phone="+14155550100"), OPERATOR)
    ingest(service, [failed(Failure.HARD, occurred_at=service.now())])
    to(clock, 4, 8)
    assert post_digests(service)

    assert digests(service)[0].counts == {"bounce sms hard": 1}


def test_there_is_none_where_nothing_happened(service: Service, clock: Stopped) -> None:
    change_digest(service, ALERTS, DAILY, MANAGER)
    to(clock, 5, 9)

    assert not post_digests(service)
    assert digests(service) == []


def test_what_was_due_before_somebody_chose_it_is_not_made_up_for(
    service: Service, clock: Stopped
) -> None:
    stop(service)
    to(clock, 4, 12)
    change_digest(service, ALERTS, DAILY, MANAGER)
    assert not post_digests(service)
    to(clock, 5, 9)

    assert not post_digests(service)  # the opt-out was the day before


def test_a_digest_that_was_missed_comes_when_optin_runs_again(
    service: Service, clock: Stopped
) -> None:
    change_digest(service, ALERTS, DAILY, MANAGER)
    stop(service)
    to(clock, 4, 20)

    assert post_digests(service)


def test_the_weekly_one_comes_on_monday(service: Service, clock: Stopped) -> None:
    change_digest(service, ALERTS, WEEKLY, MANAGER)
    stop(service)
    to(clock, 8, 23)
    assert not post_digests(service)
    to(clock, 9, 9)
    assert post_digests(service)
    to(clock, 15, 12)
    assert not post_digests(service)

    (digest,) = digests(service)
    assert digest.about == "weekly"
    assert digest.last_at - digest.first_at == timedelta(days=7)


def test_a_day_of_a_clock_change_is_one_day(service: Service, clock: Stopped) -> None:
    to(clock, 1, 9)
    # In the United States clocks go back on 1 November.
    change_digest(
        service,
        ALERTS,
        DigestSettings(every=DigestEvery.DAY, hour=9, zone="America/New_York"),
        MANAGER,
    )
    stop(service)
    to(clock, 1, 14)
    assert post_digests(service)

    (digest,) = digests(service)
    assert digest.last_at - digest.first_at == timedelta(hours=25)


def test_several_replicas_enqueue_one(service: Service, clock: Stopped) -> None:
    change_digest(service, ALERTS, DAILY, MANAGER)
    stop(service)
    to(clock, 4, 9)
    threads = [Thread(target=post_digests, args=(service,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(digests(service)) == 1


def test_a_muted_channel_gets_it_when_the_mute_ends(service: Service, clock: Stopped) -> None:
    change_digest(service, ALERTS, DAILY, MANAGER)
    stop(service)
    to(clock, 4, 8)
    until = mute(service, ALERTS, timedelta(hours=2), MANAGER)
    assert post_digests(service)

    assert digests(service)[0].delivery.not_before == until


def test_only_managers_choose_it(service: Service) -> None:
    with pytest.raises(NotAllowed):
        change_digest(service, ALERTS, DAILY, AGENT)

    assert digest_settings(service, ALERTS) == DigestSettings()


@pytest.mark.parametrize(
    "wrong", [{"hour": 24}, {"hour": -1}, {"day": 7}, {"zone": "Nowhere/At_all"}]
)
def test_an_hour_and_a_zone_have_to_be_some(service: Service, wrong: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        change_digest(service, ALERTS, replace(DAILY, **wrong), MANAGER)


def test_without_an_alert_channel_there_is_none(service: Service) -> None:
    assert not post_digests(replace(service, alert_channel=None))


def test_each_channel_has_its_own(service: Service, clock: Stopped) -> None:
    change_digest(service, ALERTS, DAILY, MANAGER)
    change_digest(service, SUPPORT, replace(DAILY, hour=12), MANAGER)
    stop(service)
    to(clock, 4, 8)
    assert post_digests(service) == 1
    to(clock, 4, 11)
    assert post_digests(service) == 1
    assert post_digests(service) == 0

    assert {one.slack_channel for one in digests(service)} == {ALERTS, SUPPORT}


def test_it_says_what_happened_since_the_last_one(service: Service, clock: Stopped) -> None:
    change_digest(service, SUPPORT, DAILY, MANAGER)
    to(clock, 4, 8)
    assert post_digests(service) == 0  # nothing happened
    stop(service)
    to(clock, 7, 12)  # Optin was down for some days
    assert post_digests(service) == 1

    (digest,) = digests(service)
    assert digest.counts == {"opt_out sms text": 1}
    assert (digest.first_at.day, digest.last_at.day) == (4, 7)


def test_a_digest_that_becomes_a_weekly_one_goes_on_from_the_last(
    service: Service, clock: Stopped
) -> None:
    change_digest(service, ALERTS, DAILY, MANAGER)
    stop(service)
    to(clock, 4, 8)
    assert post_digests(service) == 1
    friday = replace(DAILY, every=DigestEvery.WEEK, day=4)
    change_digest(service, ALERTS, friday, MANAGER)
    stop(service, "+14155550102")
    to(clock, 6, 8)
    assert post_digests(service) == 1

    first, second = sorted(digests(service), key=lambda one: one.last_at)
    assert first.last_at == second.first_at
    assert second.counts == {"opt_out sms text": 1}


def test_a_removed_digest_is_gone_and_starts_anew(service: Service, clock: Stopped) -> None:
    change_digest(service, SUPPORT, DAILY, MANAGER)
    to(clock, 4, 8)
    post_digests(service)
    change_digest(service, SUPPORT, DigestSettings(every=DigestEvery.OFF), MANAGER)
    assert all_digests(service) == {}
    stop(service)
    to(clock, 12, 12)
    assert post_digests(service) == 0
    change_digest(service, SUPPORT, DAILY, MANAGER)
    to(clock, 13, 8)

    assert post_digests(service) == 0  # the opt-out was before it


def test_a_digest_that_an_earlier_version_stored_goes_on(service: Service, clock: Stopped) -> None:
    stored = {
        "settings": {"every": "weekly", "hour": 9, "zone": "UTC"},
        "chosen_at": "2026-10-20T10:00:00+00:00",
        "done": "2026-11-02",
    }
    write_value(service, f"digest:{ALERTS}", json.dumps(stored))
    stop(service)
    assert all_digests(service) == {ALERTS: WEEKLY}
    to(clock, 9, 9)
    assert post_digests(service) == 1

    (digest,) = digests(service)
    assert digest.last_at - digest.first_at == timedelta(days=7)


def test_there_are_no_more_than_optin_posts(service: Service) -> None:
    for number in range(MOST_DIGESTS):
        change_digest(service, f"C0{number}", DAILY, MANAGER)
    with pytest.raises(Invalid, match="Remove one of them first"):
        change_digest(service, SUPPORT, DAILY, MANAGER)

    assert len(all_digests(service)) == MOST_DIGESTS
