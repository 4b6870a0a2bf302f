"""`/optin <phone>` through HTTP, the gate and Bolt, beside an empty Bolt handler behind the same.

Both run as processes of their own; signed requests over kept connections, the two in turns, so
that whatever else the machine does befalls both.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

from slack_bolt import Ack, App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot import clock
from bot.consent.activity import Kind
from bot.consent.model import Channel, On
from bot.consent.service.record import Recorder, new_id
from bot.serve import Server
from handlers.slack.gate import Gate
from handlers.web import slack_route, web_app

Report = Callable[[str, float, str, bool, str], None]

CONTACTS = 100_000
_REQUESTS = 2_000
_TURN = 250
_BAR = 2.0
_SECRET = "bench-secret"
_ROOT = Path(__file__).resolve().parents[2]
_ANA = "U0ANARUIZ1"

_numbers = count()


def run(report: Report) -> None:
    """Tells the ratios at one and at sixteen at once."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        storage = f"tinydb:///{folder}/optin.json"
        _fill(storage)
        slack = stack.enter_context(_sandbox())
        ours = stack.enter_context(_bot(slack, storage))
        empty = stack.enter_context(_empty_bolt())
        asyncio.run(_measure(ours, 1, 300))
        asyncio.run(_measure(empty, 1, 300))
        for at_once in (1, 16):
            mine, floor = asyncio.run(_compare(ours, empty, at_once))
            for name, share in (("p50", 0.5), ("p99", 0.99)):
                us, them = _share(mine, share), _share(floor, share)
                report(
                    f"/optin <phone>, {name}, {at_once} at once, in times of an empty handler",
                    us / them,
                    f"<= {_BAR:.0f}",
                    us / them <= _BAR,
                    f"{us * 1e3:.2f} ms and {them * 1e3:.2f} ms; {CONTACTS:,} contacts",
                )


async def _compare(ours: int, empty: int, at_once: int) -> tuple[list[float], list[float]]:
    """Seconds of each request to the one and to the other."""
    mine: list[float] = []
    floor: list[float] = []
    for _ in range(_REQUESTS // _TURN):
        mine += await _measure(ours, at_once, _TURN)
        floor += await _measure(empty, at_once, _TURN)
    return mine, floor


async def _measure(port: int, at_once: int, requests: int) -> list[float]:
    """Seconds of each request; what is sent is made before."""
    made = [_request() for _ in range(requests)]
    streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(at_once)]
    taken: list[float] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while made:
            request = made.pop()
            begun = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
            taken.append(time.perf_counter() - begun)
            assert head.startswith(b"HTTP/1.1 200"), head

    await asyncio.gather(*(talk(*stream) for stream in streams))
    for _, writer in streams:
        writer.close()
        await writer.wait_closed()
    return taken


def _request() -> bytes:
    """A command of Slack's, signed; never the same twice."""
    number = next(_numbers)
    body = urlencode(
        {
            "token": "x",
            "team_id": "T0ACMESUP",
            "team_domain": "acme-support",
            "channel_id": "C0SUPPORT1",
            "channel_name": "support",
            "user_id": _ANA,
            "user_name": "ana",
            "command": "/optin",
            "text": _phone(random.Random(number).randrange(CONTACTS)),
            "api_app_id": "A0OPTINAPP",
            "is_enterprise_install": "false",
            "response_url": f"http://127.0.0.1/commands/T0ACMESUP/{number}",
            "trigger_id": f"{number}.1.x",
        }
    ).encode()
    stamp = str(int(time.time()))
    signed = b"v0:" + stamp.encode() + b":" + body
    signature = hmac.new(_SECRET.encode(), signed, hashlib.sha256).hexdigest()
    return (
        "POST /slack/events HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"X-Slack-Request-Timestamp: {stamp}\r\nX-Slack-Signature: v0={signature}\r\n\r\n"
    ).encode() + body


def _phone(number: int) -> str:
    areas = (212, 213, 305, 312, 415, 512, 617, 702, 808, 917)
    return f"+1{areas[number % 10]}55{number // 10 + 50_000:05}"


def _fill(url: str) -> None:
    """Contacts who said yes to texts, each with an entry of the Activity Log for it."""
    from storage import open_store

    store = open_store(url)
    now = clock.now()
    for start in range(0, CONTACTS, 5_000):
        with store.transaction() as records:
            recorder = Recorder(records=records, actor="cli:bench", source="cli", now=now)
            for number in range(start, start + 5_000):
                phone, email = _phone(number), f"contact{number}@example.com"
                contact = recorder.record(
                    Kind.CONTACT,
                    None,
                    creates=new_id(now),
                    after="added",
                    changes={
                        "name": (None, f"Contact {number}"),
                        "phone": (None, phone),
                        "email": (None, email),
                    },
                )
                recorder.record(
                    Kind.CONSENT,
                    contact,
                    address=phone,
                    channel=Channel.SMS,
                    before=On.UNSET,
                    after=On.YES,
                )
    store.close()


@contextmanager
def _sandbox() -> Iterator[str]:
    """Slack's Web API, for who somebody is: the address of it."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--mode", "http"]
    with _process(command, {}, subprocess.PIPE) as process:
        assert process.stdout is not None
        with process.stdout:
            yield process.stdout.readline().decode().strip() + "/api/"


@contextmanager
def _bot(slack: str, storage: str) -> Iterator[int]:
    """The bot as `optin serve` runs it: its port."""
    port = _free_port()
    env = {
        "SLACK_API_URL": slack,
        "SLACK_BOT_TOKEN": "xoxb-sandbox-bot",
        "SLACK_SIGNING_SECRET": _SECRET,
        "OPTIN_STORAGE": storage,
    }
    command = [sys.executable, "-m", "bot", "serve", "--mode", "http", "--port", str(port)]
    with _process(command, env):
        _until_ready(port)
        yield port


@contextmanager
def _empty_bolt() -> Iterator[int]:
    """The same server, gate and Bolt with a handler that does nothing: its port."""
    port = _free_port()
    with _process([sys.executable, "-P", __file__, str(port)], {}):
        _until_ready(port)
        yield port


@contextmanager
def _process(
    command: Sequence[str], env: dict[str, str], stdout: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    whole = {"PATH": os.environ["PATH"], "PYTHONPATH": str(_ROOT)} | env
    with tempfile.TemporaryDirectory() as home:
        whole["HOME"] = home
        process = subprocess.Popen(command, cwd=home, env=whole, stdout=stdout)
        try:
            yield process
        finally:
            process.terminate()
            process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _until_ready(port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except ConnectionRefusedError:
            time.sleep(0.05)
        finally:
            connection.close()
    raise TimeoutError("a server did not start")


def _share(values: list[float], share: float) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]


def _serve_empty(port: int) -> None:
    authorized = AuthorizeResult(enterprise_id=None, team_id="T0ACMESUP", bot_token="xoxb-x")
    app = App(
        client=WebClient(),
        authorize=lambda: authorized,
        process_before_response=True,
        request_verification_enabled=False,
        ignoring_self_events_enabled=False,
    )

    @app.command("/optin")
    def nothing(ack: Ack) -> None:
        ack()

    with ThreadPoolExecutor(max_workers=32) as pool:
        route = slack_route(app, Gate([_SECRET]), pool=pool, now=clock.now)
        Server(web_app(routes=[route], checks={}), port=port).run()


if __name__ == "__main__":
    _serve_empty(int(sys.argv[1]))
