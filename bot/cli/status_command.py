"""`optin status`."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.command_session import open_service, operator
from bot.cli.find_contact import ContactText, Nobody, find_one
from bot.cli.json_output import dumped, unheld
from bot.cli.json_output import nobody as nobody_shape
from bot.cli.json_output import status as status_shape
from bot.cli.terminal import say
from bot.cli.terminal_card import answer, card
from bot.consent.model import Channel
from bot.consent.use_cases import Found, contact_log, profile

Json = Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")]


def status(contact: ContactText, json: Json = False) -> None:
    """Shows whether somebody gets our messages, why not, and who can change that.

    \b
      optin status "+1 415 555 0100"
      optin status ana@example.com --json
    """
    with open_service() as service:
        try:
            found = find_one(service, contact)
        except Nobody as nobody:
            _tell_what_is_known(nobody.found, json)
            raise
        if json:
            say(dumped(status_shape(found)))
            return
        _, log = contact_log(service, found.contact.id, operator(), limit=5)
        for line in card(profile(service, found.contact.id, operator()), log.lines):
            say(line)


def _tell_what_is_known(found: Found, json: bool) -> None:
    if json:
        say(dumped(nobody_shape(found)))
    elif found.facts:
        for line in answer(unheld(found), Channel.SMS if found.phone else Channel.EMAIL):
            say(line)
