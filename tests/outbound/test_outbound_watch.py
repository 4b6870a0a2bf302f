"""What an operator sees of webhooks: /metrics, `optin doctor`, the log. No personal data anywhere."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from bot.cli.webhook_findings import webhook_findings
from bot.config.settings import Settings
from bot.consent.use_cases import Service
from bot.consent.use_cases.webhooks import add_webhook, pause_webhook
from bot.runtime.clock import Stopped
from handlers.metrics import Metrics
from handlers.outbound.delivery_health import OutboundHealth
from handlers.outbound.delivery_worker import DeliveryWorker
from handlers.slack.alerts.channel_health import Health
from tests.support.consent_fixtures import stop
from tests.support.endpoints import client_of, deliver, receiver
from tests.support.outbound_fixtures import person, rename
from tests.support.storages import url_of

MINUTE = timedelta(minutes=1)


@pytest.fixture
def health() -> OutboundHealth:
    return OutboundHealth()


def metrics(health: OutboundHealth, clock: Stopped) -> dict[str, float]:
    text = Metrics(Health(), clock, health).text().decode()
    lines = (line.rpartition(" ") for line in text.splitlines() if line.startswith("optin_webhook"))
    return {name: float(value) for name, _, value in lines}


def test_metrics_count_attempts_by_outcome_and_say_what_waits(
    outbound: Service, clock: Stopped, health: OutboundHealth
):
    client = client_of()
    worker = DeliveryWorker(outbound, client, health, chance=lambda: 0.5)
    with receiver() as endpoint:
        webhook = add_webhook(outbound, "cli:root", url=endpoint.url)
        ana = person(outbound)
        deliver(worker)
        at_rest = metrics(health, clock)
        endpoint.answer = lambda handler, received: 500
        rename(outbound, ana, 1)
        rename(outbound, ana, 2)
        deliver(worker)
        clock.advance(MINUTE)
        deliver(worker)
        failing = metrics(health, clock)
    client.close()

    label = f'{{webhook="{webhook.id}"}}'
    outcome = 'optin_webhook_deliveries_total{outcome="%s",webhook="%s"}'
    assert at_rest == {
        outcome % ("delivered", webhook.id): 1,
        f"optin_webhook_waiting{label}": 0,
        f"optin_webhook_failed{label}": 0,
        f"optin_webhook_oldest_seconds{label}": 0,
    }
    assert failing[outcome % ("refused", webhook.id)] == 2
    assert failing[f"optin_webhook_waiting{label}"] == 2
    assert failing[f"optin_webhook_failed{label}"] == 1
    assert failing[f"optin_webhook_oldest_seconds{label}"] == 60


def test_no_log_line_and_no_metric_holds_an_address_or_a_url(
    outbound: Service, clock: Stopped, health: OutboundHealth, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    client = client_of()
    worker = DeliveryWorker(outbound, client, health, chance=lambda: 0.5)
    with receiver(500) as endpoint:
        webhook = add_webhook(
            outbound, "cli:root", url=f"{endpoint.url}/canary-path", include_address=True
        )
        person(outbound, 1234, name="Canary Name")
        stop(outbound, "+14155551234", sender="+18885550199")
        for _ in range(4):
            deliver(worker)
            clock.advance(40 * MINUTE)
    client.close()

    assert any("5551234" in one.body.decode() for one in endpoint.received)
    said = caplog.text + Metrics(Health(), clock, health).text().decode()
    for canary in ("5551234", "Canary", "canary-path", endpoint.url, webhook.secrets[0].text):
        assert canary not in said


def test_doctor_has_a_line_for_each_webhook(cli_storage: str, outbound: Service, clock: Stopped):
    client = client_of()
    worker = DeliveryWorker(outbound, client, OutboundHealth(), chance=lambda: 0.5)
    settings = Settings(storage=cli_storage)
    with receiver() as well, receiver(500) as ill, receiver(410) as gone:
        for endpoint in (well, ill, gone):
            add_webhook(outbound, "cli:root", url=endpoint.url)
        resting = add_webhook(outbound, "cli:root", url="https://crm.example.com/hidden")
        pause_webhook(outbound, resting.id)
        person(outbound)
        for _ in range(3):
            deliver(worker)
            clock.advance(6 * MINUTE)
        found = [finding.line for finding in webhook_findings(settings)]
    client.close()

    assert [line[0] for line in found] == ["✅", "🔴", "🔴", "⚪"]
    assert "has failed since 3 Nov 2026 14:02 UTC: it answered 500." in found[1]
    assert "was paused: it answered 410 (Gone)." in found[2]
    assert "optin webhook resume" in found[2]
    assert "hidden" not in "".join(found)


@pytest.fixture
def cli_storage(storage_path: object) -> str:
    """The address of the storage of `service`."""
    return url_of(storage_path)  # type: ignore[arg-type]
