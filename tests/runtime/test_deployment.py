"""Three replicas of `optin serve` on one PostgreSQL behind a load balancer, as docs/operations.md
shows it: one is killed, one is told to stop and begun anew, and nobody notices but the log."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from sandbox.client import Workspace
from storage import open_store
from tests.support.balancer import Balancer, _waiting, count, flood, free_ports, until_more
from tests.support.serving import deliver, serving
from tests.support.storages import path_in, url_of

pytestmark = pytest.mark.crash


@pytest.mark.timeout(900)
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


@pytest.mark.timeout(900)
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
