"""The server, the gate and Bolt with handlers that do nothing: what nobody could be quicker than.

python tests/bench/_empty_bolt.py PORT
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from slack_bolt import Ack, App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.runtime import clock
from bot.runtime.server import Server
from handlers.slack.http_mode import SignatureCheck, slack_route
from handlers.web import web_app
from tests.bench._servers import free_port, started, until_ready

_ANY = re.compile(".*")


@contextmanager
def empty_bolt(secret: str) -> Iterator[int]:
    """A process of its own: its port."""
    port = free_port()
    command = [sys.executable, "-P", str(Path(__file__)), str(port), secret]
    with started(command, {}):
        until_ready(port)
        yield port


def _serve(port: int, secret: str) -> None:
    authorized = AuthorizeResult(enterprise_id=None, team_id="T0ACMESUP", bot_token="xoxb-x")
    app = App(
        client=WebClient(),
        authorize=lambda: authorized,
        process_before_response=True,
        request_verification_enabled=False,
        ignoring_self_events_enabled=False,
    )

    def nothing(ack: Ack) -> None:
        ack()

    app.command("/optin")(nothing)
    app.action(_ANY)(nothing)
    app.shortcut(_ANY)(nothing)
    app.event(_ANY)(nothing)
    with ThreadPoolExecutor(max_workers=32) as pool:
        route = slack_route(app, SignatureCheck([secret]), pool=pool, now=clock.now)
        Server(web_app(routes=[route], checks={}), port=port).run()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), sys.argv[2])
