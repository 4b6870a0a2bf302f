"""The worker makes the writes to SendGrid's lists, over HTTP to the sandbox's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.consent.alerts import AlertKind
from bot.consent.use_cases import Service
from bot.consent.use_cases.lists.list_state import confirm_writes, read_state
from bot.consent.write_backs import WriteState
from handlers.suppression_lists.provider_writes import ProviderWrites
from handlers.suppression_lists.write_worker import WriteWorker
from sandbox.client import Workspace
from sandbox.client.lists_client import ListsClient
from tests.support.consent_fixtures import OPERATOR
from tests.support.list_jobs import (
    UNSUBSCRIBES,
    Ahead,
    Seconds,
    address_of,
    opt_out,
    opted_out,
    person,
    reader_of,
    rows,
    sendgrid,
    worker_of,
)

ANA = address_of(0)


def states(service: Service) -> set[WriteState]:
    return {write.state for write in rows(service)}


def test_an_opt_out_is_added_and_then_stands_in_the_log(ready: Service, there: ListsClient) -> None:
    opted_out(ready, 1)
    assert worker_of(ready, there).step()

    assert there.holds(UNSUBSCRIBES, ANA)
    assert states(ready) == {WriteState.CONFIRMED}
    with ready.store.reading() as records:
        assert "sendgrid/ours" in records.addresses.get(ANA).blocks


def test_one_call_adds_many(ready: Service, there: ListsClient) -> None:
    opted_out(ready, 30)
    worker_of(ready, there).step()

    assert there.count(UNSUBSCRIBES) == 30
    assert there.statuses["201"] == 1
    assert set(there.calls_about("add").values()) == {1}
    assert there.calls("find") == 0


def test_nothing_is_written_before_a_person_confirms(writer: Service, there: ListsClient) -> None:
    opted_out(writer, 1)
    worker = worker_of(writer, there)
    assert not worker.step()
    reader_of(writer, there).step()
    assert not worker.step()
    assert there.count(UNSUBSCRIBES) == 0

    confirm_writes(writer, "sendgrid", OPERATOR)
    assert worker.step()
    assert there.holds(UNSUBSCRIBES, ANA)


def test_nothing_is_written_to_another_account_than_the_one_that_was_read(
    ready: Service, there: ListsClient
) -> None:
    opted_out(ready, 1)
    there.settle(keys={"SG.sandbox": None, "SG.other": None})
    other = worker_of(ready, there, key="SG.other")

    assert not other.step()
    # Nor by a worker that was at it when the key was exchanged.
    assert not ProviderWrites(ready, sendgrid(there.url, "SG.other")["sendgrid"]).turn()
    assert there.calls("add") == 0


def test_an_idle_worker_neither_calls_nor_writes(ready: Service, there: ListsClient) -> None:
    worker = worker_of(ready, there)
    calls = {kind: there.calls(kind) for kind in ("list", "find", "add", "remove")}
    with ready.store.reading() as records:
        head = records.log.head()

    assert not worker.step()
    assert {kind: there.calls(kind) for kind in calls} == calls
    with ready.store.reading() as records:
        assert records.log.head() == head


def test_a_rate_limit_is_honoured_and_loses_nothing(
    ready: Service, there: ListsClient, workspace: Workspace
) -> None:
    opted_out(ready, 3)
    time = Seconds()
    worker = WriteWorker(ready, sendgrid(there.url), chance=lambda: 0.5, monotonic=time)
    workspace.fault("lists/sendgrid POST", "ratelimited", retry_after=90)
    worker.step()
    assert states(ready) == {WriteState.WAITING}
    calls = sum(there.statuses.values())
    time.now += 90
    assert not worker.step()
    assert sum(there.statuses.values()) == calls

    time.now += 10
    worker.step()
    worker.step()
    assert states(ready) == {WriteState.CONFIRMED}
    assert set(there.calls_about("add").values()) == {1}


@pytest.mark.parametrize("kind", ["close_after_accept", "garbage", "half"])
def test_a_call_whose_result_is_unknown_is_looked_up_before_it_is_made_again(
    ready: Service, ahead: Ahead, there: ListsClient, workspace: Workspace, kind: str
) -> None:
    opted_out(ready, 1)
    time = Seconds()
    worker = WriteWorker(ready, sendgrid(there.url), chance=lambda: 0.5, monotonic=time)
    # Whoever keeps a connection calls once more when it breaks.
    workspace.fault("lists/sendgrid POST", kind, times=2)
    worker.step()
    assert states(ready) == {WriteState.WAITING}
    assert there.holds(UNSUBSCRIBES, ANA)
    added = there.calls("add", ANA)

    workspace.clear_faults()
    ahead.advance(timedelta(hours=2))
    time.now += 3_600
    worker.step()
    assert states(ready) == {WriteState.CONFIRMED}
    assert there.calls("add", ANA) == added
    (write,) = rows(ready)
    assert write.added_at is not None
    assert ahead() - write.added_at >= timedelta(hours=1, minutes=59)


def test_a_provider_that_is_down_is_asked_by_one_write_at_a_time(
    ready: Service, ahead: Ahead, there: ListsClient, workspace: Workspace
) -> None:
    opted_out(ready, 20)
    time = Seconds()
    worker = WriteWorker(ready, sendgrid(there.url), chance=lambda: 0.5, monotonic=time)
    workspace.fault("lists/sendgrid", "server_error", times=99)
    for _ in range(5):
        worker.step()
        ahead.advance(timedelta(hours=1))
        time.now += 3_600
    failed = there.statuses["500"]
    assert 5 <= failed <= 10
    assert read_state(ready, "sendgrid").problem.startswith("Can't be written to")

    workspace.clear_faults()
    for _ in range(5):
        worker.step()
        ahead.advance(timedelta(hours=1))
    assert states(ready) == {WriteState.CONFIRMED}
    assert there.count(UNSUBSCRIBES) == 20
    assert read_state(ready, "sendgrid").problem == ""


def test_a_key_that_may_not_write_is_told_once_and_tried_again_after_a_while(
    ready: Service, there: ListsClient
) -> None:
    opted_out(ready, 5)
    there.settle(keys={"SG.sandbox": ["suppression.read", "asm.groups.read"]})
    time = Seconds()
    worker = WriteWorker(ready, sendgrid(there.url), chance=lambda: 0.5, monotonic=time)
    for _ in range(3):
        worker.step()
        worker.step()
        time.now += 1_000

    assert there.statuses["403"] == 3
    assert states(ready) == {WriteState.WAITING}
    with ready.store.reading() as records:
        problems = [
            a for a in records.outbox.all() if a.kind is AlertKind.LISTS and "403" in a.text
        ]
    assert len(problems) == 1
    there.settle(keys={"SG.sandbox": None})
    worker.step()
    worker.step()
    assert states(ready) == {WriteState.CONFIRMED}
    assert read_state(ready, "sendgrid").problem == ""


def test_an_address_that_the_provider_refuses_holds_up_no_other(
    ready: Service, there: ListsClient
) -> None:
    people = opted_out(ready, 3)
    refused = person(ready, 9)
    opt_out(ready, refused)
    with ready.store.transaction() as records:
        (write,) = records.write_backs.of(address_of(9))
        records.write_backs.put(replace(write, address="no mailbox at all"))
    worker_of(ready, there).step()

    assert there.count(UNSUBSCRIBES) == len(people)
    (parked,) = [write for write in rows(ready) if write.state is WriteState.PARKED]
    assert parked.key == address_of(9)
    assert parked.problem
    assert "mailbox at all" not in parked.problem
