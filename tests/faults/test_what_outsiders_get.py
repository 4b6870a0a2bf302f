"""What people and programs outside get while something is wrong here: neither files nor hosts, no
refusal for ever, and no way in through their own names."""

from __future__ import annotations

import os
import resource
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bot.runtime.server import Server
from handlers.web import LARGEST_BODY, web_app
from sandbox.client import Workspace
from tests.support.balancer import free_ports
from tests.support.serving import deliver, serving
from tests.support.slack_fixtures import started


def test_an_agent_reads_neither_the_path_nor_the_words_of_the_database(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with started(tmp_path, "http", kind="sqlite") as slack:
        with closing(sqlite3.connect(slack.storage)) as database:
            database.execute("DROP TABLE contacts")
        answer = slack.person("Ana").command("/optin +1 415 555 0100")
        shown = f"{answer.messages} {answer.error} {answer.errors}"

    assert "Whoever runs Optin finds the reason in its log" in shown
    assert "no such table" not in shown
    assert str(tmp_path) not in shown
    assert "no such table" in caplog.text


def test_a_page_that_lets_its_own_name_lead_here_gets_nothing_of_the_demo() -> None:
    with Workspace.start(mode="http") as workspace:
        url = httpx.URL(workspace.api_url)
        for path in ("/", "/page/index.js", "/api/auth.test", "/state"):
            for host in ("evil.example", f"evil.example:{url.port}", "127.0.0.1.evil.example"):
                answer = httpx.get(
                    url.copy_with(path=path), headers={"host": host}, trust_env=False
                )
                assert (answer.status_code, answer.text) == (403, "another host")
        for host in (f"127.0.0.1:{url.port}", f"localhost:{url.port}", "[::1]"):
            answer = httpx.get(url.copy_with(path="/"), headers={"host": host}, trust_env=False)
            assert answer.status_code == 200


def test_however_many_ask_whether_it_is_ready_one_check_runs_at_a_time() -> None:
    running, most, asked = 0, 0, 0
    lock = threading.Lock()
    release = threading.Event()

    def check() -> bool:
        nonlocal running, most, asked
        with lock:
            running, asked = running + 1, asked + 1
            most = max(most, running)
        release.wait(10)
        with lock:
            running -= 1
        return True

    with Server(web_app(checks={"storage": check})) as server, ThreadPoolExecutor(40) as pool:
        answers = [pool.submit(httpx.get, server.url + "/readyz", timeout=30) for _ in range(40)]
        health = httpx.get(server.url + "/healthz", timeout=10)
        release.set()
        statuses = {answer.result().status_code for answer in answers}

    assert health.status_code == 200
    assert statuses == {200}
    assert most == 1
    assert asked < 40


def test_junk_by_the_thousand_does_not_fill_the_log(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with Workspace.start(mode="http") as slack, serving(tmp_path, slack, port):
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            statuses = {client.post("/webhooks/twilio/inbound").status_code for _ in range(300)}
            statuses |= {client.post("/slack/events").status_code for _ in range(300)}
        taken = deliver(port, "SM1", "+14155550101")
    lines = (tmp_path / f"{port}.log").read_text().splitlines()

    assert statuses == {401}
    assert taken
    assert len(lines) < 100


def test_a_request_that_finds_no_memory_is_told_to_come_again() -> None:
    async def greedy(_: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(bytearray(2**62))))

    with Server(web_app(routes=[Route("/greedy", greedy)], checks={})) as server:
        answer = httpx.get(server.url + "/greedy", trust_env=False)

    assert answer.status_code == 503


def test_without_memory_no_request_is_refused_for_ever(tmp_path: Path) -> None:
    """A18: a provider comes again after 503 or a lost connection, and never after 400."""
    (port,) = free_ports(1)
    body = b"x" * (LARGEST_BODY - 1)

    def post(_: int) -> int:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("POST", "/webhooks/twilio/inbound", body)
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    with (
        Workspace.start(mode="http") as slack,
        serving(tmp_path, slack, port) as bot,
    ):
        assert deliver(port, "SM1", "+14155550101")
        pages = int(Path(f"/proc/{bot.pid}/statm").read_text().split()[0])
        limit = pages * os.sysconf("SC_PAGE_SIZE") + 4 * 1024 * 1024
        resource.prlimit(bot.pid, resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
        with ThreadPoolExecutor(24) as pool:
            statuses = list(pool.map(post, range(72)))
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        alive = bot.poll() is None
        if alive:
            resource.prlimit(bot.pid, resource.RLIMIT_AS, unlimited)
            taken = deliver(port, "SM2", "+14155550102")
    if not alive:
        with Workspace.start(mode="http") as slack, serving(tmp_path, slack, port):
            taken = deliver(port, "SM2", "+14155550102")

    assert 400 not in statuses
    assert taken
