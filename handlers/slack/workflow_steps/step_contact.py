"""Whom a step is about, and on which channel, out of its inputs."""

from __future__ import annotations

from collections.abc import Sequence

from bot.consent.errors import Invalid
from bot.consent.model import Channel, Contact
from bot.consent.parsing import fold
from bot.consent.use_cases import Found, Profile, find
from handlers.slack.doors.message_addresses import addresses_in
from handlers.slack.workflow_steps.step_request import StepRequest

CONTACT, CHANNEL = "contact", "channel"
_EMPTY = "The input Channel is empty. Write SMS or Email in it."
_MOST = 100

#: What is read of the input `channel`.
_CHANNELS = {
    "sms": Channel.SMS,
    "text": Channel.SMS,
    "texts": Channel.SMS,
    "email": Channel.EMAIL,
    "e-mail": Channel.EMAIL,
    "emails": Channel.EMAIL,
    "e-mails": Channel.EMAIL,
    "mail": Channel.EMAIL,
}


def contact_text(request: StepRequest) -> str:
    """The one address in the input `contact`, or its words. Raises `Invalid`."""
    text = request.text(CONTACT)
    if not text:
        raise Invalid(
            "The input Contact is empty. It needs a phone number, an e-mail address, or the whole "
            "name of a contact."
        )
    service = request.consent
    given = {"text": request.inputs[CONTACT]}
    addresses = addresses_in(given, service.region, service.read_email).addresses
    if len(addresses) > 1:
        raise Invalid("The input Contact has several addresses. A step is about one contact.")
    return addresses[0] if addresses else text


def look_for(request: StepRequest, text: str) -> Found:
    """All whom the text may be about."""
    return find(request.consent, text, request.actor, limit=_MOST)


def exactly(found: Found, text: str) -> Sequence[Profile]:
    """Those who have this address, or whose whole name or id this is: part of a name may be
    anybody's. Raises `Invalid` for what looks like an address and is none."""
    if found.phone or found.email:
        return found.contacts
    named = [
        one
        for one in found.contacts
        if fold(one.contact.name) == fold(text) or one.contact.id == text
    ]
    if not named and found.problem:
        raise Invalid(found.problem)
    return named


def several(profiles: Sequence[Profile]) -> Invalid:
    """What to raise where more than one fits."""
    return Invalid(
        f"{len(profiles)} contacts fit the input Contact. Use the phone number for SMS, or the "
        "e-mail address for Email."
    )


def contact_of(request: StepRequest) -> Contact:
    """The one contact, to whom something is done. Raises `Invalid`."""
    text = contact_text(request)
    found = exactly(look_for(request, text), text)
    if not found:
        raise Invalid("Optin has no such contact. Look them up with Optin, and add them first.")
    if len(found) > 1:
        raise several(found)
    return found[0].contact


def channel_of(text: str) -> Channel | None:
    """None where nothing is said. Raises `Invalid`."""
    if not text:
        return None
    channel = _CHANNELS.get(text.casefold())
    if channel is None:
        raise Invalid("The input Channel is neither SMS nor Email.")
    return channel


def own_channel(found: Found) -> Channel | None:
    """Of the address that was given."""
    return Channel.SMS if found.phone else Channel.EMAIL if found.email else None


def channels_of(request: StepRequest) -> Sequence[Channel]:
    """The channel that is said, or that of the address; or both. Raises `Invalid`."""
    said = request.text(CHANNEL)
    if said.casefold() == "both":
        return tuple(Channel)
    channel = channel_of(said) or own_channel(look_for(request, contact_text(request)))
    if channel is None:
        raise Invalid(_EMPTY)
    return (channel,)
