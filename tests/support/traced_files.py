"""The product's files whose functions run for one request, from its arrival to its answer.

`python -m tests.support.traced_files` prints them for a STOP and for `/optin +1…`, over TinyDB.
With `--functions`, it names the functions of each file, too.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from urllib.parse import urlencode

from starlette.types import ASGIApp, Message

from bot.app import assemble
from bot.config.settings import Mode
from bot.demo.samples import SENDERS, fill
from bot.runtime.open_service import open_service
from bot.runtime.read_settings import read_settings
from sandbox.client import Workspace
from sandbox.first_workspace import ANA
from tests.support.receiving_fixtures import PUBLIC
from tests.support.twilio_requests import FORM, INBOUND, OURS, TOKEN, signed

_ROOT = Path(__file__).parents[2]
_ROOMS = ("bot/", "handlers/", "storage/")
#: Two contacts of the demo: the first request of each kind fills caches.
_PHONES = ("+14155550100", "+14155550101")


@dataclass(slots=True, kw_only=True)
class Trace:
    """The functions of each file while `looking`, in threads started meanwhile as well."""

    looking: bool = False
    files: dict[str, set[str]] = field(default_factory=dict)

    def note(self, frame: FrameType, event: str, _: object) -> None:
        if self.looking and event == "call":
            path = frame.f_code.co_filename.removeprefix(f"{_ROOT}/")
            if path.startswith(_ROOMS):
                self.files.setdefault(path, set()).add(frame.f_code.co_qualname)


@contextmanager
def tracing() -> Iterator[Trace]:
    """Notes every call in this thread and in those that are started until the block ends."""
    trace = Trace()
    threading.setprofile(trace.note)
    sys.setprofile(trace.note)
    try:
        yield trace
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def traced_files(folder: Path) -> dict[str, dict[str, set[str]]]:
    """The files of a STOP and of a look-up, with their functions. Nothing else runs meanwhile."""
    with Workspace.start(mode="http", ack_timeout=10.0) as workspace, tracing() as trace:
        env = {
            "SLACK_BOT_TOKEN": workspace.bot_token,
            "SLACK_SIGNING_SECRET": workspace.signing_secret,
            "SLACK_API_URL": workspace.api_url,
            "OPTIN_STORAGE": f"tinydb:///{folder / 'optin.json'}",
            "OPTIN_ALERT_CHANNEL": "C0ALERTS01",
            "OPTIN_TWILIO_AUTH_TOKEN": TOKEN,
            "OPTIN_PUBLIC_URL": PUBLIC,
        }
        settings = replace(read_settings(env, need_slack=True), senders=SENDERS)
        with open_service(settings) as service:
            fill(service)
            with assemble(settings, service, mode=Mode.HTTP, port=0) as running:
                web, secret = running.web, workspace.signing_secret
                return {
                    "STOP": _seen(trace, lambda phone: _stop(web, phone)),
                    "/optin": _seen(trace, lambda phone: _look_up(web, phone, secret)),
                }


def _seen(trace: Trace, ask: Callable[[str], int]) -> dict[str, set[str]]:
    first, second = _PHONES
    assert ask(first) == 200
    trace.files.clear()
    trace.looking = True
    status = ask(second)
    trace.looking = False
    assert status == 200
    return dict(sorted(trace.files.items()))


def _stop(web: ASGIApp, phone: str) -> int:
    form = {"MessageSid": f"SM{phone}", "From": phone, "To": OURS, "Body": "STOP"}
    return asyncio.run(_post(web, INBOUND, urlencode(form), signed(INBOUND, form)))


def _look_up(web: ASGIApp, phone: str, secret: str) -> int:
    form = {
        "command": "/optin",
        "text": phone,
        "user_id": ANA,
        "team_id": "T1",
        "channel_id": "C1",
        "response_url": "https://hooks.slack.com/commands/1",
        "trigger_id": "1.2.3",
    }
    body, at = urlencode(form), str(int(time.time()))
    made = hmac.new(secret.encode(), f"v0:{at}:{body}".encode(), hashlib.sha256)
    headers = {
        "Content-Type": FORM,
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": f"v0={made.hexdigest()}",
    }
    return asyncio.run(_post(web, "/slack/events", body, headers))


async def _post(web: ASGIApp, path: str, body: str, headers: Mapping[str, str]) -> int:
    """The status. Without a socket, so that the server's own calls are left out."""
    answers: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body.encode(), "more_body": False}

    async def send(message: Message) -> None:
        answers.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    await web(scope, receive, send)
    return int(answers[0]["status"])


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, files in traced_files(Path(folder)).items():
            lines = list(files)
            if "--functions" in sys.argv:
                lines = [f"{file}: {', '.join(sorted(made))}" for file, made in files.items()]
            print(f"{name}: {len(files)} files", *lines, sep="\n  ")  # noqa: T201 - a tool


if __name__ == "__main__":
    main()
