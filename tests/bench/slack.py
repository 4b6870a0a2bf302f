"""`/optin <phone>` through HTTP, the gate and Bolt, beside an empty Bolt handler behind the same,
on each storage.

Both run as processes of their own; signed requests over kept connections, the two in turns, so
that whatever else the machine does befalls both.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import random
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from urllib.parse import urlencode

from tests.bench._clients import measure
from tests.bench._empty_bolt import empty_bolt
from tests.bench._servers import (
    CONTACTS,
    SECRET,
    bot,
    fill,
    phone,
    quantile,
    sandbox,
)
from tests.support.postgres_fixtures import Server

Report = Callable[[str, float, str, bool, str], None]

_REQUESTS = 2_000
_TURN = 250
_BAR = 2.0
_ANA = "U0ANARUIZ1"

_numbers = count()


def run(report: Report) -> None:
    """Tells the ratios at one and at sixteen at once."""
    server = Server(options=["-c shared_buffers=256MB", "-c max_wal_size=4GB"])
    try:
        with tempfile.TemporaryDirectory() as folder:
            for storage in (
                f"tinydb:///{folder}/optin.json",
                f"sqlite:///{folder}/optin.db",
                server.another("slack"),
            ):
                _measure(report, storage)
    finally:
        server.remove()


def _measure(report: Report, storage: str) -> None:
    kind = storage.partition(":")[0]
    with ExitStack() as stack:
        fill(storage)
        slack = stack.enter_context(sandbox())
        ours = stack.enter_context(bot(slack, storage)).port
        empty = stack.enter_context(empty_bolt(SECRET))
        asyncio.run(measure([ours], 1, requests(300)))
        asyncio.run(measure([empty], 1, requests(300)))
        for at_once in (1, 16):
            mine, floor = asyncio.run(_compare(ours, empty, at_once))
            for name, share in (("p50", 0.5), ("p99", 0.99)):
                us, them = quantile(mine, share), quantile(floor, share)
                report(
                    f"{kind}: /optin <phone>, {name}, {at_once} at once, in times of an empty "
                    "handler",
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
        mine += await measure([ours], at_once, requests(_TURN))
        floor += await measure([empty], at_once, requests(_TURN))
    return mine, floor


def requests(count: int) -> list[bytes]:
    return [_request() for _ in range(count)]


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
            "text": phone(random.Random(number).randrange(CONTACTS)),
            "api_app_id": "A0OPTINAPP",
            "is_enterprise_install": "false",
            "response_url": f"http://127.0.0.1/commands/T0ACMESUP/{number}",
            "trigger_id": f"{number}.1.x",
        }
    ).encode()
    stamp = str(int(time.time()))
    signed = b"v0:" + stamp.encode() + b":" + body
    signature = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    return (
        "POST /slack/events HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"X-Slack-Request-Timestamp: {stamp}\r\nX-Slack-Signature: v0={signature}\r\n\r\n"
    ).encode() + body
