"""Several processes behind one address."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass

from bot.consent.alerts import Alert, AlertKind
from bot.consent.log.entries import EntryKind
from bot.consent.model import ConsentValue
from bot.consent.store import Store
from bot.consent.use_cases.verify import verify_store
from sandbox.client import Workspace
from storage import open_store
from tests.support.serving import deliver

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
        assert {alert.id for alert in self.alerts if alert.delivery.ts} <= set(self.shown) <= known
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
                for entry in records.log.all()
                if entry.kind is EntryKind.CONSENT
                and entry.after == ConsentValue.NO
                and entry.provider_id
            )
            alerts = list(records.outbox.all())
        problem = verify_store(store).problem
    messages = slack.person("Lee").messages("#optin-alerts")
    shown = Counter(m.metadata["event_payload"]["id"] for m in messages if m.metadata)
    return Counted(refused=refused, alerts=alerts, shown=shown, problem=problem)


def _waiting(store: Store) -> bool:
    """Alerts that nobody has told yet. A storm's card is drawn anew every 15 seconds."""
    with store.reading() as records:
        return any(
            alert.delivery.due and alert.delivery.ts is None for alert in records.outbox.all()
        )
