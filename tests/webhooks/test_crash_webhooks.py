"""`optin serve` killed at random moments between a webhook and its answer: Twilio tries again, and
each STOP that was answered is stored, once.

`OPTIN_CRASH_RUNS` says how many times (twice as often as here: 20 by default).
"""

from __future__ import annotations

import os
import random
import signal
import socket
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from bot.consent.alerts import AlertKind
from bot.consent.log.entries import EntryKind
from bot.consent.model import ConsentValue, Origin
from bot.consent.use_cases import verify
from bot.runtime import clock
from sandbox.client import Workspace
from tests.support.consent_fixtures import open_service
from tests.support.serving import deliver, serving
from tests.support.storages import path_in

pytestmark = pytest.mark.crash

RUNS = max(1, int(os.environ.get("OPTIN_CRASH_RUNS", "20")) // 2)
CLIENTS = 4


@pytest.mark.timeout(300 + 10 * RUNS)
def test_each_stop_that_was_answered_is_stored_once(tmp_path: Path) -> None:
    chance = random.Random(1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    told: list[str] = []
    repeated: Counter[str] = Counter()
    enough = threading.Event()

    def tell(client: int) -> None:
        number = 0
        while not enough.is_set():
            sid, phone = f"SM{client:04}{number:08}", f"+1415{client + 2}{number % 1_000_000:06}"
            while not deliver(port, sid, phone):
                repeated[sid] += 1
                if enough.wait(0.02):
                    return
            told.append(sid)
            number += 1

    clients = [threading.Thread(target=tell, args=(number,)) for number in range(CLIENTS)]
    with Workspace.start(mode="http") as slack:
        for run in range(RUNS):
            with serving(tmp_path, slack, port) as bot:
                if run == 0:
                    for client in clients:
                        client.start()
                time.sleep(chance.uniform(0.02, 0.4))  # the moment of the kill
                bot.send_signal(signal.SIGKILL)
        enough.set()
        for client in clients:
            client.join()

    service = open_service(path_in(tmp_path / "storage"), clock.now)
    with service.store.reading() as records:
        refused = Counter(
            entry.provider_id
            for entry in records.log.all()
            if entry.kind is EntryKind.CONSENT
            and entry.after == ConsentValue.NO
            and entry.by is Origin.CONTACT
        )
        # The storm's card counts those who were told singly, too.
        alerts = sum(a.count for a in records.outbox.all() if a.kind is AlertKind.STORM)
    problem = verify(service).problem
    service.store.close()

    assert len(told) > RUNS
    assert repeated, "no kill met a request"
    assert {f"twilio:in:{sid}" for sid in told} <= set(refused)
    assert set(refused.values()) == {1}
    assert alerts == len(refused)
    assert problem is None
