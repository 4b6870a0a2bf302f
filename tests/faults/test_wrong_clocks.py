"""A machine whose clock is wrong: `optin serve` does not start, and says so when it is moved later.
The clock is the real one of the process, moved by a library that is loaded before all others."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

import pytest

from sandbox.client import Workspace
from sandbox.first_workspace import ALERTS, APPROVALS, MANAGERS
from tests.support.balancer import free_ports
from tests.support.injected_faults import needs_gcc, preloaded
from tests.support.serving import answers, deliver
from tests.support.storages import path_in, url_of
from tests.support.twilio_requests import TOKEN

pytestmark = needs_gcc

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return preloaded("wrong_clock.c", tmp_path_factory.mktemp("clock"))


@contextmanager
def begun(folder: Path, library: Path, slack: Workspace, port: int) -> Iterator[subprocess.Popen]:  # type: ignore[type-arg]
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "LD_PRELOAD": str(library),
        "WRONG_CLOCK": str(folder / "moved"),
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "OPTIN_STORAGE": url_of(path_in(folder / "storage")),
        "OPTIN_ALERT_CHANNEL": ALERTS,
        "OPTIN_APPROVAL_CHANNEL": APPROVALS,
        "OPTIN_MANAGERS": MANAGERS,
        "OPTIN_PUBLIC_URL": "https://optin.example.com",
        "OPTIN_TWILIO_AUTH_TOKEN": TOKEN,
    }
    command = [sys.executable, "-m", "bot", "serve", "--mode", "http", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("year", [1970, 2026, 2100])
def test_a_wrong_clock_is_refused_at_the_start(tmp_path: Path, library: Path, year: int) -> None:
    there = datetime(year, 1, 5, tzinfo=UTC).timestamp()
    (tmp_path / "moved").write_text(str(int(there - time.time())))
    (port,) = free_ports(1)
    with Workspace.start(mode="http") as slack, begun(tmp_path, library, slack, port) as process:
        told, _ = process.communicate(timeout=60)

    assert process.returncode == 2
    assert f"The clock of this machine says {year}-01-05" in told
    assert "Traceback" not in told


def test_a_clock_that_is_moved_later_shows_in_readyz_and_opt_outs_go_on(
    tmp_path: Path, library: Path
) -> None:
    (tmp_path / "moved").write_text("0")
    (port,) = free_ports(1)
    with Workspace.start(mode="http") as slack, begun(tmp_path, library, slack, port) as process:
        while not answers(port):
            assert process.poll() is None
            time.sleep(0.05)
        before = readyz(port)
        (tmp_path / "moved").write_text("-3600")
        behind = readyz(port)
        taken = deliver(port, "SM1", "+14155550101")
        (tmp_path / "moved").write_text("0")
        after = readyz(port)

    assert before == after == (200, "ready")
    assert behind == (200, "ready, but the clock of this machine was moved back by 60 minutes")
    assert taken


def readyz(port: int) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()
