"""The process killed between any two steps of claiming, posting and settling: where Slack can be
asked, each alert is told exactly once.

`OPTIN_CRASH_RUNS` says how many random moments are tried (20 by default).
"""

from __future__ import annotations

import os
import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.consent.alerts import Alert, DeliveryState
from bot.consent.use_cases import Service
from bot.consent.use_cases.ingest import ingest
from sandbox.client import Workspace
from sandbox.first_workspace import ALERTS
from tests.support.alerts_fixtures import reply
from tests.support.alerts_worker import main as tell_alerts
from tests.support.consent_fixtures import open_service
from tests.support.forked_processes import ForkedProcess

pytestmark = pytest.mark.crash

RUNS = int(os.environ.get("OPTIN_CRASH_RUNS", "20"))


class Ahead:
    """The time, some minutes ahead."""

    def __init__(self) -> None:
        self.by = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.by


@dataclass(slots=True, kw_only=True)
class Scene:
    """A workspace and a storage that outlive the workers. All go by one clock."""

    workspace: Workspace
    service: Service
    path: Path
    clock: Ahead

    @contextmanager
    def worker(self, api_url: str | None = None) -> Iterator[None]:
        """Killed at the end of the block. Before it begins, what was claimed is given up."""
        self.clock.by += timedelta(minutes=2)
        process = ForkedProcess(
            tell_alerts,
            str(self.path),
            api_url or self.workspace.api_url,
            self.workspace.bot_token,
            ALERTS,
            str(self.clock.by.total_seconds()),
        )
        try:
            assert process.stdout.readline() == b"working\n"
            yield
        finally:
            process.kill()
            process.finish()

    def alerts(self) -> list[Alert]:
        with self.service.store.reading() as records:
            return list(records.outbox.all())

    def until(self, reached: Callable[[], bool], within: float = 30.0) -> None:
        end = time.monotonic() + within
        while not reached():
            assert time.monotonic() < end, [a.delivery for a in self.alerts()]
            time.sleep(0.005)  # nothing tells when another process has written

    def is_sending(self) -> bool:
        return any(alert.delivery.state is DeliveryState.SENDING for alert in self.alerts())

    def is_posted(self) -> bool:
        return bool(self.told())

    def tell_all(self) -> None:
        """Whatever is left is told, by as many workers as it takes."""
        for _ in range(5):
            with self.worker():
                try:
                    self.until(lambda: not any(a.delivery.due for a in self.alerts()), within=10)
                except AssertionError:
                    # What is unknown is looked for by the next, after the longest pause.
                    self.clock.by += timedelta(hours=1)
                    continue
                return
        raise AssertionError([a.delivery for a in self.alerts()])

    def told(self) -> Counter[str]:
        """How many messages each alert has."""
        messages = self.workspace.person("Lee").messages("#optin-alerts")
        return Counter(m.metadata["event_payload"]["id"] for m in messages if m.metadata)

    def each_once(self) -> bool:
        return self.told() == Counter({alert.id: 1 for alert in self.alerts()})


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    path = tmp_path / "optin.json"
    clock = Ahead()
    with Workspace.start(mode="http", clock=clock) as workspace:
        service = replace(open_service(path, clock), alert_channel=ALERTS)
        yield Scene(workspace=workspace, service=service, path=path, clock=clock)
        service.store.close()


def test_killed_between_the_claim_and_the_post(scene: Scene) -> None:
    ingest(scene.service, [reply("STOP")])
    # Takes the connection, and neither reads nor answers.
    deaf = socket.create_server(("127.0.0.1", 0))
    with deaf, scene.worker(f"http://127.0.0.1:{deaf.getsockname()[1]}/api/"):
        scene.until(scene.is_sending)
    untold = scene.told()
    scene.tell_all()

    assert untold == Counter()
    assert scene.each_once()


def test_killed_after_slack_has_it_and_before_the_answer(scene: Scene) -> None:
    ingest(scene.service, [reply("STOP")])
    scene.workspace.fault("chat.postMessage", "timeout", seconds=5)
    with scene.worker():
        scene.until(scene.is_posted)
    before = [alert.delivery.state for alert in scene.alerts()]
    scene.tell_all()

    assert before == [DeliveryState.SENDING]
    assert scene.each_once()


def test_killed_between_the_answer_and_the_settling(scene: Scene) -> None:
    ingest(scene.service, [reply("STOP")])
    scene.workspace.fault("chat.postMessage", "timeout", seconds=3)
    with ExitStack() as stack, scene.worker():
        scene.until(scene.is_posted)
        stack.enter_context(scene.service.store.transaction())
        # The answer comes, and the worker waits for the storage with it.
        time.sleep(3.5)
    before = [alert.delivery.state for alert in scene.alerts()]
    scene.tell_all()

    assert before == [DeliveryState.SENDING]
    assert scene.each_once()


def test_killed_while_looking_for_it(scene: Scene) -> None:
    ingest(scene.service, [reply("STOP")])
    scene.workspace.fault("chat.postMessage", "timeout", seconds=5)
    with scene.worker():
        scene.until(scene.is_posted)
    scene.workspace.fault("conversations.history", "timeout", seconds=5)
    with scene.worker():
        scene.until(lambda: bool(scene.workspace.journal("conversations.history")))
    scene.tell_all()

    assert scene.each_once()


def test_killed_once_it_is_settled(scene: Scene) -> None:
    ingest(scene.service, [reply("STOP")])
    with scene.worker():
        scene.until(lambda: not scene.alerts()[0].delivery.due)
    with scene.worker():
        ingest(scene.service, [reply("UNSTOP")])
        scene.until(lambda: not scene.alerts()[0].delivery.due)
    scene.tell_all()

    assert scene.each_once()


@pytest.mark.timeout(900 + 5 * RUNS)
def test_killed_at_any_moment(scene: Scene) -> None:
    chance = random.Random(RUNS)
    for run in range(RUNS):
        ingest(
            scene.service,
            [reply("please stop texting me", f"+14155{run:03}{number:03}") for number in range(3)],
        )
        kind = chance.choice(["none", "timeout", "close_after_accept", "server_error"])
        if kind != "none":
            scene.workspace.fault("chat.postMessage", kind, **slow(kind))
        with scene.worker():
            time.sleep(chance.uniform(0.0, 0.3))
    scene.workspace.clear_faults()
    scene.tell_all()

    assert len(scene.alerts()) == 3 * RUNS
    assert scene.each_once()


def slow(kind: str) -> dict[str, float]:
    return {"seconds": 0.2} if kind == "timeout" else {}
