"""The reader takes a provider's lists in page by page, once a day, over HTTP to the sandbox's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.consent.model import ConsentValue
from bot.consent.use_cases import Service
from bot.consent.use_cases.lists.list_state import read_state
from bot.consent.write_backs import WriteState
from handlers.suppression_lists.list_reader import ListReader
from handlers.suppression_lists.read_lists import ReadProgress, ReadWatch, read_lists
from sandbox.client import Workspace
from sandbox.client.lists_client import ListsClient
from tests.support.list_jobs import (
    UNSUBSCRIBES,
    Ahead,
    Seconds,
    address_of,
    opted_out,
    person,
    reader_of,
    rows,
    sendgrid,
    worker_of,
)

ANA = address_of(0)
DAY = timedelta(days=1)


def test_a_first_read_takes_in_what_only_the_provider_has(
    writer: Service, ahead: Ahead, there: ListsClient
) -> None:
    ahead.advance(-DAY)
    ana, ben = person(writer), person(writer, 1, "Ben")
    ahead.advance(DAY)
    there.add(UNSUBSCRIBES, ANA)
    there.add("bounces", str(ben.email), reason="550 5.1.1 no such user", status="5.1.1")
    reader_of(writer, there).step()

    with writer.store.reading() as records:
        found = records.contacts.get(ana.id)
        assert found is not None
        assert found.consents[ANA].on is ConsentValue.NO
        assert "sendgrid/bounce" in records.addresses.get(str(ben.email)).blocks
    report = read_state(writer, "sendgrid").last_report
    assert report is not None
    assert report.only_theirs == {"bounce": 1, "unsubscribe": 1}


def test_it_reads_again_after_a_day_and_not_before(
    writer: Service, ahead: Ahead, there: ListsClient
) -> None:
    reader = reader_of(writer, there)
    reader.step()
    calls = there.calls("list")
    ahead.advance(DAY - timedelta(minutes=1))
    reader.step()
    assert there.calls("list") == calls

    ahead.advance(timedelta(minutes=2))
    reader.step()
    assert there.calls("list") == 2 * calls


def test_another_key_is_read_at_once(writer: Service, there: ListsClient) -> None:
    reader_of(writer, there).step()
    there.settle(keys={"SG.other": None})
    calls = there.calls("list")
    reader_of(writer, there, key="SG.other").step()

    assert there.calls("list") == 2 * calls
    assert not read_state(writer, "sendgrid").confirmed


@pytest.mark.parametrize("fault", ["ratelimited", "server_error", "garbage", "half", "down"])
@pytest.mark.parametrize("pages", [0, 2, 5])
def test_a_read_goes_on_where_it_was_interrupted(
    writer: Service, there: ListsClient, workspace: Workspace, fault: str, pages: int
) -> None:
    there.generate(UNSUBSCRIBES, 1_200)
    time = Seconds()
    reader = ListReader(writer, sendgrid(there.url), chance=lambda: 0.5, monotonic=time)
    stopping = StopAfter(pages)
    lists = sendgrid(there.url)["sendgrid"]
    if pages:
        read_lists(writer, lists, token=reader.token, watch=stopping.watch)
    done = read_state(writer, "sendgrid").pages
    workspace.fault("lists/sendgrid", fault, times=2)
    reader.step()
    assert read_state(writer, "sendgrid").pages == done
    workspace.clear_faults()
    there.settle(reset_calls=True)
    time.now += 1_000
    reader.step()

    state = read_state(writer, "sendgrid")
    assert state.last_report is not None
    assert state.last_report.only_theirs == {"unsubscribe": 1_200}
    assert state.read_id == ""
    with writer.store.reading() as records:
        assert sum(1 for _ in records.addresses.all()) == 1_200
        assert not [name for name, _ in records.key_value.all() if name.startswith("list_seen:")]


def test_only_one_replica_reads_at_a_time(
    writer: Service, ahead: Ahead, there: ListsClient
) -> None:
    there.generate(UNSUBSCRIBES, 1_200)
    lists = sendgrid(there.url)["sendgrid"]
    stopping = StopAfter(1)
    read_lists(writer, lists, token="one", watch=stopping.watch)
    assert read_lists(writer, lists, token="two") is None

    ahead.advance(timedelta(minutes=6))
    end = read_lists(writer, lists, token="two")
    assert end is not None
    assert end.report.only_theirs == {"unsubscribe": 1_200}
    assert read_lists(writer, lists, token="one") is not None


def test_what_only_optin_has_is_added_and_nothing_is_taken_off(
    ready: Service, ahead: Ahead, there: ListsClient
) -> None:
    opted_out(ready, 2)
    worker = worker_of(ready, there)
    worker.step()
    there.remove(UNSUBSCRIBES, ANA)
    there.add(UNSUBSCRIBES, "stranger@example.com")
    ahead.advance(DAY + timedelta(hours=2))
    reader_of(ready, there).step()
    ahead.advance(timedelta(minutes=1))
    worker.step()

    assert there.holds(UNSUBSCRIBES, ANA)
    assert there.count(UNSUBSCRIBES) == 3
    assert {write.state for write in rows(ready)} == {WriteState.CONFIRMED}
    assert (there.calls("remove"), there.emptied) == (0, 0)


class StopAfter:
    """Stops a read after so many pages."""

    def __init__(self, pages: int) -> None:
        self.watch = ReadWatch(progress=self)
        self._left = pages

    def __call__(self, _: ReadProgress) -> None:
        self._left -= 1
        if self._left <= 0:
            self.watch.stopping.set()
