"""`optin activity`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from bot.cli.command_session import open_service, operator
from bot.cli.find_contact import find_one
from bot.cli.status_command import Json
from bot.cli.terminal import say
from bot.cli.terminal_log import log_lines
from bot.consent import use_cases
from bot.consent.log.entries import Entry
from handlers import json_shapes


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
    every: Annotated[
        bool, typer.Option("--all", help="Each entry by itself, expected errors too.")
    ] = False,
) -> None:
    """Shows the Activity Log, newest first: what changed, when, by whom, from where and why.

    Without --all, expected errors are left out, and entries that changed nothing and say the same
    share a line. --json has every entry.

    \b
      optin activity ana@example.com
      optin activity --json --limit 100
    """
    with open_service() as service:
        found = find_one(service, contact).contact.id if contact is not None else None
        if json:
            say(json_shapes.dumped([json_shapes.entry(e) for e in _entries(service, found, limit)]))
            return
        if found is None:
            page = use_cases.recent_log(service, operator(), limit=limit, every=every)
        else:
            _, page = use_cases.contact_log(service, found, operator(), limit=limit, every=every)
        # Inside: the name of a program that uses the API is read from the storage.
        for line in page.lines:
            for text in log_lines(line, service.providers):
                say(text)
    if not page.lines:
        say("Nothing has happened yet.")


def _entries(service: use_cases.Service, contact: str | None, limit: int) -> Sequence[Entry]:
    if contact is None:
        return [entry for entry, _ in use_cases.recent(service, operator(), limit=limit)]
    _, entries = use_cases.activity(service, contact, operator(), limit=limit)
    return entries
