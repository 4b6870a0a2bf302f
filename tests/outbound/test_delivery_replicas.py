"""Two replicas share the lanes of a webhook: no event is lost, none comes twice, and no lane is
delivered by both at once."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from bot.consent.model import Contact
from bot.consent.use_cases import Service
from bot.consent.use_cases.webhooks import add_webhook
from bot.consent.webhooks import lane_of
from handlers.outbound.delivery_health import OutboundHealth
from handlers.outbound.delivery_worker import DeliveryWorker
from tests.support.consent_fixtures import open_service
from tests.support.endpoints import LOOPBACK, Received, client_of, receiver
from tests.support.outbound_fixtures import person, rename

pytestmark = pytest.mark.every_storage

CONTACTS, CHANGES = 16, 20


class Shared:
    """Answers once both replicas deliver, and notes lanes that two requests were in at once."""

    def __init__(self) -> None:
        self.by_both = threading.Event()
        self.overlaps: list[int] = []
        self._lock = threading.Lock()
        self._in_flight: Counter[int] = Counter()

    def __call__(self, handler: BaseHTTPRequestHandler, received: Received) -> int:
        lane = lane_of(received.data["contact"])
        with self._lock:
            self._in_flight[lane] += 1
            if self._in_flight[lane] > 1:
                self.overlaps.append(lane)
            # One replica delivers two lanes at a time: the third is the other's.
            if self._in_flight.total() >= 3:
                self.by_both.set()
        self.by_both.wait(60)
        with self._lock:
            self._in_flight[lane] -= 1
        return 204


def test_two_replicas_share_the_work_while_four_writers_write(storage_path: Path) -> None:
    answer = Shared()
    healths = [OutboundHealth(), OutboundHealth()]
    with ExitStack() as stack:
        endpoint = stack.enter_context(receiver(answer))
        services = [opened(storage_path, stack) for _ in healths]
        people = [person(services[0], number) for number in range(CONTACTS)]
        add_webhook(services[0], "cli:root", url=endpoint.url)
        for service, health in zip(services, healths, strict=True):
            stack.enter_context(working(DeliveryWorker(service, client_of(), health)))
        with ThreadPoolExecutor(4) as writers:
            list(writers.map(partial(write, services[0]), [people[mine::4] for mine in range(4)]))
        endpoint.until(lambda: len(endpoint.received) >= CONTACTS * CHANGES, 60)

    assert answer.by_both.is_set()
    assert answer.overlaps == []
    assert all(sum(health.outcomes().values()) > 0 for health in healths)
    by_contact: dict[str, list[int]] = defaultdict(list)
    for one in endpoint.received:
        by_contact[one.data["contact"]].append(one.data["version"])
    assert len(by_contact) == CONTACTS
    for versions in by_contact.values():
        assert versions == sorted(set(versions))
        assert len(versions) == CHANGES


@contextmanager
def working(worker: DeliveryWorker) -> Iterator[None]:
    thread = threading.Thread(target=worker.work)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()
        worker.wait_for_turns()


def opened(path: Path, stack: ExitStack) -> Service:
    service = open_service(path, lambda: datetime.now(UTC))
    stack.callback(service.store.close)
    return replace(service, webhook_allow=LOOPBACK)


def write(service: Service, people: list[Contact]) -> None:
    for number in range(CHANGES):
        for one in people:
            rename(service, one, number)
