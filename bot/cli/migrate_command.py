"""`optin migrate`."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.command_session import read_settings
from bot.cli.terminal import progress, say
from bot.consent.use_cases.migrate import ChangedAnswer, Migration, is_outdated
from bot.consent.use_cases.migrate import migrate as bring
from bot.runtime.open_service import open_service
from handlers.slack.blocks.formatting import shown


def migrate(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list the answers that would change.")
    ] = False,
) -> None:
    """Brings a storage of an earlier version to this one. Stop Optin first.

    \b
      optin migrate --dry-run    every answer that would change, with its reason
      optin migrate              copies the storage, then changes it

    TinyDB and SQLite files are copied beside the storage first; back a PostgreSQL database up
    yourself. Nothing of the Activity Log changes: each contact whose answer is another one gets an
    entry that says why. An older Optin refuses the storage afterwards.
    """
    settings = read_settings()
    with open_service(settings, outdated=True) as service:
        if not is_outdated(service.store):
            say("The storage is of this version already. Nothing to do.")
            return
        with progress("Reading the log", None) as done:
            result = bring(service, dry_run=dry_run, progress=done)
        if not dry_run:
            settings.hash_key(service.store)  # from now on the storage knows its key
    for one in result.changed:
        say(_line(one))
    say(_summary(result, dry_run))


def _line(one: ChangedAnswer) -> str:
    who = shown(one.contact.name) or one.contact.id
    return f"{who} · {one.channel.word} · {one.before} → {one.after} · {shown(one.reason, 400)}"


def _summary(result: Migration, dry_run: bool) -> str:
    count = len(result.changed)
    answers = "No answer" if not count else "1 answer" if count == 1 else f"{count:,} answers"
    looked = f"{result.contacts:,} contact{'s were' if result.contacts != 1 else ' was'} looked at."
    if dry_run:
        return f"{answers} would change. {looked} Nothing was changed."
    changed = f"{answers} {'has' if count < 2 else 'have'} changed. {looked}"
    kept = f" The storage as it was is in {result.copied_to}." if result.copied_to else ""
    return changed + kept
