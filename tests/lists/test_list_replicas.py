"""Two replicas share the writes to a provider's lists: none is lost, and none is made twice. Alerts
do not wait for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.consent.alerts import AlertKind
from bot.consent.model import AddressFacts, Channel, OptOut
from bot.consent.use_cases import Service
from bot.consent.use_cases.ingest import ingest
from bot.consent.use_cases.lists.look_at_lists import writes_to_make
from bot.consent.write_backs import WriteAction, WriteState
from handlers.slack.alerts.channel_health import Health
from handlers.slack.alerts.client import AlertClient, client
from handlers.slack.alerts.worker import Worker
from handlers.slack.roles import Roles
from handlers.suppression_lists.provider_lists import Added
from handlers.suppression_lists.write_worker import WriteWorker
from sandbox.client import Workspace
from sandbox.first_workspace import ALERTS
from tests.support.alerts_fixtures import reply
from tests.support.consent_fixtures import open_service
from tests.support.list_jobs import (
    KEY,
    UNSUBSCRIBES,
    Ahead,
    address_of,
    confirmed,
    opted_out,
    rows,
    writing,
)
from tests.support.list_process import FewAtOnce
from tests.support.store_fixtures import write_back

OPT_OUTS = 200


class Meeting(FewAtOnce):
    """The first call of each waits until the other one calls, too."""

    def __init__(self, url: str, both: threading.Barrier) -> None:
        super().__init__(api_key=KEY, api_url=url)
        self.added = 0
        self._both = both

    def add(self, addresses: Sequence[str]) -> Sequence[Added]:
        if not self.added:
            self._both.wait(60)
        self.added += len(addresses)
        return super().add(addresses)


@contextmanager
def working(worker: WriteWorker) -> Iterator[None]:
    thread = threading.Thread(target=worker.work, daemon=True)
    thread.start()
    yield
    worker.stop()
    thread.join()
    worker.wait_for_calls(60)


def until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.02)  # nothing tells when another thread has written


def is_done(service: Service) -> bool:
    return all(write.state is WriteState.CONFIRMED for write in rows(service))


@pytest.mark.every_storage
def test_two_replicas_share_the_work(storage_path: Path, workspace: Workspace) -> None:
    both = threading.Barrier(2)
    there = workspace.lists("sendgrid")
    lists = [Meeting(there.url, both) for _ in range(2)]
    with ExitStack() as stack:
        services = [writing(open_service(storage_path, Ahead())) for _ in lists]
        for service in services:
            stack.callback(service.store.close)
        confirmed(services[0], there)
        opted_out(services[0], OPT_OUTS)
        for service, client in zip(services, lists, strict=True):
            stack.enter_context(working(WriteWorker(service, {client.name: client})))
        until(lambda: is_done(services[0]))

        assert there.count(UNSUBSCRIBES) == OPT_OUTS
        assert set(there.calls_about("add").values()) == {1}
        assert all(one.added for one in lists)
        assert sum(one.added for one in lists) == OPT_OUTS


@pytest.mark.every_storage
def test_ten_thousand_waiting_writes_hold_up_no_alert(
    storage_path: Path, workspace: Workspace
) -> None:
    there = workspace.lists("sendgrid")
    service = replace(writing(open_service(storage_path, Ahead())), alert_channel=ALERTS)
    confirmed(service, there)
    with service.store.transaction() as records:
        for number in range(10_000):
            key, now = address_of(number), service.now()
            refusal = OptOut(channel=Channel.EMAIL, since=now, reason="Unsubscribed", entry="1")
            records.addresses.put(AddressFacts(address=key, refusals=(refusal,)))
            records.write_backs.put(write_back(key, wished_at=now))
    slack = AlertClient(client=client(workspace.bot_token, workspace.api_url), roles=Roles())
    alerts = Worker(service, slack, Health())
    slow = FewAtOnce(api_key=KEY, api_url=there.url)
    with working(WriteWorker(service, {slow.name: slow})):
        until(lambda: there.calls("add") > 0)
        ingest(service, [reply("STOP")])
        until(lambda: alerts.step() and is_told(service))
        left = writes_to_make(service, "sendgrid")[WriteAction.ADD]

    assert left > 5_000
    service.store.close()


def is_told(service: Service) -> bool:
    """Whether the alert about the opt-out is posted."""
    with service.store.reading() as records:
        stops = [one for one in records.outbox.all() if one.kind is not AlertKind.LISTS]
    return [stop.delivery.ts is not None for stop in stops] == [True]
