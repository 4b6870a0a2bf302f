"""What stands in the alert channel after each kind of event."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.consent.alerts import AlertKind
from bot.consent.events import EventKind, Failure
from tests.support.alerts_fixtures import PHONE, Bench, failed, mail, reply
from tests.support.storages import on_disk

MAILBOX = "ana.gomez@example.com"


def test_a_stop_is_told_with_its_number_masked(bench: Bench) -> None:
    bench.add()
    bench.take(reply("STOP"))
    bench.run()
    message = bench.message()

    assert "SMS opt-out: number ending 0100 texted STOP to +1 888-555-0199 " in message.plain
    assert message.buttons == ["View", "Request re-opt-in", "Mark handled"]
    assert message.text.startswith("🔴 *SMS opt-out:* number ending 0100 texted STOP")
    assert message.pings == []


def test_there_is_one_live_message_for_a_contact_and_a_day(bench: Bench) -> None:
    bench.add()
    bench.take(reply("STOP"))
    bench.run()
    first = bench.message()
    bench.take(reply("stop"), reply("Stop!"))
    bench.run()
    second = bench.message()
    bench.clock.advance(timedelta(days=1))
    bench.take(reply("STOP"))
    bench.run()

    assert second.ts == first.ts
    assert "(3 times today)" in second.plain
    assert len(bench.messages()) == 2


def test_two_who_share_a_number_share_a_message(bench: Bench) -> None:
    bench.add()
    bench.add(name="Luis Gómez")
    bench.take(reply("STOP"))
    bench.run()

    assert "2 have it" in bench.message().plain


def test_unstop_edits_the_stop_that_it_answers(bench: Bench) -> None:
    bench.add()
    bench.take(reply("STOP"))
    bench.run()
    bench.clock.advance(timedelta(hours=1))
    bench.take(reply("UNSTOP"))
    bench.run()
    message = bench.message()

    assert "Came back " in message.plain
    assert "still needs a manager" in message.plain


def test_unstop_of_another_day_is_told_as_half_done(bench: Bench) -> None:
    bench.add()
    bench.take(reply("STOP"))
    bench.run()
    bench.clock.advance(timedelta(days=1))
    bench.take(reply("UNSTOP"))
    bench.run()

    assert "Half done: number ending 0100 texted UNSTOP" in bench.messages()[-1].plain


def test_bounces_that_come_together_share_a_message(bench: Bench) -> None:
    for number in range(4):
        bench.add(f"+1415555010{number}", name=f"Contact {number}")
    for number in range(4):
        meaning = "The phone is off." if number == 3 else "No such number."
        bench.take(failed(Failure.HARD, f"+1415555010{number}", meaning=meaning))
        bench.run(1)
    bench.run(16)
    message = bench.message()

    assert "4 SMS bounces since " in message.plain
    assert "No such number. × 3" in message.plain
    assert "The phone is off. × 1" in message.plain


def test_one_bounce_says_its_reason_in_words(bench: Bench) -> None:
    bench.add()
    bench.take(failed(Failure.HARD))
    bench.run()

    assert "SMS bounce: number ending 0100" in bench.message().plain
    assert "No such number." in bench.message().plain


def test_a_complaint_is_louder(bench: Bench) -> None:
    bench.add(email=MAILBOX)
    bench.take(mail(EventKind.COMPLAINT, MAILBOX))
    bench.run()
    message = bench.message()

    assert message.blocks[0]["type"] == "header"
    assert "reported our e-mail as spam" in message.plain
    assert MAILBOX not in json.dumps(message.raw)


def test_an_unsubscribe_is_told(bench: Bench) -> None:
    bench.add(email=MAILBOX)
    bench.take(mail(EventKind.UNSUBSCRIBED, MAILBOX))
    bench.run()

    assert "Email opt-out: address a…@example.com unsubscribed" in bench.message().plain


def test_drift_is_told(bench: Bench) -> None:
    bench.add()
    bench.clock.advance(timedelta(hours=1))
    bench.take(failed(Failure.OPT_OUT, code="21610", meaning="The contact has opted out."))
    bench.run()

    assert "opt-out that we missed" in bench.message().plain
    assert "SMS On is NO now" in bench.message().plain


def test_an_unknown_number_is_told_as_such(bench: Bench) -> None:
    bench.take(reply("STOP", "+12125550167"))
    bench.run()
    message = bench.message()

    assert "Unknown number: number ending 0167, which no contact has" in message.plain
    assert "View" not in message.buttons


def test_an_expected_error_wakes_nobody(bench: Bench) -> None:
    bench.add()
    bench.take(reply("STOP"))
    bench.run()
    before = len(bench.calls())
    bench.take(failed(Failure.OPT_OUT, code="21610"))
    bench.run()

    assert len(bench.calls()) == before


def test_a_probable_refusal_is_quoted_harmlessly(bench: Bench) -> None:
    bench.add()
    hostile = "please stop texting me <!channel> *now* <http://evil.example|bank> " + "x" * 5_000
    bench.take(reply(hostile))
    bench.run()
    message = bench.message()

    assert "Is this an opt-out?" in message.plain
    assert "please stop texting me" in message.plain
    assert message.buttons == ["It was an opt-out", "It was not", "View"]
    assert message.pings == []
    assert "x" * 300 not in message.text
    assert "<!channel>" not in json.dumps(message.blocks) + message.text
    assert "it counts as an opt-out" in message.plain


def test_every_message_is_whole_in_its_text(bench: Bench) -> None:
    bench.add()
    bench.take(reply("STOP"))
    bench.run()
    message = bench.message()

    assert "No more texts will be sent" in message.text
    (posted,) = bench.calls("chat.postMessage")
    assert posted["args"]["unfurl_links"] in ("0", False)
    assert posted["args"]["metadata"] == {
        "event_type": "optin_alert",
        "event_payload": {"id": bench.alert().id},
    }


def test_no_number_address_name_or_sentence_leaves_by_channel_log_or_file(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bench.add("+12125550167", name="Canaria Kanarienvogel", email="canarymail@example.com")
    bench.workspace.fault("chat.postMessage", "server_error")
    bench.workspace.fault("chat.update", "error", error="invalid_blocks")
    bench.take(
        reply("STOP", "+12125550167"),
        reply("UNSTOP", "+12125550167"),
        failed(Failure.HARD, "+12125550167"),
        mail(EventKind.UNSUBSCRIBED, "canarymail@example.com"),
        mail(EventKind.COMPLAINT, "canarymail@example.com"),
    )
    bench.run(60)
    bench.stops(12, first=5550150)
    bench.run(400, every=5)
    sent = json.dumps(bench.calls()) + caplog.text
    sent += "".join(
        bench.workspace.person("Lee").download(file).decode()
        for message in bench.messages()
        for file in message.files
    )

    assert "ending 0150" in sent
    for canary in ("12125550167", "2125550167", "+1 212-555-0167", "Kanarien", "canarymail@"):
        assert canary not in sent


def test_what_is_kept_to_be_told_has_no_address(bench: Bench) -> None:
    bench.take(reply("STOP", "+12125550167"))
    bench.run()

    there = on_disk(bench.path)
    assert b"twilio" in there
    assert b"2125550167" not in there


def test_without_a_channel_nobody_is_told(bench: Bench) -> None:
    bench.add()
    bench.service = replace(bench.service, alert_channel=None)
    bench.take(reply("STOP"), reply("please stop texting me", PHONE))
    bench.run()

    assert bench.calls() == []
    assert [alert.kind for alert in bench.alerts() if alert.delivery.due] == []


def test_all_is_told_after_the_bot_was_down(bench: Bench) -> None:
    bench.add()
    bench.take(reply("STOP"))
    bench.restart()
    bench.run()

    assert len(bench.messages()) == 1
    assert bench.alerts(AlertKind.STOP)[0].delivery.posted_version == 1
