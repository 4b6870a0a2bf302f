"""`optin activity`."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli import json_output
from bot.cli.command_session import open_service, operator
from bot.cli.find_contact import find_one
from bot.cli.status_command import Json
from bot.cli.terminal import say
from bot.cli.terminal_card import entry_line
from bot.consent import use_cases


def activity(
    contact: Annotated[
        str | None,
        typer.Argument(
            metavar="CONTACT",
            help="A phone number, an e-mail address, an id or a name; everybody unless said.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many entries.")] = 20,
) -> None:
    """Shows the Activity Log, newest first: what changed, when, by whom, from where and why.

    \b
      optin activity ana@example.com
      optin activity --json --limit 100
    """
    with open_service() as service:
        if contact is None:
            entries = use_cases.recent(service, operator(), limit=limit)
        else:
            found = find_one(service, contact).contact
            _, own = use_cases.activity(service, found.id, operator(), limit=limit)
            entries = [(entry, None) for entry in own]
    if json:
        say(json_output.dumped([json_output.entry(entry) for entry, _ in entries]))
        return
    for entry, of in entries:
        say(entry_line(entry, service.providers, of))
    if not entries:
        say("Nothing has happened yet.")
