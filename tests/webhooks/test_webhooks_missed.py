"""What was told while the bot was down: asked for at Twilio, once each, from where it was left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from starlette.responses import PlainTextResponse, Response

from bot.consent.log.entries import EntryKind
from bot.consent.model import Channel, ConsentValue
from bot.consent.use_cases import Service, write_value
from bot.consent.use_cases.rollback import BACKFILL
from bot.runtime import clock
from bot.runtime.clock import Stopped
from bot.runtime.read_settings import read_settings
from handlers.webhooks.receiver import Backfill, BackfillJob, ProviderHealth, WebhookReceiver
from handlers.webhooks.registry import backfill_sources
from tests.support.receiving_fixtures import receiver
from tests.support.twilio_fixtures import SID, TOKEN, Twilio, elsewhere, twilio_api, unavailable
from tests.support.twilio_requests import signed

pytestmark = pytest.mark.every_storage

NOW = datetime(2026, 11, 3, 14, 2, tzinfo=UTC)
ANA = "+14155550100"


@pytest.fixture
def twilio() -> Iterator[Twilio]:
    with twilio_api() as twilio:
        yield twilio


@dataclass(frozen=True, slots=True, kw_only=True)
class Down:
    """The use cases, with Ana in them, and the job."""

    service: Service
    twilio: Twilio
    time: Stopped
    job: Backfill
    health: ProviderHealth

    def catch_up(self) -> None:
        self.job(Event())

    def texted(self, sid: str, text: str, *, ago: timedelta = timedelta(), **other: str) -> None:
        self.twilio.add(sid, text, self.time() - ago, **other)

    def on(self) -> ConsentValue:
        with self.service.store.reading() as records:
            (ana,) = records.contacts.at(ANA)
            return ana.consent(Channel.SMS).on

    def refusals(self) -> list[str | None]:
        with self.service.store.reading() as records:
            return [
                entry.provider_id
                for entry in records.log.all()
                if entry.kind in (EntryKind.CONSENT, EntryKind.NOTE)
                and entry.after == ConsentValue.NO
            ]


@pytest.fixture
def down(twilio: Twilio, tmp_path: Path) -> Iterator[Down]:
    env = {
        "OPTIN_TWILIO_AUTH_TOKEN": f"the-next-one,{TOKEN}",
        "OPTIN_TWILIO_ACCOUNT_SID": SID,
        "OPTIN_TWILIO_API_URL": twilio.url,
    }
    with clock.stopped(NOW) as time, receiver(tmp_path, env) as bot:
        bot.willing("Ana", phone=ANA)
        time.advance(timedelta(days=1))
        health = ProviderHealth()
        intake = WebhookReceiver(bot.service, counted=bot.metrics.count_events, health=health)
        sources = backfill_sources(read_settings(env).providers)
        job = Backfill(bot.service, intake, sources, health)
        yield Down(service=bot.service, twilio=twilio, time=time, job=job, health=health)


def test_a_stop_that_came_while_we_were_down_is_taken_under_the_webhooks_id(down: Down) -> None:
    down.texted("SM1", "STOP", ago=timedelta(hours=20))
    down.texted("SM2", "our own", direction="outbound-api")
    down.catch_up()

    assert down.on() is ConsentValue.NO
    assert down.refusals() == ["twilio:in:SM1"]


def test_what_the_webhook_told_and_the_list_has_counts_once(twilio: Twilio, tmp_path: Path) -> None:
    env = {
        "OPTIN_TWILIO_AUTH_TOKEN": TOKEN,
        "OPTIN_TWILIO_ACCOUNT_SID": SID,
        "OPTIN_TWILIO_API_URL": twilio.url,
    }
    form = {"MessageSid": "SM1", "From": ANA, "To": "+18885550199", "Body": "STOP"}
    body = "&".join(f"{name}={value.replace('+', '%2B')}" for name, value in form.items())
    path = "/webhooks/twilio/inbound"
    with clock.stopped(NOW) as time, receiver(tmp_path, env) as bot:
        bot.willing("Ana", phone=ANA)
        time.advance(timedelta(minutes=1))
        bot.send("POST", path, body.encode(), signed(path, form))
        twilio.add("SM1", "STOP", time())
        entries = len(bot.log())
    with clock.stopped(time()), receiver(tmp_path, env, jobs=True) as bot:
        while not twilio.asked or bot.counted("twilio", "duplicate") == 0:
            assert len(bot.log()) == entries

        assert len(bot.log()) == entries


def test_a_longer_list_is_read_to_its_end(down: Down) -> None:
    for number in range(7):
        down.texted(f"SM{number}", "STOP", ago=timedelta(minutes=number))
    down.catch_up()

    assert len(down.twilio.asked) == 4
    assert sorted(filter(None, down.refusals())) == [f"twilio:in:SM{n}" for n in range(7)]


@pytest.mark.parametrize(
    "fault",
    [
        unavailable(429),
        unavailable(500),
        unavailable(503),
        PlainTextResponse("<html>"),
        PlainTextResponse('{"messages": '),
        PlainTextResponse("{}"),
    ],
    ids=["429", "500", "503", "HTML", "cut", "no list"],
)
def test_after_a_fault_it_goes_on_where_it_was(down: Down, fault: Response) -> None:
    for number in range(6):
        down.texted(f"SM{number}", "STOP", ago=timedelta(minutes=number))
    down.twilio.faults = [None, fault]
    down.catch_up()
    had, asked = len(down.refusals()), len(down.twilio.asked)
    down.catch_up()

    assert had == 2
    assert len(down.twilio.asked) == asked + 2
    assert "Page=1" in down.twilio.asked[asked]
    assert len(down.refusals()) == 6


def test_a_page_that_is_not_known_any_more_is_begun_anew(down: Down) -> None:
    for number in range(4):
        down.texted(f"SM{number}", "STOP", ago=timedelta(minutes=number))
    down.twilio.faults = [None, unavailable(500), unavailable(404)]
    for _ in range(3):
        down.catch_up()

    assert len(down.refusals()) == 4


def test_the_next_time_it_asks_from_the_newest_on_with_an_hour_of_overlap(down: Down) -> None:
    down.texted("SM1", "STOP", ago=timedelta(hours=3))
    down.catch_up()
    late = down.time() - timedelta(hours=3, minutes=59)
    down.twilio.add("SM2", "STOP", late)
    down.catch_up()

    newest = down.time() - timedelta(hours=3)
    assert f"{newest - timedelta(hours=1):%Y-%m-%dT%H%%3A%M%%3A%SZ}" in down.twilio.asked[-1]
    assert down.refusals() == ["twilio:in:SM1", "twilio:in:SM2"]


def test_two_days_are_not_too_long(down: Down) -> None:
    down.catch_up()
    down.time.advance(timedelta(days=2))
    down.texted("SM1", "STOP", ago=timedelta(days=1, hours=23))
    down.catch_up()

    assert down.on() is ConsentValue.NO


def test_no_other_address_is_ever_called(down: Down) -> None:
    with twilio_api() as other:
        for number in range(3):
            down.texted(f"SM{number}", "STOP")
        down.twilio.next_page = f"{other.url}/2010-04-01/Accounts/{SID}/Messages.json?Page=1"
        down.catch_up()
        down.twilio.next_page = "//127.0.0.1/x"
        down.catch_up()
        down.twilio.faults = [elsewhere(other.url)]
        down.catch_up()

        assert other.asked == []


def test_a_refused_token_is_noted_for_the_operator(
    down: Down, caplog: pytest.LogCaptureFixture
) -> None:
    down.twilio.faults = [unavailable(403)]
    down.catch_up()

    assert "twilio can't be asked for what was missed: it answers 403" in caplog.text
    assert TOKEN not in caplog.text


def test_messages_of_nobodys_reading_spoil_nothing(down: Down) -> None:
    down.texted("SM1", "STOP", date_sent="no date")
    down.twilio.messages.clear()
    down.texted("", "hello")
    down.texted("SM2", "hel\0lo")
    down.texted("SM3", "STOP", ago=timedelta(minutes=1))
    down.catch_up()

    assert down.refusals() == ["twilio:in:SM3"]


def test_accepted_rollback_asks_at_once_for_what_the_storage_lost(down: Down) -> None:
    job = BackfillJob(down.service, down.job)
    down.texted("SM1", "hello", ago=timedelta(minutes=1))
    job(Event())
    down.texted("SM2", "STOP", ago=timedelta(hours=20))
    down.time.advance(timedelta(minutes=5))
    job(Event())
    assert down.on() is ConsentValue.YES

    since = NOW - timedelta(hours=1)
    write_value(down.service, BACKFILL, json.dumps([NOW.isoformat(), since.isoformat()]))
    job(Event())
    assert down.on() is ConsentValue.NO
    asked = len(down.twilio.asked)
    job(Event())
    assert len(down.twilio.asked) == asked


def test_providers_are_asked_every_five_minutes(down: Down) -> None:
    job = BackfillJob(down.service, down.job)
    job(Event())
    first = len(down.twilio.asked)
    down.time.advance(timedelta(minutes=4, seconds=59))
    job(Event())
    assert len(down.twilio.asked) == first
    down.time.advance(timedelta(seconds=1))
    job(Event())

    assert len(down.twilio.asked) > first
