"""What stands beside the webhooks: one-click's page, confirmations, /metrics, and `optin doctor`."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from bot.consent.model import Channel, ConsentValue
from bot.runtime import clock
from handlers.webhooks.provider import Confirmation, VerificationUnavailable
from handlers.webhooks.providers.one_click import OneClick
from handlers.webhooks.providers.ses import amazon
from handlers.webhooks.receiver import ConfirmationJob, ProviderHealth
from handlers.webhooks.receiver.confirmations import keep
from tests.support.cli_fixtures import Cli
from tests.support.receiving_fixtures import Receiver, receiver
from tests.support.storages import url_of
from tests.support.twilio_requests import text

NOW = datetime(2026, 11, 3, 14, 2, tzinfo=UTC)
KEY = "a-key-that-is-long-enough"
TOKEN = "a-token-for-tests"


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Receiver]:
    env = {"OPTIN_UNSUBSCRIBE_KEY": KEY, "OPTIN_TWILIO_AUTH_TOKEN": TOKEN}
    with clock.stopped(NOW), receiver(tmp_path, env) as bot:
        bot.willing("Ana", external_id="crm 7", email="ana@example.com", phone="+14155550100")
        yield bot


def link(contact: str) -> str:
    token = OneClick(keys=[KEY], mailboxes_of=lambda _: None).token("news", "ana@example.com")
    return f"/u/one-click?c={contact}&l=news&t={token}"


def email_on(bot: Receiver) -> ConsentValue:
    with bot.service.store.reading() as records:
        (ana,) = records.contacts.at("ana@example.com")
        return ana.consent(Channel.EMAIL).on


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_following_a_link_shows_a_button_and_changes_nothing(bot: Receiver, method: str) -> None:
    before = bot.bytes()
    answer = bot.send(method, link("crm%207"))

    assert answer.status == 200
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert bot.bytes() == before
    if method == "GET":
        page = answer.body.decode()
        assert page.count("<button>") == 1
        assert '<form method="post">' in page
        assert '<html lang="en">' in page


@pytest.mark.parametrize(
    ("language", "asked"),
    [
        ("en", "Stop all e-mail to \u2068a…@example.com\u2069?"),
        ("de", "Keine E-Mails mehr an \u2068a…@example.com\u2069?"),
    ],
)
def test_the_page_says_whose_it_is_and_which_mailbox_it_is_for(
    tmp_path: Path, language: str, asked: str
) -> None:
    env = {"OPTIN_UNSUBSCRIBE_KEY": KEY, "OPTIN_PUBLIC_URL": "https://consent.acme.example"}
    with receiver(tmp_path, env) as bot:
        bot.willing("Ana", external_id="crm 7", email="ana@example.com")
        page = bot.send("GET", link("crm%207"), headers={"Accept-Language": language, "Host": "x"})

    assert asked in page.body.decode()
    assert "<h1>consent.acme.example</h1>" in page.body.decode()
    assert "ana@" not in page.body.decode()


@pytest.mark.parametrize("wrong", [link("crm%207")[:-4] + "AAAA", link("nobody"), "/u/one-click"])
def test_a_link_that_does_not_hold_shows_a_button_and_no_mailbox(bot: Receiver, wrong: str) -> None:
    page = bot.send("GET", wrong).body.decode()

    assert page.count("<button>") == 1
    assert "…@" not in page


def test_the_button_unsubscribes_and_the_page_says_so(bot: Receiver) -> None:
    answer = bot.send(
        "POST",
        link("crm%207"),
        b"List-Unsubscribe=One-Click",
        {"Content-Type": "application/x-www-form-urlencoded", "Accept-Language": "fr-CA,en;q=0.5"},
    )

    assert answer.status == 200
    assert "C’est fait." in answer.body.decode()
    assert '<html lang="fr">' in answer.body.decode()
    assert email_on(bot) is ConsentValue.NO


@pytest.mark.parametrize("tail", ["x", "&t=x"])
def test_a_link_that_was_changed_does_nothing(bot: Receiver, tail: str) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = bot.send("POST", link("crm%207") + tail, b"List-Unsubscribe=One-Click", kind)

    assert (answer.status, answer.body) == (401, b"")
    assert email_on(bot) is ConsentValue.YES


def asked(bot: Receiver, url: str) -> None:
    keep(bot.service, [Confirmation(url=url, topic="arn:aws:sns:us-east-1:123456789012:optin")])


def test_a_confirmation_is_kept_and_tried_until_amazon_answers(tmp_path: Path) -> None:
    calls: list[str] = []
    answers: list[Exception | None] = [VerificationUnavailable("Amazon does not answer"), None]

    def fetch(url: str) -> bytes:
        calls.append(url)
        if (fault := answers.pop(0)) is not None:
            raise fault
        return b""

    url = "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=1"
    with clock.stopped(NOW) as time, receiver(tmp_path, {}) as bot:
        asked(bot, url)
        asked(bot, url)
        confirming = ConfirmationJob(bot.service, fetch)
        confirming(Event())
        confirming(Event())
        early = len(calls)
        time.advance(timedelta(minutes=1))
        for _ in range(3):
            confirming(Event())

    assert early == 1
    assert calls == [url, url]


def test_a_confirmation_at_another_host_is_never_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[str] = []

    def connect(host: str) -> http.client.HTTPConnection:
        connected.append(host)
        raise OSError

    with clock.stopped(NOW), receiver(tmp_path, {}) as bot:
        asked(bot, "https://sns.us-east-1.amazonaws.com.evil.example/?Token=1")
        asked(bot, "http://169.254.169.254/latest/meta-data")
        confirming = ConfirmationJob(bot.service, lambda url: amazon.fetch(url, connect))
        confirming(Event())
        with bot.service.store.reading() as records:
            left = records.key_value.get("confirmations")

    assert connected == []
    assert left is None


def test_metrics_count_without_a_word_out_of_the_requests(bot: Receiver) -> None:
    text(bot, "STOP", sid="SM1")
    text(bot, "STOP", sid="SM1")
    text(bot, "hello", sid="SM2")
    text(bot, "STOP", sid="SM3", token="wrong")
    shown = bot.send("GET", "/metrics")
    page = shown.body.decode()

    assert shown.headers["content-type"].startswith("text/plain; version=0.0.4")
    for outcome in ("applied", "duplicate", "no_effect", "forged"):
        assert bot.counted("twilio", outcome) == 1
    for name in (
        "optin_alerts_waiting",
        "optin_alerts_oldest_seconds",
        "optin_alerts_dead",
        "optin_slack_rate_limited_total",
        "optin_storage_transaction_seconds_count",
    ):
        assert f"\n{name} " in page
    assert "4155550100" not in page
    assert "ana@" not in page


def test_what_was_heard_of_a_provider_is_kept_once_a_minute(bot: Receiver) -> None:
    health = ProviderHealth()
    health.failed("twilio", NOW, "forged")
    health.keep(bot.service)
    kept = bot.bytes()
    health.failed("twilio", NOW, "forged")
    health.keep(bot.service)

    assert bot.bytes() == kept


def test_doctor_says_of_each_provider_what_was_heard_and_a_cure(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = {"OPTIN_TWILIO_AUTH_TOKEN": TOKEN, "OPTIN_UNSUBSCRIBE_KEY": KEY}
    with clock.stopped(NOW) as time, receiver(tmp_path, env) as bot:
        health = ProviderHealth()
        health.heard("twilio", NOW)
        health.keep(bot.service)
        time.advance(timedelta(hours=1))
        health.failed("twilio", time(), "forged")
        health.keep(bot.service)
        monkeypatch.setenv("OPTIN_STORAGE", url_of(bot.storage))
        monkeypatch.setenv("OPTIN_PUBLIC_URL", "https://optin.example.com")
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        said = cli("doctor").out

    assert (
        "🟡 Twilio is on; the last event came 3 Nov 2026, 14:02 UTC. "
        "The last failure, 3 Nov 2026, 15:02 UTC: a request whose signature did not hold.\n"
        "     If it came from the provider, check that OPTIN_TWILIO_AUTH_TOKEN is what the provider "
        "has now, and OPTIN_PUBLIC_URL the address that it calls."
    ) in said
    assert "✅ One-click unsubscribe is on; no event yet." in said
    assert "⚪ Telnyx is off; OPTIN_TELNYX_PUBLIC_KEY switches it on." in said


def test_what_comes_in_by_itself_does_not_hide_that_the_missed_cannot_be_asked_for(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    with clock.stopped(NOW) as time, receiver(tmp_path, {"OPTIN_TWILIO_AUTH_TOKEN": TOKEN}) as bot:
        health = ProviderHealth()
        health.failed("twilio", time(), "missed")
        time.advance(timedelta(minutes=2))
        health.heard("twilio", time())
        health.keep(bot.service)
        monkeypatch.setenv("OPTIN_STORAGE", url_of(bot.storage))
        monkeypatch.setenv("OPTIN_TWILIO_AUTH_TOKEN", TOKEN)
        monkeypatch.setenv("OPTIN_PUBLIC_URL", "https://optin.example.com")
        soon = cli("doctor").out
        time.advance(timedelta(minutes=20))
        later = cli("doctor").out

    assert "🟡 Twilio is on; " in soon
    assert "Check OPTIN_TWILIO_ACCOUNT_SID" in soon
    assert "✅ Twilio is on; " in later
