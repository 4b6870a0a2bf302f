"""Processes that begin at once, of a program in `tests/support/`.

Each is forked from a server that has imported the programs, and which is started by the first test
that needs it: a Python of its own imports for a second before it does anything.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from functools import cache
from multiprocessing import forkserver, get_context
from multiprocessing.context import ForkServerContext
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
#: What the programs need, and what a storage imports when it is opened.
_IMPORTED = [
    "bot.app",
    "tests.support.alerts_worker",
    "tests.support.delivery_process",
    "tests.support.junk_flood",
    "tests.support.list_process",
    "tests.support.one_stop",
    "tests.support.forked_commands",
    "tests.support.store_worker",
    "storage.sql.engine.postgresql",
    "storage.sql.engine.sqlite",
    "storage.sql.sql_store",
    "storage.tinydb.tinydb_store",
]


class ForkedProcess:
    """A process that runs `program(*arguments)`, and what it writes to its standard output."""

    def __init__(self, program: Callable[..., None], *arguments: str) -> None:
        read, write = os.pipe()
        self.stdout = os.fdopen(read, "rb")
        self._process = fork_server().Process(
            target=_run, args=(program, Descriptor(write), arguments), daemon=True
        )
        self._process.start()
        os.close(write)

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def finish(self) -> list[bytes]:
        """The lines that it wrote and that were not read yet, once it has ended."""
        with self.stdout as pipe:
            lines = pipe.read().splitlines(keepends=True)
        self._process.join()
        return lines

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode


class Descriptor:
    """A file descriptor that goes to the process with its arguments."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __getstate__(self) -> Any:
        return DupFd(self.descriptor)

    def __setstate__(self, sent: Any) -> None:
        self.descriptor = sent.detach()

    def become(self, number: int) -> None:
        """Takes the place of this one."""
        os.dup2(self.descriptor, number)
        os.close(self.descriptor)


def _run(program: Callable[..., None], output: Descriptor, arguments: Sequence[str]) -> None:
    output.become(1)
    program(*arguments)


@cache
def fork_server() -> ForkServerContext:
    context = get_context("forkserver")
    context.set_forkserver_preload(_IMPORTED)
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(_ROOT)  # the server finds the modules by it alone
    try:
        forkserver.ensure_running()
    finally:
        del os.environ["PYTHONPATH"]
        if before is not None:
            os.environ["PYTHONPATH"] = before
    return context
