"""`optin evidence`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.command_session import open_service, operator, read_settings
from bot.cli.find_contact import ContactText, find_one
from bot.cli.private_file import write_new_private
from bot.cli.terminal import complain, say
from bot.cli.usage_errors import WrongUsage
from bot.consent.use_cases.migrate import VERSION
from bot.runtime.witness_jobs import open_witnesses
from handlers.evidence_pack.make_pack import make_pack
from handlers.evidence_pack.pack_reader import PackReader
from handlers.evidence_pack.pack_witnesses import publish_head


def evidence(
    contact: ContactText,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            metavar="FILE.zip",
            help="Write to this new file. Without it, to a file here that names nobody.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Makes an evidence pack: what Optin knows of a contact, with each change that led there, as a
    report for people and as files that prove that nothing was changed since.

    Others check it with Python alone: `python verify.py PACK.zip`, with the verify.py in the zip.
    The Activity Log records that the pack was made.

    \b
      optin evidence ana@example.com
      optin evidence "+1 415 555 0100" --output ana.zip
    """
    if output and not output.parent.is_dir():
        raise WrongUsage(f"There is no folder {output.parent}.")
    if output and output.is_dir():
        raise WrongUsage(f"{output} is a folder. Name a file.")
    if output and os.path.lexists(output):
        raise _not_new(output)
    settings = read_settings()
    with open_service(settings) as service:
        found = find_one(service, contact).contact
        actor = operator()
        reader = PackReader(providers=service.providers, version=VERSION, actor=actor.id, here=True)
        witnesses = open_witnesses(settings, service)
        pack = make_pack(service, found.id, actor, reader, witnesses)
        path = output or Path(pack.name)
        try:
            write_new_private(path, pack.content)
        except FileExistsError:
            raise _not_new(path) from None
        say(f"Wrote {path}.")
        done, failed = publish_head(witnesses, pack.head)
    for name in done:
        say(f"{name} has the head of this pack.")
    for sentence in failed:
        complain(sentence)


def _not_new(path: Path) -> WrongUsage:
    return WrongUsage(f"{path} is there already. Name a new file.")
