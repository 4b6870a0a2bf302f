"""/metrics shows how the providers' lists stand, and `optin serve` keeps them in step."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from prometheus_client.parser import text_string_to_metric_families

from bot.consent.use_cases import Service
from bot.runtime.list_jobs import list_jobs, lists_timer
from handlers.metrics import Metrics
from handlers.slack.alerts.channel_health import Health
from handlers.suppression_lists.lists_health import ListsHealth
from sandbox.client.lists_client import ListsClient
from tests.support.list_jobs import (
    UNSUBSCRIBES,
    Ahead,
    opted_out,
    reader_of,
    sendgrid,
    worker_of,
)

Values = Mapping[tuple[str, str], float]


def shown(metrics: Metrics) -> Values:
    """By name and by the labels after the provider."""
    return {
        (one.name, "".join(v for k, v in one.labels.items() if k != "provider")): one.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for one in family.samples
        if one.labels.get("provider") == "sendgrid"
    }


def test_metrics_show_writes_drift_and_the_age_of_the_last_read(
    ready: Service, ahead: Ahead, there: ListsClient
) -> None:
    health = ListsHealth(ready, ["sendgrid"])
    metrics = Metrics(Health(), ready.now, lists=health)
    opted_out(ready, 3)
    lists_timer(health).run()
    assert shown(metrics)["optin_list_writes", "waiting"] == 3
    worker_of(ready, there).step()
    there.add(UNSUBSCRIBES, "stranger@example.com")
    ahead.advance(timedelta(days=2))
    health.look()
    assert shown(metrics)["optin_list_read_age_seconds", ""] > 2 * 86_400 - 60
    reader_of(ready, there).step()
    health.look()

    after = shown(metrics)
    assert after["optin_list_writes", "confirmed"] == 3
    assert after["optin_list_drift", "only_theirs"] == 1
    assert after["optin_list_drift", "only_ours"] == 0
    assert after["optin_list_read_age_seconds", ""] < 60


def test_nothing_runs_where_no_lists_are_on(service: Service, there: ListsClient) -> None:
    assert list_jobs(service, {}) == []
    assert len(list_jobs(service, sendgrid(there.url))) == 2
    assert "optin_list" not in Metrics(Health(), service.now).text().decode()
