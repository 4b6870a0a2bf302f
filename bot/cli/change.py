"""`optin set`: the edit modal, in a terminal."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from bot.cli.errors import WrongUsage
from bot.cli.find import ContactText, find_one
from bot.cli.session import open_service, operator
from bot.cli.terminal import say
from bot.consent.errors import NeedsManager
from bot.consent.model import By, Channel, On
from bot.consent.service import Wish, change


class YesNo(StrEnum):
    YES = "yes"
    NO = "no"


class Whose(StrEnum):
    CONTACT = "contact"
    STAFF = "staff"


_ON = {YesNo.YES: On.YES, YesNo.NO: On.NO}


def set_(
    contact: ContactText,
    sms: Annotated[YesNo | None, typer.Option(help="SMS On.", show_default=False)] = None,
    email: Annotated[YesNo | None, typer.Option(help="Email On.", show_default=False)] = None,
    clear_bounce: Annotated[
        list[Channel] | None,
        typer.Option(
            metavar="<sms|email>",
            help="Once or twice; the next message is then the test.",
            show_default=False,
        ),
    ] = None,
    do_not_contact: Annotated[
        YesNo | None, typer.Option(help="Nothing on any channel.", show_default=False)
    ] = None,
    by: Annotated[
        Whose | None,
        typer.Option(help="Whose no it is; from the reason unless said.", show_default=False),
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option(help="Why. An opt-out needs none.", metavar="TEXT", show_default=False),
    ] = None,
    evidence: Annotated[
        str | None,
        typer.Option(
            help="What shows that the contact agreed; a YES needs it.",
            metavar="TEXT",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Changes what somebody gets from us. An opt-out is made at once; what the contact refused
    comes back only with their new permission and a manager's approval.

    \b
      optin set ana@example.com --email no --reason "Asked by phone"
      optin set "+1 415 555 0100" --sms yes --reason "Web form" \\
          --evidence "Form on example.com, 3 May 2026"
      optin set ana@example.com --clear-bounce email --reason "Typo mended"
    """
    wish = Wish(
        sms=_ON[sms] if sms else None,
        email=_ON[email] if email else None,
        clear_bounce=frozenset(clear_bounce or ()),
        do_not_contact=do_not_contact is YesNo.YES if do_not_contact else None,
        reason=reason,
        by=By(by) if by else None,
        evidence=evidence,
    )
    if not wish:
        raise WrongUsage("Say what to set, such as --sms no.")
    if not reason and wish.the_rest:
        raise WrongUsage("Say why, with --reason.")
    with open_service() as service:
        found = find_one(service, contact)
        try:
            outcome = change(service, found.contact.id, wish, operator())
        except NeedsManager as refused:
            raise NeedsManager(
                f"{refused.sentence} Ask for it with `optin case request`."
            ) from None
    for made in outcome.changes:
        say(f"{made.what}: {made.before} → {made.after}")
    if not outcome.changes:
        say("Nothing to change: it is so already.")
