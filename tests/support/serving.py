"""`optin serve` as a process of its own, and webhooks that are sent to it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlencode

from bot.consent.use_cases.alerts.first_run import FIRST_RUN, OVER
from sandbox.client import Workspace
from sandbox.first_workspace import ALERTS, APPROVALS, MANAGERS
from storage import open_store
from tests.support.forked_commands import ForkedCommand
from tests.support.storages import path_in, url_of
from tests.support.twilio_requests import INBOUND, OURS, TOKEN, signed


@contextmanager
def serving(
    folder: Path,
    slack: Workspace,
    port: int,
    storage: str = "",
    *,
    mode: str = "http",
    **more: str,
) -> Iterator[ForkedCommand]:
    """The bot, answering; killed at the end. What it logs is in a file called as its port. `more`
    are environment variables on top."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "OPTIN_STORAGE": storage or url_of(path_in(folder / "storage")),
        "OPTIN_ALERT_CHANNEL": ALERTS,
        "OPTIN_APPROVAL_CHANNEL": APPROVALS,
        "OPTIN_MANAGERS": MANAGERS,
        "OPTIN_PUBLIC_URL": "https://optin.example.com",
        "OPTIN_TWILIO_AUTH_TOKEN": TOKEN,
        **more,
    }
    with closing(open_store(env["OPTIN_STORAGE"])) as store, store.transaction() as records:
        records.key_value.put(FIRST_RUN, OVER)  # these tests count messages
    command = ["serve", "--mode", mode, "--port", str(port)]
    with (
        (folder / f"{port}.log").open("ab") as log,
        ForkedCommand(command, folder=folder, env=env, log=log) as process,
    ):
        try:
            while not answers(port):
                assert process.poll() is None, "the bot did not start"
                time.sleep(0.02)
            yield process
        finally:
            process.kill()


def answers(port: int, path: str = "/healthz") -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def deliver(port: int, sid: str, phone: str, body: str = "STOP") -> bool:
    """One try to tell of a text; whether it was answered well."""
    form = {"MessageSid": sid, "From": phone, "To": OURS, "Body": body}
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("POST", INBOUND, urlencode(form), signed(INBOUND, form))
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
