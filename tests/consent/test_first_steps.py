"""The first run: whom it is shown to, when a step is done, and that it goes quiet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.consent.alerts import Alert, AlertKind, Delivery, DeliveryState
from bot.consent.errors import NotAllowed, Refused
from bot.consent.use_cases import Details, add
from bot.consent.use_cases.alerts.first_run import (
    FirstSteps,
    look_at_first_run,
    send_test_alert,
    steps_of,
)
from bot.consent.use_cases.context import Service
from bot.runtime.clock import Stopped
from sandbox.first_workspace import ALERTS
from tests.support.consent_fixtures import AGENT, MANAGER, OPERATOR, open_service
from tests.support.storages import KINDS, forget, path_in


@pytest.fixture(params=KINDS)
def service(tmp_path: Path, clock: Stopped, request: pytest.FixtureRequest) -> Iterator[Service]:
    """Over each kind of storage, empty."""
    path = path_in(tmp_path, request.param)
    opened = replace(open_service(path, clock), alert_channel=ALERTS)
    yield opened
    opened.store.close()
    forget(path)


def look(service: Service, *, heard: bool = False, managers: bool = True) -> list[Alert]:
    """The messages that there are after a look."""
    look_at_first_run(service, managers=managers, heard=lambda _: heard)
    with service.store.reading() as records:
        return [alert for alert in records.outbox.all() if alert.kind is AlertKind.FIRST_RUN]


def posted(service: Service) -> None:
    """A test alert has arrived in the channel."""
    send_test_alert(service, MANAGER)
    with service.store.transaction() as records:
        for alert in records.outbox.all():
            if alert.kind is AlertKind.TEST:
                sent = Delivery(state=DeliveryState.SENT, posted_version=1, ts="1.2")
                records.outbox.put(replace(alert, delivery=sent))


def test_the_steps_tick_one_after_the_other(service: Service) -> None:
    (shown,) = look(service)
    assert steps_of(shown) == FirstSteps(channel=ALERTS, managers=True)
    add(service, Details(name="Ana", phone="+14155550100"), OPERATOR)
    (shown,) = look(service)
    assert steps_of(shown).data
    assert shown.delivery.due
    posted(service)
    (shown,) = look(service)

    assert steps_of(shown).done


def test_a_provider_that_has_sent_something_is_enough(service: Service) -> None:
    (shown,) = look(service, heard=True)

    assert steps_of(shown).data


def test_nothing_is_drawn_again_while_nothing_changes(service: Service) -> None:
    (first,) = look(service)
    (again,) = look(service)

    assert again == first


def test_it_goes_quiet_when_all_is_done(service: Service) -> None:
    look(service, heard=True)
    posted(service)
    (done,) = look(service, heard=True)
    (later,) = look(replace(service, alert_channel=None), heard=False)

    assert steps_of(done).done
    assert later == done


def test_a_storage_where_all_is_done_shows_nothing(service: Service) -> None:
    posted(service)

    assert look(service, heard=True) == []
    assert look(replace(service, alert_channel=None)) == []


def test_it_waits_until_somebody_can_be_told(service: Service) -> None:
    assert look(service, managers=False) == []
    assert len(look(service)) == 1


def test_without_a_channel_the_first_step_says_so(service: Service) -> None:
    (shown,) = look(replace(service, alert_channel=None))

    assert steps_of(shown).channel is None
    with pytest.raises(Refused, match="OPTIN_ALERT_CHANNEL"):
        send_test_alert(replace(service, alert_channel=None), MANAGER)


def test_an_agent_sends_no_test_alert(service: Service) -> None:
    with pytest.raises(NotAllowed):
        send_test_alert(service, AGENT)
