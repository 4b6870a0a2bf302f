"""`/metrics`, in Prometheus' words. No label holds anything out of a request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.consent.use_cases.lists.list_records import DriftReport
from handlers.outbound.delivery_health import OutboundHealth
from handlers.slack.alerts.channel_health import Health
from handlers.suppression_lists.lists_health import ListsHealth

#: Seconds; from a quick disk to one that everybody notices.
_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """Those of one process. Safe across threads."""

    def __init__(
        self,
        alerts: Health,
        now: Callable[[], datetime],
        webhooks: OutboundHealth | None = None,
        lists: ListsHealth | None = None,
    ) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Alerts(alerts, now))
        if webhooks is not None:
            self._registry.register(_Webhooks(webhooks, now))
        if lists is not None:
            self._registry.register(_Lists(lists, now))
        self._events = Counter(
            "optin_events",
            "What providers told, by what became of it.",
            ("provider", "outcome"),
            registry=self._registry,
        )
        self._odd = Counter(
            "optin_not_understood",
            "What providers signed and Optin could not understand or place, by kind.",
            ("provider", "kind"),
            registry=self._registry,
        )
        self._transactions = Histogram(
            "optin_storage_transaction_seconds",
            "From asking for a transaction until it is on the disk.",
            registry=self._registry,
            buckets=_BUCKETS,
        )

    def count_events(self, provider: str, outcome: str, count: int, *, kind: str = "") -> None:
        """All labels are words of ours."""
        self._events.labels(provider, outcome).inc(count)
        if kind:
            self._odd.labels(provider, kind).inc(count)

    def transaction(self) -> AbstractContextManager[object]:
        """Times what is done inside."""
        return self._transactions.time()

    def text(self) -> bytes:
        """As Prometheus reads it."""
        return generate_latest(self._registry)

    def route(self) -> Route:
        """`GET /metrics`."""

        async def metrics(_: Request) -> Response:
            # Out of memory alone: no storage and no Slack is waited for.
            return Response(self.text(), headers={"content-type": CONTENT_TYPE_PLAIN_0_0_4})

        return Route("/metrics", metrics)


class _Alerts(Collector):
    """What the worker knows of the outbox, when it is asked."""

    def __init__(self, health: Health, now: Callable[[], datetime]) -> None:
        self._health = health
        self._now = now

    def collect(self) -> Iterator[Metric]:
        health = self._health
        oldest = (self._now() - health.oldest).total_seconds() if health.oldest else 0.0
        yield GaugeMetricFamily(
            "optin_alerts_waiting", "Alerts that Slack still has to be told.", value=health.waiting
        )
        yield GaugeMetricFamily(
            "optin_alerts_oldest_seconds",
            "How long the oldest of them waits.",
            value=max(0.0, oldest),
        )
        yield GaugeMetricFamily(
            "optin_alerts_dead", "Alerts that were given up.", value=health.dead
        )
        yield CounterMetricFamily(
            "optin_slack_rate_limited", "How often Slack said 429.", value=health.rate_limited
        )


class _Webhooks(Collector):
    """What the worker knows of outbound webhooks, by their ids."""

    def __init__(self, health: OutboundHealth, now: Callable[[], datetime]) -> None:
        self._health = health
        self._now = now

    def collect(self) -> Iterator[Metric]:
        attempts = CounterMetricFamily(
            "optin_webhook_deliveries",
            "Attempts to deliver an event to a webhook, by outcome.",
            labels=("webhook", "outcome"),
        )
        for (webhook, outcome), count in self._health.outcomes().items():
            attempts.add_metric((webhook, outcome), count)
        waiting = GaugeMetricFamily(
            "optin_webhook_waiting",
            "Entries of the Activity Log behind the slowest lane of a webhook.",
            labels=("webhook",),
        )
        failed = GaugeMetricFamily(
            "optin_webhook_failed",
            "Events that a webhook refused and that are retried or were given up.",
            labels=("webhook",),
        )
        oldest = GaugeMetricFamily(
            "optin_webhook_oldest_seconds",
            "How long the oldest event waits.",
            labels=("webhook",),
        )
        for webhook, one in self._health.waiting.items():
            age = (self._now() - one.oldest).total_seconds() if one.oldest else 0.0
            waiting.add_metric((webhook,), one.entries)
            failed.add_metric((webhook,), one.failed)
            oldest.add_metric((webhook,), max(0.0, age))
        yield from (attempts, waiting, failed, oldest)


class _Lists(Collector):
    """What was last seen of the providers' suppression lists, by the providers' ids."""

    def __init__(self, health: ListsHealth, now: Callable[[], datetime]) -> None:
        self._health = health
        self._now = now

    def collect(self) -> Iterator[Metric]:
        status = self._health.status
        writes = GaugeMetricFamily(
            "optin_list_writes",
            "Writes to a provider's suppression lists, by state.",
            labels=("provider", "state"),
        )
        for (provider, state), count in status.writes.items():
            writes.add_metric((provider, state.value), count)
        drift = GaugeMetricFamily(
            "optin_list_drift",
            "Entries that the last whole read found on one side only, by kind.",
            labels=("provider", "kind"),
        )
        age = GaugeMetricFamily(
            "optin_list_read_age_seconds",
            "How long ago a provider's lists were read as a whole.",
            labels=("provider",),
        )
        for provider, kept in status.states.items():
            read_at = kept.finished_at or self._health.since
            age.add_metric((provider,), max(0.0, (self._now() - read_at).total_seconds()))
            for kind, count in _drift(kept.last_report or DriftReport()):
                drift.add_metric((provider, kind), count)
        yield from (writes, drift, age)


def _drift(report: DriftReport) -> Iterator[tuple[str, int]]:
    yield "only_theirs", sum(report.only_theirs.values())
    yield "theirs_but_yes", report.theirs_but_yes
    yield "only_ours", report.only_ours
    yield "gone", report.gone
