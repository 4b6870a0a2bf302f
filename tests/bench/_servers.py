"""What several benches need: contacts, and the servers, each a process of its own.

There are 100,000 contacts unless `OPTIN_BENCH_CONTACTS` says otherwise.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from bot.consent.known_providers import KnownProviders
from bot.consent.log.changes import ConsentChanged, ContactChanged
from bot.consent.model import Channel, ConsentValue
from bot.consent.use_cases import Service
from bot.consent.use_cases.record import Recorder, new_id
from bot.runtime import clock
from bot.runtime.read_email import read_email

CONTACTS = int(os.environ.get("OPTIN_BENCH_CONTACTS", "100000"))
SECRET = "bench-secret"
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    port: int
    pid: int


def phone(number: int) -> str:
    areas = (212, 213, 305, 312, 415, 512, 617, 702, 808, 917)
    return f"+1{areas[number % 10]}55{number // 10 + 50_000:05}"


def fill(url: str, contacts: int = CONTACTS) -> None:
    """Contacts who said yes to texts, each with an entry of the Activity Log for it."""
    from storage import open_store

    store = open_store(url)
    now = clock.now()
    service = Service(
        store=store,
        now=clock.now,
        region="US",
        read_email=read_email,
        hash_key=b"bench",
        providers=KnownProviders(),
    )
    for start in range(0, contacts, 5_000):
        with store.transaction() as records:
            recorder = Recorder(
                service=service, records=records, actor="cli:bench", source="cli", now=now
            )
            for number in range(start, min(start + 5_000, contacts)):
                mobile, email = phone(number), f"contact{number}@example.com"
                contact = recorder.record(
                    None,
                    ContactChanged(
                        after="added",
                        changes={
                            "name": (None, f"Contact {number}"),
                            "phone": (None, mobile),
                            "email": (None, email),
                        },
                    ),
                    creates=new_id(now),
                )
                recorder.record(
                    contact,
                    ConsentChanged(before=ConsentValue.UNSET, after=ConsentValue.YES, by=None),
                    address=mobile,
                    channel=Channel.SMS,
                )
    store.close()


@contextmanager
def sandbox() -> Iterator[str]:
    """Slack's Web API, for who somebody is: the address of it."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--mode", "http"]
    with started(command, {}, subprocess.PIPE) as process:
        assert process.stdout is not None
        with process.stdout:
            yield process.stdout.readline().decode().strip() + "/api/"


@contextmanager
def bot(slack: str, storage: str, **settings: str) -> Iterator[Bot]:
    """The bot as `optin serve` runs it. `settings` are environment variables on top."""
    port = free_port()
    command, env = bot_command(slack, storage, str(port))
    with started(command, env | settings) as process:
        until_ready(port)
        yield Bot(port=port, pid=process.pid)


def bot_command(
    slack: str, storage: str, port: str = "PORT"
) -> tuple[Sequence[str], dict[str, str]]:
    """`optin serve`, and the environment that it needs."""
    env = {
        "SLACK_API_URL": slack,
        "SLACK_BOT_TOKEN": "xoxb-sandbox-bot",
        "SLACK_SIGNING_SECRET": SECRET,
        "OPTIN_STORAGE": storage,
    }
    return [sys.executable, "-m", "bot", "serve", "--mode", "http", "--port", port], env


@contextmanager
def started(
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


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def until_ready(port: int, within: float = 60) -> None:
    end = time.monotonic() + within
    while time.monotonic() < end:
        connection = HTTPConnection("127.0.0.1", port, timeout=within)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except ConnectionRefusedError:
            time.sleep(0.05)
        finally:
            connection.close()
    raise TimeoutError("a server did not start")


def quantile(values: list[float], share: float) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]
