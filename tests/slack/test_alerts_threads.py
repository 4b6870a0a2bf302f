"""An alert's later news in its thread, in channels that want them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.consent.alerts import AlertKind
from bot.consent.model import Channel
from bot.consent.use_cases import CaseRequest, approve, request
from bot.consent.use_cases.alerts.alert_settings import (
    AlertSettings,
    alert_settings,
    change_alert_settings,
    mute,
)
from bot.consent.use_cases.alerts.reviews import answer_review, mark_handled
from sandbox.first_workspace import ALERTS
from tests.support.alerts_fixtures import PHONE, Bench, reply
from tests.support.alerts_fixtures import bench as bench
from tests.support.consent_fixtures import AGENT, MANAGER

MAYBE = "Stop. Thank you"


@pytest.fixture
def threaded(bench: Bench) -> Bench:
    """A channel that wants threads, and a contact."""
    change_alert_settings(bench.service, ALERTS, MANAGER, threads=True)
    bench.add()
    return bench


def lines(bench: Bench) -> list[str]:
    """What stands in the thread of the first alert."""
    card, *others = bench.messages()
    assert {one.thread_ts for one in others} <= {card.ts}
    return [one.plain for one in others]


def stopped(bench: Bench) -> str:
    """The id of the alert about a STOP that was posted."""
    bench.take(reply("STOP"))
    bench.run(4)
    (alert,) = bench.alerts(AlertKind.STOP)
    return alert.id


def test_it_is_off_by_default(bench: Bench) -> None:
    bench.add()
    alert = stopped(bench)
    bench.take(reply("UNSTOP"))
    mark_handled(bench.service, alert, MANAGER)
    bench.run(8)

    assert alert_settings(bench.service, ALERTS).threads is False
    assert lines(bench) == []


def test_unstop_is_a_line_in_the_thread_of_the_stop(threaded: Bench) -> None:
    stopped(threaded)
    threaded.take(reply("UNSTOP"))
    threaded.run(8)

    (line,) = lines(threaded)
    assert line.startswith("🟡 The contact texted UNSTOP")
    assert "0100" not in line
    assert "UNSTOP" in threaded.messages()[0].plain.splitlines()[0]


def test_a_repeat_is_no_line(threaded: Bench) -> None:
    alert = stopped(threaded)
    for text in ("STOP", "UNSTOP", "UNSTOP", "STOP", "UNSTOP"):
        threaded.take(reply(text))
        threaded.run(4)
    for _ in range(3):
        mark_handled(threaded.service, alert, MANAGER)
        threaded.run(4)

    assert [line.split(",")[0] for line in lines(threaded)] == [
        "🟡 The contact texted UNSTOP",
        lines(threaded)[1].split(",")[0],
    ]
    assert "marked it as handled" in lines(threaded)[1]


def test_after_an_hour_the_same_change_is_news_again(threaded: Bench) -> None:
    stopped(threaded)
    for text in ("UNSTOP", "STOP", "UNSTOP"):
        threaded.take(reply(text))
        threaded.run(4)
        threaded.clock.advance(timedelta(minutes=40))

    assert len(lines(threaded)) == 2


def test_what_came_before_the_message_was_posted_is_in_the_message_alone(threaded: Bench) -> None:
    threaded.take(reply("STOP"))
    threaded.clock.advance(timedelta(seconds=1))
    threaded.take(reply("UNSTOP"))
    threaded.run(8)

    assert "UNSTOP" in threaded.messages()[0].plain
    assert lines(threaded) == []


def test_request_and_return_are_lines(threaded: Bench) -> None:
    stopped(threaded)
    with threaded.service.store.reading() as records:
        (contact,) = records.contacts.at(PHONE)
    ask = CaseRequest(
        channel=Channel.SMS,
        evidence="Asked on the phone",
    )
    threaded.clock.advance(timedelta(seconds=1))
    case = request(threaded.service, contact.id, ask, AGENT)
    threaded.run(4)
    approve(threaded.service, case.id, MANAGER)
    threaded.take(reply("UNSTOP"))
    threaded.run(8)

    said = lines(threaded)
    assert any("requested a re-opt-in" in line for line in said)
    assert any(line.startswith("✅ SMS On is YES again") for line in said)
    assert len(said) == len(set(said)) <= 3


@pytest.mark.parametrize(("refusal", "words"), [(True, "an opt-out"), (False, "no opt-out")])
def test_the_answer_to_a_review_is_a_line(threaded: Bench, refusal: bool, words: str) -> None:
    threaded.take(reply(MAYBE))
    threaded.run(4)
    (review,) = threaded.alerts(AlertKind.REVIEW)
    answer_review(threaded.service, review.id, refusal, MANAGER)
    answer_review(threaded.service, review.id, not refusal, AGENT)
    threaded.run(4)

    (line,) = lines(threaded)
    assert line.partition(": ")[2].startswith(words)
    assert MAYBE not in line


def test_a_review_that_nobody_answers_says_so(threaded: Bench) -> None:
    threaded.take(reply(MAYBE))
    threaded.run(4)
    threaded.clock.advance(timedelta(days=20))
    threaded.run(4)

    assert any(line.startswith("🔴 Nobody answered in time") for line in lines(threaded))


def test_a_muted_channel_gets_no_lines(threaded: Bench) -> None:
    stopped(threaded)
    mute(threaded.service, ALERTS, timedelta(hours=2), MANAGER)
    threaded.take(reply("UNSTOP"))
    threaded.run(4)

    assert lines(threaded) == []


def test_the_switch_is_stored_only_where_it_is_on(bench: Bench) -> None:
    def changed(on: bool) -> AlertSettings:
        return change_alert_settings(bench.service, ALERTS, MANAGER, threads=on)

    assert changed(True) == AlertSettings(threads=True)
    assert alert_settings(bench.service, ALERTS) == AlertSettings(threads=True)
    assert changed(False) == AlertSettings()
    with bench.service.store.reading() as records:
        assert not [name for name, _ in records.key_value.all() if name.startswith("quiet:")]
