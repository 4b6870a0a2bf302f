"""`optin status`."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.command_session import open_service, operator
from bot.cli.find_contact import ContactText, Nobody, find_one
from bot.cli.status_at import past_status
from bot.cli.terminal import say
from bot.cli.terminal_card import answer, card
from bot.cli.usage_errors import WrongUsage
from bot.consent.model import Channel
from bot.consent.use_cases import Found, contact_log, profile
from bot.consent.use_cases.time_travel import TimeBasis
from handlers.json_shapes import dumped, unheld
from handlers.json_shapes import nobody as nobody_shape
from handlers.json_shapes import status as status_shape

Json = Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")]


def status(
    contact: ContactText,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="The answer as of this time. A time without a zone is UTC, and a date is the end "
            "of that day.",
            show_default=False,
        ),
    ] = None,
    by: Annotated[
        TimeBasis | None,
        typer.Option(
            "--by",
            help="With --at. recorded: what Optin had recorded by then (the default). happened: "
            "what had happened by then, also where Optin learned of it later.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Shows whether somebody gets our messages, why not, and who can change that.

    \b
      optin status "+1 415 555 0100"
      optin status ana@example.com --json
      optin status ana@example.com --at 2026-03-03T12:00

    An answer about the past applies today's rules, and names their version.
    """
    if by is not None and at is None:
        raise WrongUsage("--by needs --at: it says how an answer about the past is made.")
    with open_service() as service:
        if at is not None:
            past_status(service, contact, at, by or TimeBasis.RECORDED, json=json)
            return
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
