"""`optin status --at`: a contact as of a moment in the past."""

from __future__ import annotations

from datetime import datetime

from bot.cli.command_session import operator
from bot.cli.find_contact import Nobody, find_one, line
from bot.cli.terminal import say, when
from bot.cli.terminal_card import answer, card
from bot.cli.usage_errors import WrongUsage
from bot.consent.addresses import key_of
from bot.consent.errors import Invalid, NotFound, Refused
from bot.consent.model import Channel
from bot.consent.rules import RULES_VERSION
from bot.consent.use_cases import Found, Service
from bot.consent.use_cases.look_up import read_address
from bot.consent.use_cases.time_travel import (
    PastProfile,
    TimeBasis,
    holders_at,
    profile_at,
    unheld_at,
)
from handlers.json_shapes import dumped, instant, unheld
from handlers.json_shapes import nobody as nobody_shape
from handlers.json_shapes import status as status_shape
from handlers.past_times import TODAYS, as_of, read_past_time


def past_status(service: Service, text: str, at: str, by: TimeBasis, *, json: bool) -> None:
    """Prints the contact as of that time. An address means whoever had it then; where nobody had,
    whoever has it now. Raises `WrongUsage`, `NotFound` and `Refused`."""
    try:
        moment = read_past_time(at, service.now())
    except Invalid as wrong:
        raise WrongUsage(wrong.sentence) from None
    about = {"at": instant(moment), "by": by, "rules_version": RULES_VERSION}
    phone, email, _ = read_address(service, text)
    address = phone or email
    try:
        past = _found(service, text, address, moment, by)
    except Nobody:
        if address:
            facts = unheld_at(service, address, moment, operator(), by=by)
            known = Found(contacts=(), phone=phone, email=email, facts=facts)
            if json:
                say(dumped(nobody_shape(known) | about))
            elif facts:
                say(as_of(when(moment), by))
                say(TODAYS)
                for told in answer(unheld(known), Channel.SMS if phone else Channel.EMAIL):
                    say(told)
        raise
    if json:
        say(dumped(status_shape(past.profile) | about))
        return
    say(as_of(when(past.at), past.by))
    say(TODAYS)
    contact = past.profile.contact
    if address and key_of(address) not in contact.keys:
        say(f"The contact did not have {address} then.")
    say()
    for told in card(past.profile):
        say(told)


def _found(
    service: Service, text: str, address: str | None, at: datetime, by: TimeBasis
) -> PastProfile:
    held = holders_at(service, address, at, operator(), by=by) if address else []
    if len(held) > 1:
        listed = "\n".join(f"  {line(contact)}" for contact in held)
        raise Refused(
            f"{len(held):,} contacts had this address then: name the one by its id.\n{listed}"
        )
    if held:
        return profile_at(service, held[0].id, at, operator(), by=by)
    try:
        id = find_one(service, text).contact.id
    except Nobody:
        try:
            # Somebody who was removed or merged since is in no list, and still has an id.
            return profile_at(service, text.strip(), at, operator(), by=by)
        except NotFound:
            pass
        raise
    return profile_at(service, id, at, operator(), by=by)
