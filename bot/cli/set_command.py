"""`optin set`: the edit modal, in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from bot.cli.command_session import open_service, operator
from bot.cli.find_contact import ContactText, find_one
from bot.cli.terminal import say
from bot.cli.terminal_card import answer
from bot.cli.usage_errors import WrongUsage
from bot.consent.errors import NeedsManager
from bot.consent.model import Channel, ConsentValue, Origin
from bot.consent.use_cases import (
    Service,
    StatusChange,
    StatusUpdate,
    change,
    profile,
    removed_at_provider,
)
from bot.consent.use_cases import take_back as take_it_back
from handlers.slack.blocks.formatting import shown


class YesNo(StrEnum):
    """The two answers that a person can set. Never asked (`unset`) is not one of them."""

    YES = "yes"
    NO = "no"


class Whose(StrEnum):
    """Whose NO it is. Staff may turn their own NO back to YES without a manager (rules.md §6)."""

    CONTACT = "contact"
    STAFF = "staff"


_ON = {YesNo.YES: ConsentValue.YES, YesNo.NO: ConsentValue.NO}


def set_(
    contact: ContactText,
    sms: Annotated[YesNo | None, typer.Option(help="SMS On.", show_default=False)] = None,
    email: Annotated[YesNo | None, typer.Option(help="Email On.", show_default=False)] = None,
    clear_bounce: Annotated[
        list[Channel] | None,
        typer.Option(
            metavar="<sms|email>",
            help="Clear a bounce. The next message is the test. You can give this twice.",
            show_default=False,
        ),
    ] = None,
    do_not_contact: Annotated[
        YesNo | None, typer.Option(help="Send nothing on any channel.", show_default=False)
    ] = None,
    by: Annotated[
        Whose | None,
        typer.Option(help="Whose NO it is. By default, the reason decides.", show_default=False),
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option(help="Why. An opt-out needs none.", metavar="TEXT", show_default=False),
    ] = None,
    evidence: Annotated[
        str | None,
        typer.Option(
            help="What shows that the contact agreed, which a YES needs, or that a bounced address "
            "works. For a bounce, the reason counts where you give no evidence.",
            metavar="TEXT",
            show_default=False,
        ),
    ] = None,
    removed_at: Annotated[
        str | None,
        typer.Option(
            help="You removed the e-mail address from this provider's suppression list.",
            metavar="PROVIDER",
            show_default=False,
        ),
    ] = None,
    take_back: Annotated[
        Channel | None,
        typer.Option(
            metavar="<sms|email>",
            help="Take back the newest NO, recorded by mistake. Not what the contact did.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Changes what a contact gets from us. An opt-out takes effect at once. If the contact asked
    for it, it reaches everybody with that address. To opt them in again, you need their new
    permission and a manager's approval.

    \b
      optin set ana@example.com --email no --reason "Asked by phone"
      optin set "+1 415 555 0100" --sms yes --reason "Web form" \\
          --evidence "Form on example.com, 3 May 2026"
      optin set ana@example.com --clear-bounce email --reason "Typo fixed"
      optin set ana@example.com --removed-at sendgrid
      optin set ana@example.com --take-back email --reason "Meant for another Ana"
    """
    wish = StatusUpdate(
        sms=_ON[sms] if sms else None,
        email=_ON[email] if email else None,
        clear_bounce=frozenset(clear_bounce or ()),
        do_not_contact=do_not_contact is YesNo.YES if do_not_contact else None,
        reason=reason,
        by=Origin(by) if by else None,
        evidence=evidence,
    )
    alone = [removed_at is not None, take_back is not None, bool(wish.the_rest or wish.opt_outs)]
    if sum(alone) > 1:
        raise WrongUsage("Give --removed-at or --take-back in a command of its own.")
    if not any(alone):
        raise WrongUsage("Say what to set, such as --sms no.")
    if not reason and (wish.the_rest or take_back):
        raise WrongUsage("Say why, with --reason.")
    with open_service() as service:
        id = find_one(service, contact).contact.id
        if removed_at is not None:
            _removed(service, id, removed_at)
        elif take_back is not None:
            _took_back(service, id, take_back, reason or "")
        else:
            _changed(service, id, wish)


def _changed(service: Service, id: str, wish: StatusUpdate) -> None:
    try:
        outcome = change(service, id, wish, operator())
    except NeedsManager as refused:
        raise NeedsManager(f"{refused.sentence} Ask for it with `optin case request`.") from None
    _tell(outcome.changes, "Nothing to change: it is so already.")


def _removed(service: Service, id: str, provider: str) -> None:
    listed = service.providers.id_of(provider)
    removed_at_provider(service, id, listed, operator())
    say(f"Recorded: removed at {service.providers.label(listed.partition('/')[0])}.")
    for line in answer(profile(service, id, operator()), Channel.EMAIL):
        say(line)


def _took_back(service: Service, id: str, channel: Channel, reason: str) -> None:
    outcome = take_it_back(service, id, channel, operator(), reason=reason)
    _tell(
        outcome.changes,
        f"The record is taken back. {channel.word} On stays "
        f"{outcome.contact.consent(channel).on}: something else says so, too.",
    )


def _tell(changes: Sequence[StatusChange], nothing: str) -> None:
    for made in changes:
        say(f"{made.what}: {made.before} → {made.after}")
        if made.also:
            names = ", ".join(shown(name) for name in made.also)
            say(f"  The same for everybody with this address: {names}")
    if not changes:
        say(nothing)
