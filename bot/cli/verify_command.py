"""`optin verify`."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from bot.cli.command_session import open_service, operator, read_settings
from bot.cli.terminal import complain, progress, say
from bot.consent import use_cases
from bot.consent.log.changes import Noted
from bot.consent.use_cases.record import Recorder
from storage import open_store


def verify(
    accept_new_key: Annotated[
        bool,
        typer.Option(
            "--accept-new-key",
            help="Go on with the present hash key, where the right one is lost for good. Optin "
            "then forgets that erased people opted out.",
        ),
    ] = False,
) -> None:
    """Checks that the Activity Log is whole, and that every contact is what the log says. The
    hash key has to be the one that the storage was used with.

    Keep the number and the hash that it prints elsewhere: with them, even a log that was cut off
    at its end is found out.
    """
    if accept_new_key:
        _accept_new_key()
    with open_service() as service:
        with service.store.reading() as records:
            total, _ = records.log.head()
        with progress("Verifying", total) as done:
            verdict = use_cases.verify(service, progress=done)
    if verdict.problem:
        complain(verdict.problem)
        raise typer.Exit(1)
    say(f"{verdict.entries:,} entries hold. The newest one's hash is {verdict.head}.")


def _accept_new_key() -> None:
    settings = read_settings()
    with closing(open_store(settings.storage)) as store:
        settings.accept_hash_key(store)
    actor = operator()
    with open_service() as service, service.store.transaction() as records:
        Recorder(records=records, actor=actor.id, source=actor.source, now=service.now()).record(
            None, Noted(reason="Accepted a new hash key: older hashes are not found any more")
        )
