"""The worker and the reader of the providers' lists, killed at random moments: no write is lost,
each entry is added or taken off once, and a read goes on with the next page.

`OPTIN_CRASH_RUNS` says how many kills (20 by default).
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bot.consent.log.entries import EntryKind
from bot.consent.model import Channel, Contact
from bot.consent.use_cases import Service, StatusUpdate, change
from bot.consent.use_cases.lists.list_state import confirm_writes, read_state
from bot.consent.use_cases.lists.look_at_lists import lists_status, writes_to_make
from bot.consent.use_cases.verify import verify
from bot.consent.write_backs import WriteAction, WriteState
from sandbox.client import Workspace
from sandbox.client.lists_client import ListsClient
from tests.support.consent_fixtures import OPERATOR, open_service
from tests.support.forked_processes import ForkedProcess
from tests.support.list_jobs import (
    UNSUBSCRIBES,
    Ahead,
    address_of,
    opt_out,
    person,
    reader_of,
    rows,
    writing,
)
from tests.support.list_process import main as work_until_killed
from tests.support.storages import url_of

pytestmark = pytest.mark.crash

RUNS = int(os.environ.get("OPTIN_CRASH_RUNS", "20"))
ADDS, REMOVES = 1_700, 300
#: Each process begins this much later than the one before, by its clock: a claim lasts a minute,
#: and a reader's turn five.
LATER = timedelta(minutes=6)
ENTRIES, PAGE = 5_000, 499


@pytest.mark.timeout(900 + 10 * RUNS)
def test_no_kill_loses_a_write_or_makes_it_twice(storage_path: Path) -> None:
    chance, clock = random.Random(RUNS), Ahead()
    service = writing(open_service(storage_path, clock))
    with Workspace.start(mode="socket", clock=clock) as workspace:
        there = workspace.lists("sendgrid")
        to_add = wanted(service, there)
        calls = ADDS // 7 + 2 * REMOVES
        for _ in range(RUNS):
            process = working(storage_path, there, clock)
            enough = made(there) + chance.randrange(2 * calls // RUNS + 1)
            until(lambda enough=enough: made(there) >= enough or is_done(service))
            time.sleep(chance.random() / 100)  # anywhere between two calls, or in one
            process.kill()
            process.finish()
            clock.advance(LATER)
        finish(service, storage_path, there, clock)

        assert {write.state for write in rows(service)} == {WriteState.CONFIRMED}
        assert len(rows(service)) == ADDS + REMOVES
        assert there.calls_about("add") == dict.fromkeys(to_add, 1)
        assert set(there.calls_about("remove").values()) == {1}
        assert len(there.calls_about("remove")) == REMOVES
        assert (there.count("bounces"), there.count(UNSUBSCRIBES)) == (0, ADDS)
        assert there.emptied == 0
    with service.store.reading() as records:
        for address in to_add:
            assert "sendgrid/ours" in records.addresses.get(address).blocks
    assert verify(service).problem is None
    service.store.close()


def wanted(service: Service, there: ListsClient) -> list[str]:
    """Opt-outs to be added, and bounces that people cleared. The addresses of the first."""
    people = [person(service, number, f"Ana {number}") for number in range(ADDS + REMOVES)]
    bounced = people[ADDS:]
    for contact in bounced:
        there.add("bounces", str(contact.email), reason="550 5.1.1 no such user", status="5.1.1")
    reader_of(service, there).step()
    confirm_writes(service, "sendgrid", OPERATOR)
    there.settle(reset_calls=True)
    for contact in people[:ADDS]:
        opt_out(service, contact)
    for contact in bounced:
        clear_bounce(service, contact)
    assert writes_to_make(service, "sendgrid") == {
        WriteAction.ADD: ADDS,
        WriteAction.REMOVE: REMOVES,
    }
    return [address_of(number) for number in range(ADDS)]


def clear_bounce(service: Service, contact: Contact) -> None:
    update = StatusUpdate(
        clear_bounce=frozenset({Channel.EMAIL}), reason="Correction", evidence="A call"
    )
    change(service, contact.id, update, OPERATOR)


def working(storage: Path, there: ListsClient, clock: Ahead, job: str = "write") -> ForkedProcess:
    ahead = str(clock.by.total_seconds())
    process = ForkedProcess(work_until_killed, job, url_of(storage), there.url, ahead)
    assert process.stdout.readline() == b"working\n"
    return process


def made(there: ListsClient) -> int:
    """How many calls were made."""
    return there.calls("add") + there.calls("remove") + there.calls("find")


def is_done(service: Service) -> bool:
    counts = lists_status(service, ("sendgrid",)).writes
    return counts.get(("sendgrid", WriteState.CONFIRMED), 0) == ADDS + REMOVES


def finish(service: Service, storage: Path, there: ListsClient, clock: Ahead) -> None:
    """What was taken off is looked up again later."""
    for _ in range(5):
        process = working(storage, there, clock)
        until(lambda: not writes_to_make(service, "sendgrid"))
        clock.advance(LATER)
        process.kill()
        process.finish()
        if is_done(service):
            return
    process = working(storage, there, clock)
    until(lambda: is_done(service))
    process.kill()
    process.finish()


def until(reached: Callable[[], bool]) -> None:
    """Waits for it; the test's own time ends what waits for ever."""
    while not reached():
        time.sleep(0.02)  # nothing tells when another process has written


@pytest.mark.timeout(900)
def test_a_read_that_is_killed_on_each_page_takes_each_entry_in_once(storage_path: Path) -> None:
    chance, clock = random.Random(RUNS), Ahead()
    service = writing(open_service(storage_path, clock))
    with Workspace.start(mode="socket", clock=clock) as workspace:
        there = workspace.lists("sendgrid")
        there.generate(UNSUBSCRIBES, ENTRIES)
        kills = 0
        while not read_state(service, "sendgrid").finished_at:
            kills += 1
            process = working(storage_path, there, clock, "read")
            process.stdout.readline()
            time.sleep(chance.random() / 20)  # anywhere in the page that follows
            process.kill()
            process.finish()
            clock.advance(LATER)

    assert kills >= ENTRIES // PAGE // 2
    report = read_state(service, "sendgrid").last_report
    assert report is not None
    assert (report.on_both, report.only_theirs) == (0, {"unsubscribe": ENTRIES})
    with service.store.reading() as records:
        blocked = sum(entry.kind is EntryKind.BLOCK for entry in records.log.all())
        assert not [name for name, _ in records.key_value.all() if name.startswith("list_seen:")]
    assert blocked == ENTRIES
    assert verify(service).problem is None
    service.store.close()
