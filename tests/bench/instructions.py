"""Instructions that `/optin <phone>` takes from request to answer, beside an empty Bolt handler's.

Valgrind's callgrind counts them, so whatever else the machine does changes nothing.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.bench import slack
from tests.bench._clients import measure
from tests.bench._servers import SECRET, bot_command, fill, free_port, sandbox, started, until_ready

Report = Callable[[str, float | str, str, bool | None, str], None]

_WARM, _REQUESTS = 100, 100
_EMPTY = Path(__file__).with_name("_empty_bolt.py")
#: In times of the empty handler.
_BARS = {"tinydb": 1.3, "sqlite": 1.6}


def run(report: Report) -> None:
    """Tells the ratio on each embedded storage."""
    if shutil.which("valgrind") is None:
        report("instructions of /optin <phone>", "-", "<= 1.3", None, "there is no valgrind")
        return
    floor = _counted([sys.executable, "-P", str(_EMPTY), "PORT", SECRET], {})
    with tempfile.TemporaryDirectory() as folder, sandbox() as workspace:
        for kind, bar in _BARS.items():
            storage = f"{kind}:///{folder}/optin.{kind}"
            fill(storage)
            ours = _counted(*bot_command(workspace, storage))
            report(
                f"{kind}: instructions of /optin <phone>, in those of an empty handler",
                ours / floor,
                f"<= {bar}",
                ours / floor <= bar,
                f"{ours / 1e6:.2f} and {floor / 1e6:.2f} million",
            )


def _counted(command: Sequence[str], env: dict[str, str]) -> float:
    """Instructions of the server for each request, once it is warm."""
    port = free_port()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        counting = ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={folder}/out"]
        server = [str(port) if part == "PORT" else part for part in command]
        process = stack.enter_context(started([*counting, *server], env))
        until_ready(port, within=300)
        asyncio.run(measure([port], 1, slack.requests(_WARM)))
        _control("--zero", process.pid)
        asyncio.run(measure([port], 1, slack.requests(_REQUESTS)))
        _control("--dump", process.pid)
        (written,) = folder.glob("out.*")
        total = re.search(r"^(?:summary|totals): (\d+)", written.read_text(), re.MULTILINE)
    assert total is not None
    return int(total[1]) / _REQUESTS


def _control(what: str, pid: int) -> None:
    subprocess.run(["callgrind_control", what, str(pid)], check=True, capture_output=True)
