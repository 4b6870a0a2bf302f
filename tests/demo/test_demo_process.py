"""`optin demo` as a process of its own, with its newsletter, and without a browser."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.demo.demo_newsletter import SUBSCRIBERS
from sandbox.client import Workspace

ROOT = Path(__file__).parents[2]


@pytest.fixture
def demo() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "demo", "--port", "0", "--no-browser"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.terminate()


def test_a_stop_reaches_the_newsletter_and_the_terminal_says_so(
    demo: subprocess.Popen[str],
) -> None:
    assert demo.stdout is not None
    assert demo.stderr is not None
    found = re.search(r"http://\S+", demo.stdout.readline())
    assert found
    ws = Workspace(found[0])
    ws.newsletter.send("sms")
    assert ws.newsletter.subscriber("Ana Gómez")["copy"]["state"] == "sent"
    ws.contact("Ana Gómez").text("STOP", to="Support line")
    ws.wait_until(lambda: ws.newsletter.subscriber("Ana Gómez")["held"] is not None)
    ws.newsletter.send("sms")
    demo.terminate()
    lines = [line.partition("  ")[2].strip() for line in demo.stderr]

    ana = reasons_for_ana(lines)
    assert demo.wait(timeout=20) == 0
    assert lines.count("Newsletter: event consent.changed received, signature verified") == 1
    assert ana == ["carrier_block, opted_out"]
    assert "Newsletter: texts sent: 5, held back: 7" in lines
    assert "Newsletter: texts sent: 4, held back: 8" in lines
    assert not [line for line in lines for name in SUBSCRIBERS if name in line]
    assert not re.findall(r"\+1 ?415|@example", "\n".join(line for line in lines if "News" in line))


def reasons_for_ana(lines: list[str]) -> list[str]:
    """Why texts to Ana Gómez were held back."""
    start = "Newsletter: text held back · ending 0100 · "
    return [line.removeprefix(start) for line in lines if line.startswith(start)]
