"""`optin verify`."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from bot.cli.accept_loss import accept_loss
from bot.cli.command_session import open_service, operator, read_settings
from bot.cli.named_witnesses import named_witnesses, open_named
from bot.cli.terminal import complain, progress, say, when
from bot.cli.witness_agreement import agrees
from bot.consent import use_cases
from bot.consent.log.changes import Noted
from bot.consent.storage_behind import MAY_BE_NEW, behind_of
from bot.consent.use_cases import Service
from bot.consent.use_cases.log_tree import forget_tree, grow_tree
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
    accept_rollback: Annotated[
        bool,
        typer.Option(
            "--accept-rollback",
            help="Go on with an older copy of the storage, where the newest one is lost for good. "
            "Optin then asks the providers what it missed.",
        ),
    ] = False,
    witness: Annotated[
        list[str] | None,
        typer.Option(
            "--witness",
            metavar="W",
            help="Compare with the heads that a witness remembers: a file, one of OPTIN_WITNESSES "
            "by its name there, or all of these.",
        ),
    ] = None,
    rebuild_tree: Annotated[
        bool,
        typer.Option(
            "--rebuild-tree",
            help="Compute the stored roots of the log's tree anew, once the log itself holds.",
        ),
    ] = False,
) -> None:
    """Checks that the Activity Log is whole, and that every contact is what the log says. The
    hash key has to be the one that the storage was used with.

    Keep the number and the hash that it prints elsewhere: with them, even a log that was cut off
    at its end is found out. A witness does that by itself.

    \b
      optin verify
      optin verify --witness /mnt/elsewhere/log-heads.txt
      optin verify --witness all
    """
    settings = read_settings()
    compared = named_witnesses(settings, witness or ())
    if accept_new_key:
        _accept_new_key()
    with open_service(settings, quiet=True) as service:
        with service.store.reading() as records:
            total, _ = records.log.head()
        if rebuild_tree:
            forget_tree(service)
        with progress("Verifying", total) as done:
            verdict = use_cases.verify(service, progress=done)
        if verdict.problem:
            complain(verdict.problem)
            raise typer.Exit(1)
        if accept_rollback:
            verdict = accept_loss(settings, service, compared)
        hold = "1 entry holds" if verdict.entries == 1 else f"{verdict.entries:,} entries hold"
        say(f"{hold}. The newest one's hash is {verdict.head}.")
        if rebuild_tree:
            say(f"The roots of {grow_tree(service):,} groups of entries are stored anew.")
        agree = [agrees(service, one) for one in open_named(settings, service, compared)]
        has_it = _has_all(service)
    if not (all(agree) and has_it):
        raise typer.Exit(1)


def _has_all(service: Service) -> bool:
    """Whether the storage has all that the head file and the witnesses remember."""
    with service.store.reading() as records:
        behind = behind_of(service.heads, records.key_value)
    if behind is None:
        return True
    complain(
        f"The storage went back to an older copy, or lost its end: {behind.where} remembers "
        f"entry {behind.size:,} of {when(behind.at)}. Put the newest copy back, or accept the "
        "loss with `optin verify --accept-rollback`. Until then no answer is yes."
        + (f" {MAY_BE_NEW}" if behind.may_be_new else "")
    )
    return False


def _accept_new_key() -> None:
    settings = read_settings()
    with closing(open_store(settings.storage)) as store:
        settings.accept_hash_key(store)
    actor = operator()
    with open_service() as service, service.store.transaction() as records:
        Recorder(
            service=service, records=records, actor=actor.id, source=actor.source, now=service.now()
        ).record(None, Noted(reason="Accepted a new hash key: older hashes are not found any more"))
