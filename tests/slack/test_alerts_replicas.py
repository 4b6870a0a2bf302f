"""Two replicas on one storage: Slack sees the pace of one, its limits are obeyed by both, and a rush
that both are told of is one card.

Time moves when the test says so, for the workspace, too: what is between two calls is the schedule,
however slow the machine is.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.consent.alerts import Alert, AlertKind
from bot.consent.events import Event
from bot.consent.log.entries import EntryKind
from bot.consent.model import ConsentValue
from bot.consent.use_cases import Service
from bot.consent.use_cases.alerts.outbox import claim
from bot.consent.use_cases.ingest import ingest
from bot.runtime.clock import Stopped
from bot.runtime.jobs import Timers, timers
from handlers.slack.alerts.channel_health import Health
from handlers.slack.alerts.client import AlertClient, client
from handlers.slack.alerts.rate_limits import RateLimiter
from handlers.slack.alerts.worker import Worker
from handlers.slack.roles import Roles
from sandbox.client import ShownMessage, Workspace
from sandbox.first_workspace import ALERTS, APPROVALS
from tests.support.alerts_fixtures import Seconds, reply
from tests.support.consent_fixtures import open_service

pytestmark = pytest.mark.every_storage

TICK = timedelta(milliseconds=100)
MAKING = ("chat.postMessage", "chat.update")


@dataclass(slots=True, kw_only=True)
class Replica:
    service: Service
    worker: Worker
    timers: Timers

    def take(self, *events: Event) -> None:
        for event in events:
            ingest(self.service, [event])

    def settle(self) -> None:
        """All that may be told at this moment is told."""
        for _ in range(50):
            self.timers.run_due()
            if not self.worker.step():
                return
        raise AssertionError("the worker finds no rest")


@dataclass(slots=True, kw_only=True)
class Pair:
    workspace: Workspace
    clock: Stopped
    path: Path
    #: Those that are at work.
    replicas: list[Replica] = field(default_factory=list)
    _begun: list[Service] = field(default_factory=list)

    def begin(self, *, ahead: timedelta = timedelta(0)) -> Replica:
        """One more, with a clock that may differ from the others'."""
        service = replace(
            open_service(self.path, lambda: self.clock() + ahead), alert_channel=ALERTS
        )
        slack = AlertClient(
            client=client(self.workspace.bot_token, self.workspace.api_url), roles=Roles()
        )
        worker = Worker(service, slack, Health(), monotonic=Seconds(self.clock))
        self._begun.append(service)
        timed = Timers(timers(service, worker), service.now)
        self.replicas.append(Replica(service=service, worker=worker, timers=timed))
        return self.replicas[-1]

    def close(self) -> None:
        for service in self._begun:
            service.store.close()

    def run(self, seconds: float) -> None:
        """All at work at once, while so much time goes by."""
        with ThreadPoolExecutor(len(self.replicas)) as pool:
            for _ in range(round(seconds / TICK.total_seconds())):
                list(pool.map(Replica.settle, self.replicas))
                self.clock.advance(TICK)
            list(pool.map(Replica.settle, self.replicas))

    def calls(self, slack_channel: str = ALERTS) -> list[float]:
        """When a message was made or edited there, as Slack saw it."""
        return [
            line["at"]
            for line in self.workspace.journal()
            if line["method"] in MAKING and line["args"]["channel"] == slack_channel
        ]

    def alerts(self, kind: AlertKind | None = None) -> list[Alert]:
        with self.replicas[0].service.store.reading() as records:
            return [alert for alert in records.outbox.all() if kind in (None, alert.kind)]

    def messages(self) -> list[ShownMessage]:
        return self.workspace.person("Lee").messages("#optin-alerts")

    def told(self) -> Counter[str]:
        """How many messages each alert has."""
        return Counter(m.metadata["event_payload"]["id"] for m in self.messages() if m.metadata)


@contextmanager
def pair_at(path: Path, clock: Stopped) -> Iterator[Pair]:
    with Workspace.start(mode="http", clock=clock) as workspace:
        pair = Pair(workspace=workspace, clock=clock, path=path)
        yield pair
        pair.close()


@pytest.fixture
def pair(storage_path: Path, clock: Stopped) -> Iterator[Pair]:
    """A workspace, and a storage that two replicas work on."""
    with pair_at(storage_path, clock) as pair:
        pair.begin()
        pair.begin()
        yield pair


def wishes(count: int, first: int = 0) -> list[Event]:
    """Each of which is told by itself, however many come."""
    return [
        reply("please stop texting me", f"+1415556{number:04}")
        for number in range(first, first + count)
    ]


def between(calls: Sequence[float]) -> list[float]:
    return [round(later - earlier, 3) for earlier, later in itertools.pairwise(calls)]


def test_two_replicas_keep_the_pace_of_one(pair: Pair) -> None:
    one, other = pair.replicas
    one.take(*wishes(4))
    other.take(*wishes(4, first=4))
    pair.run(10)
    waited = between(pair.calls())

    assert len(pair.alerts()) == 8
    assert pair.told() == Counter({alert.id: 1 for alert in pair.alerts()})
    # Not slower, either.
    assert all(1.0 <= seconds <= 1.2 for seconds in waited)


def test_edits_keep_it_with_what_is_posted(pair: Pair) -> None:
    one, other = pair.replicas
    one.take(reply("STOP"), *wishes(2))
    pair.run(4)
    other.take(*wishes(2, first=2))
    one.take(reply("UNSTOP"))
    pair.run(5)

    assert len(pair.calls()) == 6
    assert min(between(pair.calls())) >= 1.0


def test_one_channel_waits_for_no_other(pair: Pair) -> None:
    one, _ = pair.replicas
    one.take(*wishes(6))
    with one.service.store.transaction() as records:
        for alert in list(records.outbox.all())[::2]:
            records.outbox.put(replace(alert, slack_channel=APPROVALS))
    pair.run(3)

    assert [len(pair.calls(channel)) for channel in (ALERTS, APPROVALS)] == [3, 3]
    assert pair.calls()[0] == pair.calls(APPROVALS)[0]


@pytest.mark.parametrize("ahead", [-10.0, -0.7, 0.7, 10.0])
def test_the_pace_holds_where_clocks_differ(
    storage_path: Path, clock: Stopped, ahead: float
) -> None:
    with pair_at(storage_path, clock) as pair:
        pair.begin().take(*wishes(6))
        pair.begin(ahead=timedelta(seconds=ahead))
        pair.run(8)
        waited = between(pair.calls())
        told = pair.told()

    assert len(waited) == 5
    assert min(waited) >= 1.0
    assert set(told.values()) == {1}


def test_who_begins_does_not_know_when_the_last_call_was(pair: Pair) -> None:
    """A replica that is begun anew at once may not call at once."""
    one, _ = pair.replicas
    one.take(*wishes(2))
    one.settle()
    pair.replicas = [pair.begin()]
    pair.run(2)

    assert len(pair.calls()) == 2
    assert min(between(pair.calls())) >= 1.0


def test_who_dies_with_a_channel_holds_it_for_a_second(pair: Pair, clock: Stopped) -> None:
    one, other = pair.replicas
    one.take(*wishes(2))
    # As if it had been killed here, before the call.
    dead = claim(one.service, RateLimiter(one.service, Seconds(clock)))
    began = clock()
    pair.replicas = [other]
    pair.run(1.2)

    assert dead is not None
    assert list(pair.told()) == [alert.id for alert in pair.alerts() if alert.id != dead.id]
    assert 1.0 <= pair.calls()[0] - began.timestamp() <= 1.2


def test_a_limit_that_one_was_told_of_the_other_obeys(pair: Pair) -> None:
    one, other = pair.replicas
    pair.workspace.fault("chat.postMessage", "ratelimited", retry_after=30)
    one.take(*wishes(3))
    one.settle()
    pair.clock.advance(timedelta(seconds=2))
    for _ in range(27):
        other.settle()
        pair.clock.advance(timedelta(seconds=1))
    limited = len(pair.calls())
    pair.run(5)

    assert limited == 1
    assert len(pair.messages()) == 3
    assert pair.calls()[1] - pair.calls()[0] >= 30


def test_limits_are_for_the_method_and_not_for_the_others(pair: Pair) -> None:
    one, other = pair.replicas
    one.take(reply("STOP"))
    pair.run(1)
    pair.workspace.fault("chat.postMessage", "ratelimited", retry_after=60)
    one.take(*wishes(1))
    one.settle()
    other.take(reply("UNSTOP"))
    pair.replicas = [other]
    pair.run(3)

    assert len(pair.workspace.journal("chat.update")) == 1


def test_two_replicas_that_are_flooded_at_once_make_one_card(pair: Pair) -> None:
    def flood(replica: Replica) -> None:
        first = 1000 * pair.replicas.index(replica)
        replica.take(*(reply("STOP", f"+1212{first + number:07}") for number in range(40)))

    _at_once(pair, flood)
    pair.run(20)
    (storm,) = pair.alerts(AlertKind.STORM)
    singles = pair.alerts(AlertKind.UNKNOWN)
    with pair.replicas[1].service.store.reading() as records:
        refused = [
            e
            for e in records.log.all()
            if e.kind is EntryKind.CONSENT and e.after == ConsentValue.NO
        ]
    titles = Counter(message.plain.split("\n")[0] for message in pair.messages())

    assert (len(refused), storm.count, len(singles)) == (80, 80, 3)
    assert sum("Many at once" in title for title in titles.elements()) == 1
    assert pair.told() == Counter({alert.id: 1 for alert in pair.alerts()})
    assert storm.delivery.posted_version == storm.delivery.desired_version
    assert min(between(pair.calls())) >= 1.0


def test_a_card_that_one_has_posted_the_other_draws_anew(pair: Pair) -> None:
    one, other = pair.replicas
    one.take(*(reply("STOP", f"+1212{number:07}") for number in range(8)))
    one.settle()
    other.take(*(reply("STOP", f"+1313{number:07}") for number in range(8)))
    pair.replicas = [other]
    pair.run(20)
    cards = [message for message in pair.messages() if "Many at once" in message.plain]

    assert len(cards) == 1
    assert "16 opt-outs by text" in cards[0].plain


def _at_once(pair: Pair, do: Callable[[Replica], Any]) -> None:
    with ThreadPoolExecutor(len(pair.replicas)) as pool:
        list(pool.map(do, pair.replicas))
