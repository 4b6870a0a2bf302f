"""`optin` as a process of its own that has loaded the program when it begins.

Loading takes a second, and most tests that need a process do not need that. It is forked from the
server of `forked_processes`; from then on it is what `python -m bot` is: signals, kills, the exit
status, files and the environment are real. A few tests begin Python itself, as a user does.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from subprocess import TimeoutExpired
from typing import IO, Self

from bot.cli import main
from bot.cli.program import command, program
from bot.consent.replies.keywords import LANGUAGES
from bot.consent.replies.read_reply import read_reply
from tests.support import killed_at
from tests.support.forked_processes import Descriptor, fork_server

for _name in program.commands:
    command(_name)  # so that the server has loaded it
import_module("typer._adapters")  # every command loads it when it begins
# The patterns of replies take half a second to compile, which `serve` does when it starts.
read_reply("hello", None, LANGUAGES)


class ForkedCommand:
    """Has what the tests need of `subprocess.Popen`. What it writes is in pipes; or in `log`."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        folder: Path,
        env: Mapping[str, str],
        log: IO[bytes] | None = None,
    ) -> None:
        self._pipes = [] if log else [os.pipe(), os.pipe()]
        out, err = [write for _, write in self._pipes] or [log.fileno()] * 2  # type: ignore[union-attr]
        self._process = fork_server().Process(
            target=_run, args=(arguments, str(folder), dict(env), Descriptor(out), Descriptor(err))
        )
        self._process.start()
        for _, write in self._pipes:
            os.close(write)
        self.stdout, self.stderr = [os.fdopen(read) for read, _ in self._pipes] or [None, None]

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self.returncode is None:
            raise TimeoutExpired("optin", timeout or 0)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it has not written to us before, until it ends."""
        assert self.stdout
        assert self.stderr
        with self.stdout, self.stderr, ThreadPoolExecutor(1) as beside:
            errors = beside.submit(self.stderr.read)
            out = self.stdout.read()
        self.wait(timeout)
        return out, errors.result()

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            assert self._process.pid is not None
            os.kill(self._process.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in filter(None, (self.stdout, self.stderr)):
            pipe.close()
        self.wait()


def _run(
    arguments: Sequence[str],
    folder: str,
    env: dict[str, str],
    out: Descriptor,
    err: Descriptor,
) -> None:
    # As a terminal starts it; tests that run in the background begin with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    out.become(1)
    err.become(2)
    # Those of the server know whether they are files or pipes; these may be the other.
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - until the process ends
    sys.stderr = open(2, "w", 1, errors="backslashreplace", closefd=False)  # noqa: SIM115 - too
    if killed_at.KILLED_AT in os.environ:
        killed_at.watch_for_step()
    sys.exit(main(arguments))
