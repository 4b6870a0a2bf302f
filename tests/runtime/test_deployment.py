"""Three replicas of `optin serve` on one PostgreSQL behind a load balancer, as docs/operations.md
shows it: one is killed, one is told to stop and begun anew, and nobody notices but the log."""

from __future__ import annotations

import itertools
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.consent.alerts import Alert, AlertKind
from bot.consent.log.entries import EntryKind
from bot.consent.model import ConsentValue
from bot.consent.store import Store
from bot.consent.use_cases.verify import verify_store
from sandbox.client import Workspace
from storage import open_store
from tests.support.storages import path_in, url_of
from tests.webhooks.test_crash_webhooks import deliver, serving

pytestmark = pytest.mark.crash

CLIENTS = 6


class Balancer:
    """Gives each connection to the next replica that takes it."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = itertools.cycle(ports)
        self._tries = len(ports)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.used: Counter[int] = Counter()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        with client:
            for _ in range(self._tries):
                port = next(self._ports)
                with suppress(OSError), socket.create_connection(("127.0.0.1", port)) as replica:
                    self.used[port] += 1
                    back = threading.Thread(target=_pass, args=(replica, client), daemon=True)
                    back.start()
                    _pass(client, replica)
                    back.join()
                    return


def _pass(giver: socket.socket, taker: socket.socket) -> None:
    with suppress(OSError):
        while data := giver.recv(65536):
            taker.sendall(data)
    with suppress(OSError):
        taker.shutdown(socket.SHUT_WR)


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in taken]


@contextmanager
def flood(port: int) -> Iterator[list[str]]:
    """Clients who tell STOPs until the block ends, each until it is answered."""
    told: list[str] = []
    over = threading.Event()

    def tell(client: int) -> None:
        for number in itertools.count():
            sid, phone = f"SM{client:04}{number:08}", f"+1415{client + 2}{number:06}"
            while not deliver(port, sid, phone):
                if over.wait(0.02):
                    return
            told.append(sid)
            if over.is_set():
                return

    clients = [threading.Thread(target=tell, args=(number,)) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield told
    finally:
        over.set()
        for client in clients:
            client.join()


def until_more(told: list[str], count: int) -> None:
    before, end = len(told), time.monotonic() + 60
    while len(told) < before + count:
        assert time.monotonic() < end, "nothing is taken any more"
        time.sleep(0.01)


@pytest.mark.timeout(240)
def test_three_replicas_take_what_one_of_them_loses(tmp_path: Path) -> None:
    storage = url_of(path_in(tmp_path, "postgresql"))
    ports = free_ports(3)
    balancer = Balancer(ports)
    with Workspace.start(mode="http") as slack, ExitStack() as replicas:
        one, other, third = (
            replicas.enter_context(serving(tmp_path, slack, port, storage)) for port in ports
        )
        slack.set_request_url(f"http://127.0.0.1:{balancer.port}/slack/events")
        with flood(balancer.port) as told:
            until_more(told, 60)
            one.send_signal(signal.SIGKILL)
            until_more(told, 60)
            other.send_signal(signal.SIGTERM)
            begun = time.monotonic()
            assert other.wait(15) == 0
            stopped = time.monotonic() - begun
            until_more(told, 30)
            replicas.enter_context(serving(tmp_path, slack, ports[1], storage))
            until_more(told, 60)
        answer = slack.person("Ana").command("/optin +1 415 200 0000")
        counted = count(slack, storage)
        third.send_signal(signal.SIGTERM)
        assert third.wait(15) == 0
    balancer.close()

    assert stopped < 10
    assert set(balancer.used) == set(ports)
    assert answer.error is None
    assert {f"twilio:in:{sid}" for sid in told} <= set(counted.refused)
    counted.check()


@pytest.mark.timeout(240)
def test_three_replicas_keep_the_pace_of_one(tmp_path: Path) -> None:
    storage = url_of(path_in(tmp_path, "postgresql"))
    ports = free_ports(3)
    with Workspace.start(mode="http") as slack, ExitStack() as replicas:
        for port in ports:
            replicas.enter_context(serving(tmp_path, slack, port, storage))
        for number in range(9):
            sid, phone = f"SM{number:012}", f"+1415555{number:04}"
            # Each is told by itself, however many come.
            assert deliver(ports[number % 3], sid, phone, "please stop texting me")
        with closing(open_store(storage)) as store:
            end = time.monotonic() + 60
            while _waiting(store):
                assert time.monotonic() < end, "alerts are still waiting"
                time.sleep(0.1)
        posted = [line["at"] for line in slack.journal("chat.postMessage")]

    assert len(posted) == 9
    # Eight seconds, less what the first one may have taken on its way; three paces took but three.
    assert posted[-1] - posted[0] > 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What became of the STOPs: in the log, in the outbox, in Slack."""

    #: By the provider's id.
    refused: Counter[str]
    alerts: Sequence[Alert]
    #: Messages in the channel, by the alert that they tell.
    shown: Counter[str]
    problem: object

    def check(self) -> None:
        """Each STOP is stored once and alerted once, and each alert is one message."""
        known = {alert.id for alert in self.alerts}

        assert set(self.refused.values()) == {1}
        # The storm's card counts those who were told singly, too.
        assert [a.count for a in self.alerts if a.kind is AlertKind.STORM] == [len(self.refused)]
        assert self.problem is None
        assert {alert.id for alert in self.alerts if alert.ts} <= set(self.shown) <= known
        assert set(self.shown.values()) == {1}


def count(slack: Workspace, storage: str) -> Counted:
    """When all alerts are told."""
    with closing(open_store(storage)) as store:
        end = time.monotonic() + 60
        while _waiting(store):
            assert time.monotonic() < end, "alerts are still waiting"
            time.sleep(0.1)
        with store.reading() as records:
            refused = Counter(
                entry.provider_id
                for entry in records.log()
                if entry.kind is EntryKind.CONSENT
                and entry.after == ConsentValue.NO
                and entry.provider_id
            )
            alerts = list(records.alerts())
        problem = verify_store(store).problem
    messages = slack.person("Lee").messages("#optin-alerts")
    shown = Counter(m.metadata["event_payload"]["id"] for m in messages if m.metadata)
    return Counted(refused=refused, alerts=alerts, shown=shown, problem=problem)


def _waiting(store: Store) -> bool:
    """Alerts that nobody has told yet. A storm's card is drawn anew every 15 seconds."""
    with store.reading() as records:
        return any(alert.due and alert.ts is None for alert in records.alerts())
