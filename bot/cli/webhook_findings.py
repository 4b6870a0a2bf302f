"""What `optin doctor` says of outbound webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from bot.cli.finding import Finding
from bot.cli.terminal import when
from bot.config.settings import Settings
from bot.consent.errors import StorageFailed
from bot.consent.use_cases.webhooks import WebhookStatus, webhook_status_in
from bot.consent.webhooks import WebhookState
from storage import open_store


def webhook_findings(settings: Settings) -> Iterator[Finding]:
    """A line for each webhook; they are named by the host of their URLs."""
    try:
        with closing(open_store(settings.storage)) as store, store.reading() as records:
            found = webhook_status_in(records)
    except StorageFailed:
        return  # another line says so
    for status in found:
        yield _finding(status)


def _finding(status: WebhookStatus) -> Finding:
    webhook, health = status.webhook, status.health
    name = f"The webhook {webhook.id} at {webhook.host}"
    if webhook.state is WebhookState.PAUSED and webhook.problem:
        return Finding(
            what=f"{name} was paused: it {webhook.problem}.",
            cure=f"Repair that system, then run optin webhook resume {webhook.id}. Optin goes on "
            "where it stopped.",
        )
    if webhook.state is WebhookState.PAUSED:
        return Finding(what=f"{name} is paused.", off=True)
    if health.failures > 1 and health.since:
        return Finding(
            what=f"{name} has failed since {when(health.since)}: it {health.problem}.",
            cure=f"Check that system; optin webhook test {webhook.id} tries it at once. Optin "
            "delivers the waiting events when it works again.",
        )
    if status.first_given_up is not None:
        return Finding(
            what=f"{name} refused {status.given_up:,} events for three days.",
            cure=f"Check that system, then run optin webhook replay {webhook.id} --after "
            f"{status.first_given_up - 1}.",
            advice=True,
        )
    waits = f" Events to retry: {status.retrying:,}." if status.retrying else ""
    return Finding(what=f"{name} receives events.{waits}")
