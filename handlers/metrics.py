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

from handlers.slack.alerts.channel_health import Health

#: Seconds; from a quick disk to one that everybody notices.
_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """Those of one process. Safe across threads."""

    def __init__(self, alerts: Health, now: Callable[[], datetime]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Alerts(alerts, now))
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
