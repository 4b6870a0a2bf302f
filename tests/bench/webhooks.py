"""A STOP that Twilio tells, on the disk with its alert queued, beside an empty endpoint that appends
once and syncs, on the same server; both are processes of their own, asked in turns."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.runtime.server import Server
from handlers.web import read_body, web_app
from tests.bench._clients import measure
from tests.bench._servers import (
    CONTACTS,
    Bot,
    bot,
    fill,
    free_port,
    quantile,
    sandbox,
    started,
    until_ready,
)
from tests.bench._webhooks import PATH, PUBLIC, TOKEN, request, requests

Report = Callable[[str, float, str, bool, str], None]

_ALERTS = "C0ALERTS01"
_TURN = 500
_TURNS = 6
_STORM = 10_000
_NAIVE_CONTACTS = 10_000


def run(report: Report) -> None:
    """Tells the ratios one at a time, at 64 at once, beside the naive bot, and in a storm."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        storage = f"tinydb:///{folder}/optin.json"
        fill(storage)
        slack = stack.enter_context(sandbox())
        settings = {"OPTIN_TWILIO_AUTH_TOKEN": TOKEN, "OPTIN_PUBLIC_URL": PUBLIC}
        ours = stack.enter_context(bot(slack, storage, OPTIN_ALERT_CHANNEL=_ALERTS, **settings))
        empty = stack.enter_context(_empty(Path(folder) / "bare"))
        one = _one_at_a_time(report, ours.port, empty)
        _many_at_once(report, ours.port, empty)
        _beside_naive(report, one, slack, Path(folder) / "naive.json")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        storage = f"tinydb:///{folder}/optin.json"
        fill(storage)
        slack = stack.enter_context(sandbox())
        ours = stack.enter_context(bot(slack, storage, OPTIN_ALERT_CHANNEL=_ALERTS, **settings))
        _storm(report, ours, slack)


def _one_at_a_time(report: Report, ours: int, empty: int) -> float:
    """Returns our seconds for one."""
    mine, floor = _compare(ours, empty, 1)
    us, them = quantile(mine, 0.5), quantile(floor, 0.5)
    rate = them / us
    report(
        "STOP webhooks a second, one at a time, in those of an empty one with a sync",
        rate,
        ">= 0.6",
        rate >= 0.6,
        f"{1 / us:,.0f}/s and {1 / them:,.0f}/s; {CONTACTS:,} contacts",
    )
    return us


def _many_at_once(report: Report, ours: int, empty: int) -> None:
    rates: tuple[list[float], list[float]] = ([], [])
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(_TURNS):
        for number, port in enumerate((ours, empty)):
            begun = time.perf_counter()
            taken[number].extend(asyncio.run(measure([port], 64, requests(2 * _TURN))))
            rates[number].append(2 * _TURN / (time.perf_counter() - begun))
    mine, floor = (quantile(found, 0.5) for found in rates)
    report(
        "STOP webhooks a second, 64 at once, in those of an empty one with a sync",
        mine / floor,
        ">= 2",
        mine >= 2 * floor,
        f"{mine:,.0f}/s and {floor:,.0f}/s",
    )
    us, them = (quantile(found, 0.99) for found in taken)
    report(
        "STOP webhook, p99, 64 at once, in times of an empty one with a sync",
        us / them,
        "<= 3",
        us <= 3 * them,
        f"{us * 1e3:.1f} ms and {them * 1e3:.1f} ms",
    )


def _beside_naive(report: Report, us: float, slack: str, file: Path) -> None:
    port = free_port()
    script = Path(__file__).with_name("_naive.py")
    command = [sys.executable, "-P", str(script), str(port), str(file), str(_NAIVE_CONTACTS), slack]
    with started(command, {}):
        until_ready(port)
        made = [request(number % _NAIVE_CONTACTS) for number in range(20)]
        them = quantile(asyncio.run(measure([port], 1, made)), 0.5)
    report(
        "STOP webhooks a second, one at a time, in those of Bolt with stock TinyDB",
        them / us,
        ">= 50",
        them >= 50 * us,
        f"{1 / us:,.0f}/s at {CONTACTS:,} contacts, {1 / them:,.1f}/s at {_NAIVE_CONTACTS:,}",
    )


def _storm(report: Report, ours: Bot, slack: str) -> None:
    asyncio.run(measure([ours.port], 64, [request(CONTACTS - 1)] * 64))
    before = _memory(ours.pid)
    made = [request(number) for number in range(_STORM)]
    begun = time.time()
    asyncio.run(measure([ours.port], 64, made))
    lasted = time.time() - begun
    stored = _events(ours.port, "applied")
    _until_told(ours.port)
    grown = (_memory(ours.pid) - before) / 1e6
    posted = _posted(slack, since=begun)
    report(
        f"{_STORM:,} STOPs as fast as they come, stored, of those sent",
        (stored - 1) / _STORM,
        ">= 1",
        stored - 1 >= _STORM,
        f"none refused; {_STORM / lasted:,.0f}/s",
    )
    report("… the first alert, in seconds", posted[0] - begun, "<= 5", posted[0] - begun <= 5, "")
    few = len(posted) <= 40
    report("… Slack calls until all is told", len(posted), "<= 40", few, "then one card is quiet")
    report("… growth of memory, in MB", grown, "<= 100", grown <= 100, "")


def _compare(ours: int, empty: int, at_once: int) -> tuple[list[float], list[float]]:
    """Seconds of each request to the one and to the other."""
    mine: list[float] = []
    floor: list[float] = []
    for _ in range(_TURNS):
        mine += asyncio.run(measure([ours], at_once, requests(_TURN)))
        floor += asyncio.run(measure([empty], at_once, requests(_TURN)))
    return mine, floor


@contextmanager
def _empty(file: Path) -> Iterator[int]:
    """The same server with an endpoint that appends once and syncs: its port."""
    port = free_port()
    with started([sys.executable, "-P", __file__, str(port), str(file)], {}):
        until_ready(port)
        yield port


def _serve_empty(port: int, file: Path) -> None:
    lock = Lock()
    with file.open("ab", buffering=0) as bare, ThreadPoolExecutor(max_workers=64) as pool:
        sync = getattr(os, "fdatasync", os.fsync)

        def append() -> None:
            with lock:
                bare.write(bytes(256))
                sync(bare.fileno())

        async def endpoint(told: Request) -> Response:
            await read_body(told)
            await asyncio.get_running_loop().run_in_executor(pool, append)
            return Response()

        Server(
            web_app(routes=[Route(PATH, endpoint, methods=["POST"])], checks={}), port=port
        ).run()


def _memory(pid: int) -> int:
    """Bytes of the process that are in memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise LookupError(pid)


def _metrics(port: int) -> list[str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode().splitlines()
    finally:
        connection.close()


def _events(port: int, outcome: str) -> int:
    found = [
        line for line in _metrics(port) if f'outcome="{outcome}"' in line and "_total{" in line
    ]
    return sum(int(float(line.rpartition(" ")[2])) for line in found)


def _until_told(port: int) -> None:
    """Until Slack shows all: the storm's card is drawn every fifteen seconds."""
    end = time.monotonic() + 90
    time.sleep(6)  # so often the outbox is counted
    while "optin_alerts_waiting 0.0" not in _metrics(port):
        if time.monotonic() > end:
            raise TimeoutError("alerts are still waiting")
        time.sleep(1)


def _posted(slack: str, *, since: float) -> list[float]:
    """When Slack was called about an alert."""
    parts = urlsplit(slack)
    connection = HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request("GET", "/sandbox/journal")
        lines = json.load(connection.getresponse())
    finally:
        connection.close()
    return [
        line["at"]
        for line in lines
        if line["at"] >= since and not line["method"].startswith("users")
    ]


if __name__ == "__main__":
    _serve_empty(int(sys.argv[1]), Path(sys.argv[2]))
