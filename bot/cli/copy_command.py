"""`optin copy`."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from bot.cli.command_session import read_settings
from bot.cli.terminal import progress_of_many, say
from bot.cli.usage_errors import WrongUsage
from bot.config import hash_key
from bot.config.settings import Settings
from bot.consent.store import Store
from bot.consent.use_cases.copy_storage import Copied, is_half_a_copy
from bot.consent.use_cases.copy_storage import copy as copy_all
from bot.consent.use_cases.migrate import is_outdated
from bot.runtime.open_service import OUTDATED
from storage import open_store


def copy(
    to: Annotated[
        str, typer.Option("--to", metavar="URL", help="An empty storage.", show_default=False)
    ],
) -> None:
    """Copies everything into another, empty storage: contacts, the Activity Log as it is, and what
    is still to be told. Stop Optin first. What was interrupted is done by the same command again.

    \b
      optin copy --to sqlite:///data/optin.db
      optin copy --to postgresql://optin:secret@db.example.com/optin

    Then set OPTIN_STORAGE to the new one. The old one stays as it is.
    """
    settings = read_settings()
    if to == settings.storage:
        raise WrongUsage("That is the storage itself. Name another one, an empty one.")
    new = settings.moved(to)
    with closing(open_store(settings.storage)) as source, closing(open_store(to)) as target:
        if is_outdated(source):
            raise WrongUsage(OUTDATED)
        if is_half_a_copy(source):
            raise WrongUsage("OPTIN_STORAGE is half a copy itself.")
        key = settings.hash_key(source)
        with progress_of_many() as done:
            copied = copy_all(
                source,
                target,
                but=[hash_key.MARK],
                begun=lambda: hand_over(key, new, target),
                progress=done,
            )
    say_copied("Copied and compared", copied, "there as here")


def hand_over(key: bytes, new: Settings, target: Store) -> None:
    """Gives the new storage the hash key: without it, what erased people refused would not be known
    any more."""
    if new.given_hash_key:
        return
    if new.hash_key_path is None:
        with target.transaction() as records:
            records.key_value.put(hash_key.MARK, key.decode())
        return
    try:
        hash_key.write(new.hash_key_path, key)
    except ValueError as error:
        raise WrongUsage(f"{error}. Remove it: there is an empty storage beside it.") from None


def say_copied(done: str, copied: Copied, same: str) -> None:
    """What a person reads at the end: `done` is what was done, `same` where the hash is the
    same."""
    say(f"{done} {copied.contacts:,} contacts and {copied.entries:,} log entries.")
    say(f"The newest entry's hash is {copied.head}, {same}.")
    say("Set OPTIN_STORAGE to the new storage, and start Optin.")
