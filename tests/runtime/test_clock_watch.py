"""A clock that differs from what providers sign, or from the newest entry of the log, is said in the
alert channel, in /readyz, in the log and by `optin doctor`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bot.cli.clock_findings import clock_findings, slacks_clock
from bot.runtime import clock
from bot.runtime.clock import Stopped
from handlers.webhooks.provider import VerificationUnavailable
from handlers.webhooks.receiver import ProviderHealth, WebhookReceiver
from handlers.webhooks.receiver.signed_times import SignedTimes
from sandbox.first_workspace import ALERTS
from tests.support.consent_fixtures import open_service_at
from tests.support.resend_requests import PATH, SECRETS, signed
from tests.support.ses_requests import NOW as SENT
from tests.support.ses_requests import Amazon, certificate, ses
from tests.support.ses_requests import signed as message
from tests.support.slack_fixtures import Slack, started
from tests.support.storages import path_in, url_of

EVENT = {"type": "email.sent", "created_at": "2026-11-03T14:00:00.000Z", "data": {}}
MINUTE = timedelta(minutes=1)


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[Slack]:
    settings = {
        "OPTIN_ALERT_CHANNEL": ALERTS,
        "OPTIN_PUBLIC_URL": "https://optin.example.com",
        "OPTIN_RESEND_SIGNING_SECRET": SECRETS[0],
    }
    with started(tmp_path, "http", **settings) as slack:
        yield slack


def send(slack: Slack, at: datetime, *, secret: str = SECRETS[0]) -> int:
    """The answer to a webhook that was signed at that time."""
    request = signed(EVENT, at=at, secret=secret, id_=f"msg_{at.timestamp()}")
    return ask(slack, "POST", PATH, request.body, dict(request.headers))[0]


def ask(
    slack: Slack, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, str]:
    connection = HTTPConnection(urlsplit(slack.url).netloc, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def alerts(slack: Slack) -> list[str]:
    return [message.plain for message in slack.person("Lee").messages("#optin-alerts")]


def look(slack: Slack) -> None:
    """Lets the bot look at its clock again."""
    slack.clock.advance(timedelta(seconds=6))


def test_a_time_that_a_provider_signs_shows_that_the_clock_is_behind(
    slack: Slack, caplog: pytest.LogCaptureFixture
) -> None:
    assert send(slack, slack.clock() + 61 * MINUTE) == 401
    look(slack)

    slack.workspace.wait_until(lambda: any("may be wrong" in text for text in alerts(slack)))
    [text] = alerts(slack)
    said = "the times that Resend signs are 61 minutes ahead of the clock of this machine"
    assert said in text
    assert ask(slack, "GET", "/readyz") == (200, f"ready, but {said}")
    assert f"The clock of this machine may be wrong: {said}" in caplog.text
    [finding] = clock_findings(slack.service.store)
    assert said in finding.what
    assert finding.cure is not None

    assert send(slack, slack.clock()) == 200
    look(slack)
    slack.workspace.wait_until(lambda: "agrees again" in alerts(slack)[0])
    assert ask(slack, "GET", "/readyz") == (200, "ready")
    assert list(clock_findings(slack.service.store)) == []
    assert len(alerts(slack)) == 1


def test_a_time_that_nobody_signed_shows_nothing(slack: Slack) -> None:
    assert send(slack, slack.clock() + 61 * MINUTE, secret=SECRETS[1]) == 401
    look(slack)

    assert ask(slack, "GET", "/readyz") == (200, "ready")


def test_one_old_request_may_be_a_replay_and_three_are_not(slack: Slack) -> None:
    old = slack.clock() - 61 * MINUTE
    for _ in range(5):
        assert send(slack, old) == 401
    assert send(slack, old + timedelta(seconds=1)) == 401
    look(slack)
    assert ask(slack, "GET", "/readyz") == (200, "ready")

    assert send(slack, old + timedelta(seconds=2)) == 401
    look(slack)
    slack.workspace.wait_until(lambda: any("may be wrong" in text for text in alerts(slack)))
    said = "the times that Resend signs are 61 minutes behind the clock of this machine"
    assert ask(slack, "GET", "/readyz") == (200, f"ready, but {said}")


def test_an_entry_that_is_still_to_come_shows_that_a_clock_is_wrong(slack: Slack) -> None:
    slack.clock.advance(timedelta(hours=1))
    slack.add("Zoe", phone="+14155550177")
    slack.clock.advance(-timedelta(hours=1))

    look(slack)
    slack.workspace.wait_until(lambda: any("may be wrong" in text for text in alerts(slack)))
    assert "is from 2026-11-03 15:02 UTC, which is still to come" in alerts(slack)[0]


def test_doctor_compares_with_the_newest_entry_where_no_bot_runs(slack: Slack) -> None:
    newest = slack.log()[-1].recorded_at
    with clock.stopped(newest - 4 * MINUTE):
        assert list(clock_findings(slack.service.store)) == []
    with clock.stopped(newest - 6 * MINUTE):
        [finding] = clock_findings(slack.service.store)

    assert finding.what.endswith("which is still to come.")
    assert finding.cure is not None


@pytest.mark.parametrize(
    ("date", "said"),
    [
        ("Tue, 03 Nov 2026 14:06:00 GMT", "The clock agrees with Slack's."),
        ("Tue, 03 Nov 2026 15:02:00 GMT", "The clock is 60 minutes behind Slack's."),
        ("Tue, 03 Nov 2026 13:02:00 GMT", "The clock is 60 minutes ahead of Slack's."),
        ("yesterday", "Slack's answer does not say its time."),
    ],
)
def test_doctor_compares_with_slack(date: str, said: str) -> None:
    with clock.stopped(datetime.fromisoformat("2026-11-03T14:02:00Z")):
        assert slacks_clock({"Date": date}).what == said


def test_old_times_of_different_age_are_late_requests() -> None:
    times, now = SignedTimes(), datetime.fromisoformat("2026-11-03T14:02:00Z")
    for minutes in (10, 20, 30, 40):
        times.differs("resend", now - minutes * MINUTE, now)

    assert times.difference() is None


def test_a_message_of_another_time_asks_amazon_for_nothing(tmp_path: Path) -> None:
    """By a time of its own, a message could have a certificate left alone for years."""
    amazon = Amazon(VerificationUnavailable("Amazon could not be asked"))
    provider = ses(amazon)
    service = open_service_at(url_of(path_in(tmp_path)), Stopped(SENT))
    with closing(service.store):
        health = ProviderHealth()
        intake = WebhookReceiver(service, counted=lambda *_, **__: None, health=health)
        late = message(Timestamp="2999-03-10T15:04:05.000Z")

        assert intake.receive(provider, [late]) == [HTTPStatus.UNAUTHORIZED]
        assert amazon.asked == []
        amazon.answer = certificate()
        assert intake.receive(provider, [message()]) == [HTTPStatus.OK]
