"""`/optin <phone>` through HTTP, the gate and Bolt, beside an empty Bolt handler behind the same.

Both run as processes of their own; signed requests over kept connections, the two in turns, so
that whatever else the machine does befalls both.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count
from urllib.parse import urlencode

from slack_bolt import Ack, App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.runtime import clock
from bot.runtime.server import Server
from handlers.slack.http_mode import SignatureCheck, slack_route
from handlers.web import web_app
from tests.bench._clients import measure
from tests.bench._servers import (
    CONTACTS,
    SECRET,
    bot,
    fill,
    free_port,
    phone,
    quantile,
    sandbox,
    started,
    until_ready,
)

Report = Callable[[str, float, str, bool, str], None]

_REQUESTS = 2_000
_TURN = 250
_BAR = 2.0
_ANA = "U0ANARUIZ1"

_numbers = count()


def run(report: Report) -> None:
    """Tells the ratios at one and at sixteen at once."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        storage = f"tinydb:///{folder}/optin.json"
        fill(storage)
        slack = stack.enter_context(sandbox())
        ours = stack.enter_context(bot(slack, storage)).port
        empty = stack.enter_context(_empty_bolt())
        asyncio.run(measure([ours], 1, _requests(300)))
        asyncio.run(measure([empty], 1, _requests(300)))
        for at_once in (1, 16):
            mine, floor = asyncio.run(_compare(ours, empty, at_once))
            for name, share in (("p50", 0.5), ("p99", 0.99)):
                us, them = quantile(mine, share), quantile(floor, share)
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
        mine += await measure([ours], at_once, _requests(_TURN))
        floor += await measure([empty], at_once, _requests(_TURN))
    return mine, floor


def _requests(count: int) -> list[bytes]:
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


@contextmanager
def _empty_bolt() -> Iterator[int]:
    """The same server, gate and Bolt with a handler that does nothing: its port."""
    port = free_port()
    with started([sys.executable, "-P", __file__, str(port)], {}):
        until_ready(port)
        yield port


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
        route = slack_route(app, SignatureCheck([SECRET]), pool=pool, now=clock.now)
        Server(web_app(routes=[route], checks={}), port=port).run()


if __name__ == "__main__":
    _serve_empty(int(sys.argv[1]))
