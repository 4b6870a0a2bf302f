"""The worker killed at random moments of 2,000 deliveries: each event arrives at least once, in
order for each contact, and none is lost.

`OPTIN_CRASH_RUNS` says how many kills (20 by default).
"""

from __future__ import annotations

import os
import random
import threading
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.consent.model import Contact
from bot.consent.use_cases import Service
from bot.consent.use_cases.feed import changes
from bot.consent.use_cases.webhooks import add_webhook
from tests.support.consent_fixtures import open_service
from tests.support.delivery_process import main as deliver_until_killed
from tests.support.endpoints import LOOPBACK, Received, receiver
from tests.support.forked_processes import ForkedProcess
from tests.support.outbound_fixtures import person, rename
from tests.support.storages import url_of

pytestmark = pytest.mark.crash

RUNS = int(os.environ.get("OPTIN_CRASH_RUNS", "20"))
DELIVERIES = 2_000
CONTACTS = 20
#: Each process begins this much later than the one before, by its clock.
LATER = 60


@pytest.mark.timeout(900 + 5 * RUNS)
def test_no_kill_loses_an_event_or_changes_the_order(storage_path: Path) -> None:
    chance = random.Random(RUNS)
    service = replace(open_service(storage_path, lambda: datetime.now(UTC)), webhook_allow=LOOPBACK)
    people = [person(service, number) for number in range(CONTACTS)]
    writers = [
        threading.Thread(target=write, args=(service, people[mine::4], DELIVERIES // 4))
        for mine in range(4)
    ]
    with receiver() as endpoint:
        webhook = add_webhook(service, "cli:root", url=endpoint.url)
        start = changes(service, 0, limit=10_000).next
        for writer in writers:
            writer.start()
        for run in range(RUNS):
            process = ForkedProcess(deliver_until_killed, url_of(storage_path), str(LATER * run))
            assert process.stdout.readline() == b"working\n"
            more = len(endpoint.received) + chance.randrange(DELIVERIES // RUNS)
            endpoint.until(lambda enough=more: len(endpoint.received) >= enough)
            process.kill()
            process.finish()
        for writer in writers:
            writer.join()
        wanted = [row.seq for row in changes(service, start, limit=10_000).rows]
        last = ForkedProcess(deliver_until_killed, url_of(storage_path), str(LATER * RUNS))
        missing = set(wanted) - set(endpoint.seqs())
        endpoint.until(lambda: missing <= set(endpoint.seqs()[-len(wanted) * 2 :]), 120)
        last.kill()
        last.finish()
    service.store.close()

    assert len(wanted) == DELIVERIES
    assert set(endpoint.seqs()) == set(wanted)
    for one in endpoint.received:
        assert one.id == f"msg_{webhook.id}_{one.data['seq']}"
    for seqs in firsts(endpoint.received).values():
        assert seqs == sorted(seqs)


def write(service: Service, people: list[Contact], count: int) -> None:
    for number in range(count):
        rename(service, people[number % len(people)], number)


def firsts(received: list[Received]) -> dict[str, list[int]]:
    """By contact, the events in the order in which they came for the first time."""
    found: dict[str, list[int]] = defaultdict(list)
    for one in received:
        seqs = found[one.data["contact"]]
        if one.data["seq"] not in seqs:
            seqs.append(one.data["seq"])
    return found
