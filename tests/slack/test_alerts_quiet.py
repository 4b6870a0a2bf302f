"""Muted channels, kinds that a channel does without, and alerts that grew old."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.consent.alerts import OPTIONAL, AlertKind
from bot.consent.errors import Invalid, NotAllowed
from bot.consent.events import EventKind, Failure
from bot.consent.use_cases.alerts.alert_settings import alert_settings, choose_kinds, mute
from bot.consent.use_cases.alerts.outbox import sweep
from sandbox.first_workspace import ALERTS
from tests.support.alerts_fixtures import Bench, failed, mail, reply
from tests.support.consent_fixtures import AGENT, MANAGER

HOUR = timedelta(hours=1)


def test_what_comes_while_muted_is_summed_up_once(bench: Bench) -> None:
    bench.add()
    mute(bench.service, ALERTS, HOUR, MANAGER)
    bench.take(reply("STOP"))
    bench.stops(20)
    bench.add("+14155550133", name="Bea")
    bench.take(failed(Failure.HARD, "+14155550133"))
    bench.run(59 * 60, every=60)
    early = bench.messages()
    bench.run(5 * 60, every=30)

    assert early == []
    assert "While alerts were muted: " in bench.message().plain
    for said in ("1 opt-out by text", "20 opt-outs of unknown numbers", "1 bounce"):
        assert said in bench.message().plain


def test_nothing_is_summed_up_where_nothing_came(bench: Bench) -> None:
    mute(bench.service, ALERTS, HOUR, MANAGER)
    bench.run(2 * 3600, every=60)

    assert bench.messages() == []


def test_reviews_and_complaints_are_never_muted(bench: Bench) -> None:
    bench.add(email="ana@example.com")
    mute(bench.service, ALERTS, HOUR, MANAGER)
    choose_kinds(bench.service, ALERTS, (), MANAGER)
    bench.take(reply("please stop texting me"), mail(EventKind.COMPLAINT, "ana@example.com"))
    bench.run(5)

    assert len(bench.messages()) == 2


def test_a_live_message_is_still_edited_while_muted(bench: Bench) -> None:
    bench.add()
    bench.take(reply("STOP"))
    bench.run()
    mute(bench.service, ALERTS, HOUR, MANAGER)
    bench.take(reply("UNSTOP"))
    bench.run()

    assert "Came back" in bench.message().plain


def test_unmuted_the_summary_comes_at_once(bench: Bench) -> None:
    mute(bench.service, ALERTS, timedelta(days=1), MANAGER)
    bench.stops(1)
    mute(bench.service, ALERTS, timedelta(0), MANAGER)
    bench.stops(1, first=1)
    bench.run()

    assert len(bench.messages()) == 2
    assert any("1 opt-out of an unknown number" in message.plain for message in bench.messages())


def test_a_second_mute_makes_a_second_summary(bench: Bench) -> None:
    for number in range(2):
        mute(bench.service, ALERTS, HOUR, MANAGER)
        bench.stops(1, first=number)
        bench.run(2 * 3600, every=60)

    assert len(bench.messages()) == 2


def test_a_kind_that_is_switched_off_is_not_told(bench: Bench) -> None:
    bench.add()
    choose_kinds(bench.service, ALERTS, set(OPTIONAL) - {AlertKind.BOUNCE}, MANAGER)
    bench.take(failed(Failure.HARD), reply("STOP"))
    bench.run()

    assert "SMS opt-out" in bench.message().plain
    assert alert_settings(bench.service, ALERTS).off == {AlertKind.BOUNCE}


def test_wishes_outlive_a_restart(bench: Bench) -> None:
    mute(bench.service, ALERTS, HOUR, MANAGER)
    choose_kinds(bench.service, ALERTS, set(OPTIONAL) - {AlertKind.BOUNCE}, MANAGER)
    before = alert_settings(bench.service, ALERTS)
    bench.restart()

    assert alert_settings(bench.service, ALERTS) == before


def test_only_a_manager_may(bench: Bench) -> None:
    with pytest.raises(NotAllowed):
        mute(bench.service, ALERTS, HOUR, AGENT)
    with pytest.raises(NotAllowed):
        choose_kinds(bench.service, ALERTS, OPTIONAL, AGENT)


@pytest.mark.parametrize("length", [timedelta(days=8), timedelta(seconds=-1)])
def test_no_mute_is_for_ever(bench: Bench, length: timedelta) -> None:
    with pytest.raises(Invalid):
        mute(bench.service, ALERTS, length, MANAGER)


def test_old_alerts_are_swept_and_open_reviews_stay(bench: Bench) -> None:
    bench.add()
    bench.take(reply("STOP"), reply("please stop texting me", "+12125550167"))
    bench.run()
    bench.clock.advance(timedelta(days=36))

    assert sweep(bench.service) == 1
    assert [alert.kind for alert in bench.alerts()] == [AlertKind.REVIEW]
