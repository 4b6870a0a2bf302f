"""`optin serve` delivers: what a person does in Slack reaches an endpoint, and an endpoint that is
gone is announced in the alert channel."""

from __future__ import annotations

from pathlib import Path
from urllib.request import urlopen

from bot.consent.model import ConsentValue
from bot.consent.use_cases import StatusUpdate
from bot.consent.use_cases.webhooks import add_webhook
from sandbox.first_workspace import ALERTS
from tests.support.endpoints import receiver
from tests.support.slack_fixtures import started


def test_a_running_bot_delivers_and_announces_what_fails(tmp_path: Path):
    settings = {"OPTIN_WEBHOOK_ALLOW": "127.0.0.0/8", "OPTIN_ALERT_CHANNEL": ALERTS}
    with (
        receiver() as endpoint,
        receiver(410) as gone,
        started(tmp_path, "http", **settings) as slack,
    ):
        zoe = slack.add("Zoe", phone="+14155559876")
        webhook = add_webhook(slack.service, "cli:root", url=endpoint.url)
        add_webhook(slack.service, "cli:root", url=gone.url)
        changed = slack.set(zoe, StatusUpdate(sms=ConsentValue.NO, reason="asked"))
        endpoint.until(lambda: len(endpoint.received) == 1)
        lee = slack.person("Lee")
        slack.workspace.wait_until(lambda: bool(lee.messages("#optin-alerts")), timeout=30)
        (told,) = lee.messages("#optin-alerts")
        with urlopen(f"{slack.url}/metrics") as answer:
            metrics = answer.read().decode()

    (one,) = endpoint.received
    assert one.data["contact"] == zoe.id
    assert one.data["version"] == changed.version
    assert one.data["after"]["answer"] == "no"
    assert "Optin paused the webhook at 127.0.0.1" in told.text
    assert "answered 410 (Gone)" in told.text
    assert (
        f'optin_webhook_deliveries_total{{outcome="delivered",webhook="{webhook.id}"}} 1.0'
        in metrics
    )
