"""`optin erase`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bot.cli.command_session import open_service, operator
from bot.cli.find_contact import ContactText, find_one, line
from bot.cli.terminal import say
from bot.cli.usage_errors import WrongUsage
from bot.consent import use_cases


def erase(
    contact: ContactText,
    yes: Annotated[bool, typer.Option("--yes", help="Without a question.")] = False,
) -> None:
    """Erases a person for good: name, addresses, and what the Activity Log has of them. That they
    refused is kept as a hash, so that no later import brings them back.

    \b
      optin erase ana@example.com
    """
    if not yes and not sys.stdin.isatty():
        raise WrongUsage("Say --yes: here nobody can be asked.")
    with open_service() as service:
        found = find_one(service, contact).contact
        if not yes:
            say(line(found))
            typer.confirm("Erase this person? It can't be undone.", abort=True)
        use_cases.erase(service, found.id, operator())
    say(f"Erased {found.id}.")
