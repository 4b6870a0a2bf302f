"""`optin verify`."""

from __future__ import annotations

import typer

from bot.cli.session import open_service
from bot.cli.terminal import complain, progress, say
from bot.consent import service as use_cases


def verify() -> None:
    """Checks that the Activity Log is whole, and that every contact is what the log says.

    Keep the number and the hash that it prints elsewhere: with them, even a log that was cut off
    at its end is found out.
    """
    with open_service() as service:
        with service.store.reading() as records:
            total, _ = records.head()
        with progress("Verifying", total) as done:
            verdict = use_cases.verify(service, progress=done)
    if verdict.problem:
        complain(verdict.problem)
        raise typer.Exit(1)
    say(f"{verdict.entries:,} entries hold. The newest one's hash is {verdict.head}.")
