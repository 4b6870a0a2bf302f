"""Saying things on a terminal: what is done to stdout, what is wrong to stderr."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import typer

from bot.cli.repeated_lines import RepeatedLines
from bot.runtime.log_lines import LogLines


def say(text: str = "") -> None:
    """A line on stdout."""
    typer.echo(text)


def complain(sentence: str) -> None:
    """A sentence on stderr."""
    typer.echo(sentence, err=True)


def log_to_stderr() -> None:
    """What happens while we run, with the time. Libraries only warn: they would say more than we
    want to know of people."""
    rooms = ("bot", "handlers", "storage")
    handler = logging.StreamHandler()
    # Some of them ask for their own INFO.
    handler.addFilter(lambda line: line.levelno > logging.INFO or line.name.startswith(rooms))
    handler.addFilter(RepeatedLines())
    handler.setFormatter(LogLines("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(handlers=[handler])
    for room in rooms:
        logging.getLogger(room).setLevel(logging.INFO)


def when(at: datetime) -> str:
    """A time as people read it: "3 Nov 2026 14:02 UTC"."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %Y %H:%M} UTC"


@contextmanager
def progress_of_many() -> Iterator[Callable[[str, int, int | None], None]]:
    """The same for several things one after the other, each with what it is."""
    with ExitStack() as bars:
        shown: dict[str, Callable[[int], None]] = {}

        def done(what: str, count: int, total: int | None) -> None:
            if what not in shown:
                bars.close()
                shown[what] = bars.enter_context(progress(what, total))
            shown[what](count)

        yield done


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on stderr where that is a terminal, and nothing at all elsewhere. Gives what is to be
    told how many are done."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)
