"""The settings of a channel's alerts: thresholds beside mute and kinds, set by managers in a
modal, stored, and in force at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.consent.alerts import OPTIONAL, Alert, AlertKind
from bot.consent.errors import Invalid, NotAllowed
from bot.consent.events import Failure
from bot.consent.use_cases import Details, add
from bot.consent.use_cases.alerts.alert_settings import (
    AlertSettings,
    Thresholds,
    alert_settings,
    change_alert_settings,
    choose_kinds,
    mute,
    settings_key,
)
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.ingest import ingest
from bot.runtime.clock import Stopped
from sandbox.client import PersonClient, ShownMessage
from sandbox.first_workspace import ALERTS
from tests.support.alerts_fixtures import Bench, failed, reply
from tests.support.alerts_fixtures import bench as bench
from tests.support.consent_fixtures import AGENT, MANAGER, OPERATOR, open_service
from tests.support.slack_fixtures import Slack, opened, started
from tests.support.slack_requests import last_sent, post
from tests.support.storages import KINDS, forget, path_in

MINUTE = timedelta(minutes=1)
FIVE = Thresholds(singles=5, bounces_within=timedelta(minutes=30))


@pytest.fixture(params=KINDS)
def service(tmp_path: Path, clock: Stopped, request: pytest.FixtureRequest) -> Iterator[Service]:
    """Over each kind of storage."""
    path = path_in(tmp_path, request.param)
    opened = replace(open_service(path, clock), alert_channel=ALERTS)
    yield opened
    opened.store.close()
    forget(path)


def alerts(service: Service, kind: AlertKind) -> list[Alert]:
    with service.store.reading() as records:
        return [alert for alert in records.outbox.all() if alert.kind is kind]


def stops(service: Service, count: int) -> None:
    for number in range(count):
        ingest(service, [reply("STOP", f"+1212{number:07}")])


def test_a_channel_that_nobody_has_set_has_the_defaults(service: Service) -> None:
    assert alert_settings(service, ALERTS) == AlertSettings()
    assert alert_settings(service, ALERTS).thresholds.singles == 3


@pytest.mark.parametrize(("singles", "single"), [(1, 1), (5, 5)])
def test_a_storm_begins_behind_the_channels_threshold(
    service: Service, singles: int, single: int
) -> None:
    change_alert_settings(service, ALERTS, MANAGER, thresholds=Thresholds(singles=singles))
    stops(service, 6)
    (storm,) = alerts(service, AlertKind.STORM)

    assert len(alerts(service, AlertKind.UNKNOWN)) == single
    assert storm.count == 6


def test_bounces_share_a_message_for_as_long_as_the_channel_says(
    service: Service, clock: Stopped
) -> None:
    change_alert_settings(service, ALERTS, MANAGER, thresholds=FIVE)
    for number in range(3):
        phone = f"+1415555010{number}"
        add(service, Details(name=phone, phone=phone), OPERATOR)
        ingest(service, [failed(Failure.HARD, phone)])
        clock.advance(16 * MINUTE)

    assert [alert.count for alert in alerts(service, AlertKind.BOUNCE)] == [2, 1]


def test_thresholds_mute_and_kinds_do_not_change_one_another(service: Service) -> None:
    change_alert_settings(service, ALERTS, MANAGER, thresholds=FIVE)
    until = mute(service, ALERTS, timedelta(hours=1), MANAGER)
    choose_kinds(service, ALERTS, set(OPTIONAL) - {AlertKind.BOUNCE}, MANAGER)

    assert alert_settings(service, ALERTS) == AlertSettings(
        until=until, off=frozenset({AlertKind.BOUNCE}), thresholds=FIVE
    )
    assert alert_settings(service, "C0OTHER") == AlertSettings()


def test_settings_of_an_earlier_version_have_the_default_thresholds(service: Service) -> None:
    with service.store.transaction() as records:
        records.key_value.put(settings_key(ALERTS), '{"until": null, "off": ["bounce"]}')

    assert alert_settings(service, ALERTS) == AlertSettings(off=frozenset({AlertKind.BOUNCE}))


def test_only_a_manager_sets_thresholds(service: Service) -> None:
    with pytest.raises(NotAllowed):
        change_alert_settings(service, ALERTS, AGENT, thresholds=FIVE)

    assert alert_settings(service, ALERTS) == AlertSettings()


@pytest.mark.parametrize(
    "wrong",
    [
        Thresholds(singles=0),
        Thresholds(singles=51),
        Thresholds(bounces_within=timedelta(0)),
        Thresholds(bounces_within=timedelta(hours=2)),
    ],
)
def test_thresholds_have_limits(service: Service, wrong: Thresholds) -> None:
    with pytest.raises(Invalid):
        change_alert_settings(service, ALERTS, MANAGER, thresholds=wrong)


def test_the_last_digits_of_a_storms_strangers_go_with_its_card(bench: Bench) -> None:
    bench.stops(45)
    bench.run(400, every=10)
    with bench.service.store.reading() as records:
        stored = [name for name, _ in records.key_value.all() if "storm digits" in name]
    bench.clock.advance(timedelta(days=36))
    bench.run(2)
    with bench.service.store.reading() as records:
        left = [name for name, _ in records.key_value.all() if "storm digits" in name]

    assert len(stored) == 3
    assert left == []


# In Slack


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[Slack]:
    with started(tmp_path, "http", OPTIN_ALERT_CHANNEL=ALERTS) as slack:
        yield slack


def settings_of(slack: Slack) -> tuple[PersonClient, ShownMessage]:
    """Lee, with the modal open, and the alert that it was opened from."""
    ingest(slack.service, [reply("STOP", "+12125550101")])
    lee = slack.person("Lee")
    slack.workspace.wait_until(lambda: bool(lee.messages("#optin-alerts")))
    message = lee.messages("#optin-alerts")[-1]
    lee.overflow("Alert settings", in_=message)
    return lee, message


def test_the_modal_shows_the_defaults_and_short_labels(slack: Slack) -> None:
    lee, _ = settings_of(slack)
    modal = lee.modal

    assert modal is not None
    assert modal.title == "Alert settings"
    assert modal.fields["Mute"] == "Not muted"
    assert modal.fields["Single alerts a minute"] == "3 alerts (default)"
    assert modal.fields["Group bounces within"] == "10 minutes (default)"
    assert all(len(label) <= 24 for label in modal.fields)


def test_what_a_manager_saves_holds_for_the_next_event(slack: Slack) -> None:
    lee, message = settings_of(slack)
    lee.choose("Single alerts a minute", "5 alerts")
    lee.choose("Group bounces within", "30 minutes")
    told = opened(lee, lee.submit())
    lee.close(whole=True)
    stops(slack.service, 6)
    lee.overflow("Alert settings", in_=message)
    again = lee.modal

    assert "Saved." in told.plain
    assert alert_settings(slack.service, ALERTS).thresholds == FIVE
    assert len(alerts(slack.service, AlertKind.UNKNOWN)) == 5
    assert again is not None
    assert again.fields["Single alerts a minute"] == "5 alerts"


def test_a_manager_switches_threads_on_and_off(slack: Slack) -> None:
    lee, message = settings_of(slack)
    assert lee.modal is not None
    assert lee.modal.fields["Threads"] == []

    for on in (True, False):
        lee.choose("Threads", *(["Post later news"] if on else []))
        assert "Saved." in opened(lee, lee.submit()).plain
        assert alert_settings(slack.service, ALERTS) == AlertSettings(threads=on)
        lee.close(whole=True)
        lee.overflow("Alert settings", in_=message)


def test_a_form_of_an_earlier_version_leaves_threads_as_they_are(slack: Slack) -> None:
    lee, _ = settings_of(slack)
    change_alert_settings(slack.service, ALERTS, MANAGER, threads=True)
    lee.submit()
    sent = last_sent(slack, "view_submission alert_settings_modal")
    lee.close(whole=True)
    change_alert_settings(slack.service, ALERTS, MANAGER, threads=True)
    del sent["view"]["state"]["values"]["threads"]

    assert post(slack, sent)[0] == 200
    assert alert_settings(slack.service, ALERTS).threads is True


def test_a_manager_who_is_one_no_longer_saves_nothing(slack: Slack) -> None:
    lee, _ = settings_of(slack)
    lee.choose("Single alerts a minute", "50 alerts")
    slack.workspace.set_group("S0MANAGERS", [])
    outcome = lee.submit()

    assert "Only a manager" in "".join(outcome.errors.values())
    assert alert_settings(slack.service, ALERTS) == AlertSettings()
