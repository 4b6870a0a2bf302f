"""Alerts from the event to the message: a storage, a worker stepped by hand, a workspace. All three
go by one clock that stands still until a test moves it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.consent.alerts import Alert, AlertKind
from bot.consent.events import Event, EventKind, Failure
from bot.consent.model import Channel, ConsentValue, Contact
from bot.consent.use_cases import Details, Service, StatusUpdate, add, change
from bot.consent.use_cases.ingest import ingest
from bot.runtime.business_days import review_deadline
from bot.runtime.clock import Stopped
from bot.runtime.jobs import Timers, timers
from handlers.slack.alerts.channel_health import Health
from handlers.slack.alerts.client import AlertClient, client
from handlers.slack.alerts.worker import Worker
from handlers.slack.roles import Roles
from sandbox.client import ShownMessage, Workspace
from sandbox.first_workspace import ALERTS, MANAGERS
from tests.support.consent_fixtures import OPERATOR, SENDERS, open_service
from tests.support.storages import path_in

SENDER = SENDERS[0].id
PHONE = "+14155550100"
_ids = itertools.count()


def reply(text: str, phone: str = PHONE, **fields: Any) -> Event:
    """A text from a contact."""
    return _event(EventKind.REPLY, Channel.SMS, phone, text=text, sender=SENDER, **fields)


def failed(failure: Failure, address: str = PHONE, **fields: Any) -> Event:
    known: dict[str, Any] = {"failure": failure, "code": "30005", "meaning": "No such number."}
    channel = Channel.EMAIL if "@" in address else Channel.SMS
    return _event(EventKind.FAILED, channel, address, **{"sender": SENDER} | known | fields)


def mail(kind: EventKind, address: str, **fields: Any) -> Event:
    return _event(kind, Channel.EMAIL, address, **fields)


def _event(kind: EventKind, channel: Channel, address: str, **fields: Any) -> Event:
    known: dict[str, Any] = {"provider": "twilio", "id": f"E{next(_ids)}"}
    return Event(**known | {"kind": kind, "channel": channel, "address": address} | fields)


class Seconds:
    """Those that a clock moved forward: they never go back."""

    def __init__(self, clock: Stopped) -> None:
        self._clock = clock
        self._last = clock()
        self._passed = 0.0

    def __call__(self) -> float:
        now = self._clock()
        self._passed += max(0.0, (now - self._last).total_seconds())
        self._last = now
        return self._passed


@dataclass(slots=True, kw_only=True)
class Bench:
    """Everything that an alert passes through."""

    workspace: Workspace
    clock: Stopped
    service: Service
    health: Health
    slack: AlertClient
    path: Path
    worker: Worker = field(init=False)
    timers: Timers = field(init=False)
    _opened: list[Service] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.worker = self.hire(self.slack)

    def add(self, phone: str | None = PHONE, name: str = "Ana Gómez", **details: str) -> Contact:
        """A contact who gets our texts and e-mails."""
        known = {"phone": phone} if phone else {}
        contact = add(self.service, Details(name=name, **known, **details), OPERATOR)
        wish = StatusUpdate(
            sms=ConsentValue.YES if contact.phone else None,
            email=ConsentValue.YES if contact.email else None,
            evidence="signed the form",
        )
        return change(self.service, contact.id, wish, OPERATOR).contact

    def take(self, *events: Event) -> None:
        for event in events:
            ingest(self.service, [event])

    def stops(self, count: int, first: int = 0) -> None:
        """So many strangers text STOP."""
        for number in range(first, first + count):
            self.take(reply("STOP", f"+1212{number:07}"))

    def run(self, seconds: float = 3.0, every: float = 0.5) -> None:
        """The worker at work, while so much time goes by."""
        for _ in range(round(seconds / every)):
            self.settle()
            self.clock.advance(timedelta(seconds=every))
        self.settle()

    def settle(self) -> None:
        """All that may be told at this moment is told."""
        for _ in range(50):
            self.timers.run_due()
            if not self.worker.step():
                return
        raise AssertionError("the worker finds no rest")

    def restart(self) -> None:
        """The process ends, and another begins."""
        self.service.store.close()
        self.service = _service(self.path, self.clock)
        self._opened.append(self.service)
        self.health = Health()
        self.worker = self.hire(self.slack)

    def hire(self, slack: AlertClient) -> Worker:
        """A worker with another way to Slack, and the timers beside it."""
        worker = Worker(self.service, slack, self.health, monotonic=Seconds(self.clock))
        self.timers = Timers(timers(self.service, worker), self.service.now)
        return worker

    def alerts(self, kind: AlertKind | None = None) -> list[Alert]:
        with self.service.store.reading() as records:
            found = [a for a in records.outbox.all() if kind in (None, a.kind)]
        return sorted(found, key=lambda alert: (alert.first_at, alert.count))

    def alert(self) -> Alert:
        (alert,) = self.alerts()
        return alert

    def messages(self, channel: str = "#optin-alerts") -> list[ShownMessage]:
        """As a manager sees them, oldest first."""
        return self.workspace.person("Lee").messages(channel)

    def message(self) -> ShownMessage:
        (message,) = self.messages()
        return message

    def calls(self, *methods: str) -> list[dict[str, Any]]:
        """What the worker asked of Slack; all of it without `methods`."""
        return [
            line
            for line in self.workspace.journal()
            if line["direction"] == "in" and (not methods or line["method"] in methods)
        ]

    def close(self) -> None:
        for service in self._opened:
            service.store.close()


def _service(path: Path, clock: Stopped) -> Service:
    return replace(open_service(path, clock), alert_channel=ALERTS, deadline=review_deadline)


@pytest.fixture
def bench(tmp_path: Path, clock: Stopped) -> Iterator[Bench]:
    path = path_in(tmp_path / "storage")
    with Workspace.start(mode="http", clock=clock) as workspace:
        service = _service(path, clock)
        health = Health()
        slack = AlertClient(
            client=client(workspace.bot_token, workspace.api_url),
            roles=Roles(managers=frozenset({MANAGERS})),
        )
        bench = Bench(
            workspace=workspace,
            clock=clock,
            service=service,
            health=health,
            slack=slack,
            path=path,
            _opened=[service],
        )
        yield bench
        bench.close()
