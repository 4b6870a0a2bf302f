"""The web server as it runs: real uvicorn, real Bolt, real sockets."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event
from urllib.parse import urlencode

import httpx
import pytest
from slack_bolt import Ack, App
from slack_bolt.authorization import AuthorizeResult
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bot.config.settings import SettingsError
from bot.runtime import clock
from bot.runtime.server import Server
from handlers.slack.http_mode import SignatureCheck, slack_route
from handlers.web import LARGEST_BODY, web_app

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
FORM = "application/x-www-form-urlencoded"
CANARY = "+1 415 555 0199 canary@example.com"


class Bot:
    """A Bolt app with one command, which does as its text says."""

    def __init__(self) -> None:
        self.app = App(
            authorize=lambda: AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="xoxb-1"),
            signing_secret=SECRET,
            process_before_response=True,
        )
        self.app.command("/optin")(self.optin)
        self.app.options("find")(lambda ack: ack(options=[]))
        self.asked: list[str] = []
        self.waiting = Event()
        self.go_on = Event()

    def optin(self, ack: Ack, command: dict[str, str]) -> None:
        self.asked.append(command["text"])
        if command["text"] == "wait":
            self.waiting.set()
            assert self.go_on.wait(20)
        if command["text"] == "fail once" and self.asked.count("fail once") == 1:
            raise RuntimeError("the disk is full")
        ack(response_type="ephemeral", text=f"asked for {command['text']}")


@pytest.fixture(scope="module")
def bot() -> Bot:
    return Bot()


@pytest.fixture(scope="module")
def checks() -> dict[str, bool]:
    return {"storage": True, "slack": True}


def present() -> datetime:
    """The time of the clock that stands at this moment."""
    return clock.now()


@pytest.fixture(scope="module")
def server(bot: Bot, checks: dict[str, bool]) -> Iterator[Server]:
    named = {name: (lambda name=name: checks[name]) for name in checks}
    with ThreadPoolExecutor(16) as pool:
        route = slack_route(bot.app, SignatureCheck([SECRET]), pool=pool, now=present)
        with Server(web_app(routes=[route], checks=named)) as server:
            yield server


@pytest.fixture
def client(server: Server, bot: Bot) -> Iterator[httpx.Client]:
    bot.asked.clear()
    with httpx.Client(base_url=server.url, timeout=20, trust_env=False) as client:
        yield client


def headers_for(body: bytes, kind: str = FORM) -> dict[str, str]:
    timestamp = str(int(clock.now().timestamp()))
    digest = hmac.new(SECRET.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256)
    return {
        "content-type": kind,
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": "v0=" + digest.hexdigest(),
    }


def send(client: httpx.Client, body: bytes, kind: str = FORM) -> httpx.Response:
    return client.post("/slack/events", content=body, headers=headers_for(body, kind))


def command(text: str, **more: str) -> bytes:
    return urlencode({"command": "/optin", "text": text, "user_id": "U1"} | more).encode()


def test_a_command_is_answered_in_the_ack_with_bolts_content_type(client):
    answer = send(client, command("+1 415 555 0100"))

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json() == {"response_type": "ephemeral", "text": "asked for +1 415 555 0100"}


def test_a_name_with_the_word_payload_in_it_is_found_too(client):
    assert send(client, command("payload")).json()["text"] == "asked for payload"


def test_typeahead_and_slacks_challenge_are_answered(client):
    typed = {"type": "block_suggestion", "action_id": "find", "block_id": "b", "value": "an"}
    suggestion = send(client, urlencode({"payload": json.dumps(typed)}).encode())
    challenge = json.dumps({"type": "url_verification", "challenge": "abc"}).encode()
    verification = send(client, challenge, "application/json")

    assert suggestion.json() == {"options": []}
    assert verification.json() == {"challenge": "abc"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"content-type": FORM}, 401),
        ({"content-type": "application/json"}, 401),
        ({"x-slack-request-timestamp": "abc", "x-slack-signature": "v0=" + "0" * 64}, 401),
        ({"x-slack-request-timestamp": "9" * 5000, "x-slack-signature": "v0=" + "0" * 64}, 401),
        ({"x-slack-request-timestamp": "1", "x-slack-signature": "\xff" * 67}, 401),
    ],
)
@pytest.mark.parametrize("body", [b"", b"\xff", b"{", b"payload={bad", b"[]", b"[" * 100_000])
def test_unsigned_junk_is_401_without_a_word_of_it_in_the_log(
    client, bot, caplog, headers, status, body
):
    raw = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    with caplog.at_level(logging.INFO):
        answer = client.post("/slack/events", content=CANARY.encode() + body, headers=raw)

    assert answer.status_code == status
    assert answer.content == b""
    assert bot.asked == []
    assert "canary" not in caplog.text
    assert "Traceback" not in caplog.text
    assert [r.getMessage() for r in caplog.records if r.name == "handlers.slack.http_mode"] == [
        f"Answered a request to Slack's door: {status}, {caplog.records[0].args[1]}"
    ]


def test_what_is_signed_but_unreadable_is_400(client, caplog):
    assert send(client, b"payload={" + CANARY.encode()).status_code == 400
    assert "canary" not in caplog.text


def test_a_captured_request_runs_once(client, bot):
    body = command("once")
    headers = headers_for(body)
    statuses = [
        client.post("/slack/events", content=body, headers=headers).status_code for _ in range(5)
    ]

    assert statuses == [200, 401, 401, 401, 401]
    assert bot.asked == ["once"]


def test_a_request_that_failed_here_may_be_repeated_by_slack(client, bot):
    body = command("fail once")
    headers = headers_for(body)
    statuses = [
        client.post("/slack/events", content=body, headers=headers).status_code for _ in range(3)
    ]

    assert statuses == [500, 200, 401]


def test_a_clock_that_is_wrong_refuses_slack(client):
    body = command("x")
    headers = headers_for(body)
    with clock.stopped(clock.now() + timedelta(minutes=10)):
        answer = client.post("/slack/events", content=body, headers=headers)

    assert answer.status_code == 401


def test_the_certificate_check_is_200_and_runs_nothing(client, bot):
    answer = client.post("/slack/events", content=b"ssl_check=1&token=x")

    assert answer.status_code == 200
    assert bot.asked == []


def test_headers_that_are_not_signed_do_not_reach_bolt(client, bot):
    """With this one, Bolt would run a lazy listener of the sender's choice."""
    body = command("plain")
    lazy = {"x-slack-bolt-lazy-only": "1", "x-slack-bolt-lazy-function-name": "optin"}
    answer = client.post("/slack/events", content=body, headers=headers_for(body) | lazy)

    assert answer.json()["text"] == "asked for plain"


def test_a_body_over_a_mebibyte_is_413_before_it_is_there(server):
    """Only the head is sent: whoever waits for the rest would never answer."""
    head = f"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: {LARGEST_BODY + 1}\r\n\r\n"
    with socket.create_connection((server.host, server.port), timeout=10) as connection:
        connection.sendall(head.encode())
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_body_of_unknown_length_is_413_once_it_is_too_long(client):
    chunks = (b"x" * 65536 for _ in range(LARGEST_BODY // 65536 + 2))

    assert client.post("/slack/events", content=chunks).status_code == 413


def test_a_body_of_just_a_mebibyte_is_read(client):
    body = command("x" * (LARGEST_BODY - len(command(""))))

    assert len(body) == LARGEST_BODY
    assert send(client, body).status_code == 200


def test_a_slow_body_is_cut_off(bot):
    with ThreadPoolExecutor(1) as pool:
        route = slack_route(
            bot.app, SignatureCheck([SECRET]), pool=pool, now=clock.now, body_within=0.2
        )
        with (
            Server(web_app(routes=[route], checks={})) as server,
            socket.create_connection((server.host, server.port), timeout=10) as connection,
        ):
            head = b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
            connection.sendall(head + b"ab")
            # Until the server closes; it may send the answer's head and body apart.
            answer = b"".join(iter(partial(connection.recv, 65536), b""))

    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_sender_who_leaves_in_the_middle_breaks_nothing(server, client, caplog):
    for _ in range(5):
        with socket.create_connection((server.host, server.port)) as connection:
            connection.sendall(
                b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na"
            )

    assert client.get("/healthz").status_code == 200
    assert "Traceback" not in caplog.text


def test_while_hundreds_of_slow_bodies_trickle_in_slack_is_served(server, client):
    head = b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na"
    connections = [socket.create_connection((server.host, server.port)) for _ in range(300)]
    try:
        for connection in connections:
            connection.sendall(head)
        answer = send(client, command("served"))
    finally:
        for connection in connections:
            connection.close()

    assert answer.json()["text"] == "asked for served"


def test_a_slow_listener_holds_up_neither_health_nor_another_listener(client, bot):
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(send, client, command("wait"))
        assert bot.waiting.wait(10)
        health = client.get("/healthz")
        quick = send(client, command("quick"))
        unfinished = not slow.done()
        bot.go_on.set()

        assert unfinished
        assert health.text == "ok"
        assert quick.json()["text"] == "asked for quick"
        assert slow.result().json()["text"] == "asked for wait"


def test_ready_says_what_is_not(client, checks):
    ready = client.get("/readyz")
    checks["slack"] = False
    not_ready = client.get("/readyz")
    checks["slack"] = True

    assert (ready.status_code, ready.text) == (200, "ready")
    assert (not_ready.status_code, not_ready.text) == (503, "not ready: slack")


def test_a_check_that_hangs_is_one_that_fails():
    hung = Event()
    app = web_app(checks={"storage": lambda: hung.wait(20)}, check_within=0.1)
    with Server(app) as server:
        answer = httpx.get(server.url + "/readyz", trust_env=False)
        hung.set()

    assert (answer.status_code, answer.text) == (503, "not ready: storage")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/slack/events", 405),
        ("POST", "/healthz", 405),
        ("GET", "/../.env", 404),
    ],
)
def test_other_paths_and_methods_are_refused_plainly(client, method, path, status):
    answer = client.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/plain")
    assert "server" not in answer.headers


def test_more_routes_can_be_given():
    async def hook(_: Request) -> PlainTextResponse:
        return PlainTextResponse("taken")

    with Server(
        web_app(routes=[Route("/webhooks/x", hook, methods=["POST"])], checks={})
    ) as server:
        answer = httpx.post(server.url + "/webhooks/x", trust_env=False)

    assert answer.text == "taken"


def test_a_port_that_is_taken_is_one_sentence(server):
    with pytest.raises(SettingsError, match=rf"^127\.0\.0\.1:{server.port} can't be listened on"):
        Server(Starlette(), port=server.port)


def test_what_runs_beside_is_ended_with_the_server_and_ends_it_when_it_fails():
    ended = Event()

    async def job() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def failing() -> None:
        raise SettingsError("SLACK_APP_TOKEN was refused.")

    with Server(Starlette(), beside=[job]):
        pass

    assert ended.is_set()
    with pytest.raises(SettingsError, match="refused"):
        Server(Starlette(), beside=[failing]).run()


SERVING = """
import sys, threading, time
sys.path.insert(0, sys.argv[1])
from bot.runtime.server import Server
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

def slow(request):
    print("began", flush=True)
    time.sleep(1.0)
    return PlainTextResponse("answered")

server = Server(Starlette(routes=[Route("/slow", slow)]))
print(server.port, flush=True)
server.run()
print("closed the storage", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_request_under_way_end_and_then_the_program(number):
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", SERVING, str(root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        url = f"http://127.0.0.1:{int(program.stdout.readline())}/slow"
        with ThreadPoolExecutor(1) as threads:
            answer = threads.submit(httpx.get, url, timeout=20, trust_env=False)
            assert program.stdout.readline() == "began\n"
            told = time.monotonic()
            os.kill(program.pid, number)
            text = answer.result().text
            rest = program.stdout.read()
            code = program.wait(20)
            took = time.monotonic() - told
            errors = program.stderr.read()

    assert text == "answered"
    assert rest == "closed the storage\n"
    assert (code, errors) == (0, "")
    assert took < 10


def test_a_connection_that_never_asks_is_closed():
    with (
        Server(Starlette(), first_request_within=0.2) as server,
        socket.create_connection((server.host, server.port), timeout=10) as silent,
    ):
        silent.sendall(b"GET / HT")
        end = silent.recv(100)

    assert end == b""
