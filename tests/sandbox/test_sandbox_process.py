"""`python -m sandbox` as a process of its own."""

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest

from sandbox.client import Workspace
from tests.support.newsletter_fixtures import deliver, event, subscribe

ROOT = Path(__file__).parents[2]
#: Starts a workspace at the other end of a pipe, says where it is, and waits to be killed.
PARENT = """
import subprocess, sys
child = subprocess.Popen(
    [sys.executable, "-m", "sandbox", "--port", "0", "--until-stdin-ends"],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
)
print(child.stdout.readline().strip(), child.pid, flush=True)
child.wait()
"""


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def test_it_ends_when_its_parent_is_killed(parent: subprocess.Popen[str]) -> None:
    assert parent.stdout is not None
    url, pid = parent.stdout.readline().split()
    with urlopen(url) as page:
        assert page.status == 200
    watched = os.pidfd_open(int(pid))
    parent.kill()

    # A pidfd can be read when the process is gone.
    poll = select.poll()
    poll.register(watched, select.POLLIN)
    assert poll.poll(20_000)
    os.close(watched)


def test_it_prints_what_the_newsletter_does() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--port", "0", "--until-stdin-ends"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        ws = Workspace(process.stdout.readline().strip())
        settings = [process.stdout.readline() for _ in range(4)]
        subscribe(ws, "http://127.0.0.1:1")
        deliver(ws, event(5, "no"))
        deliver(ws, event(5, "no"), age=timedelta(minutes=6))
        ws.newsletter.send("sms")
        lines = [process.stdout.readline().strip() for _ in range(3)]
        assert process.stdin is not None
        process.stdin.close()

    assert settings[0].startswith("SLACK_API_URL=")
    assert lines == [
        "Newsletter: event consent.changed received, signature verified",
        "Newsletter: event refused: Message timestamp too old.",
        "Newsletter: Nothing was sent. Optin can't be reached.",
    ]


def test_it_goes_on_without_a_standard_input_unless_told_otherwise() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--port", "0"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with urlopen(url) as page:
            status = page.status
        running = process.poll() is None
        process.terminate()

    assert (status, running) == (200, True)
