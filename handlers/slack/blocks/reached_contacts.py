"""Whose opt-out it is: a block and an opt-out belong to the address, which others may hold too."""

from __future__ import annotations

from dataclasses import replace

from bot.consent.gates import THINGS, Code, Gate
from bot.consent.log.entries import CARRIED
from bot.consent.model import Channel, Consent, ConsentValue, Contact, Origin
from bot.consent.use_cases import Profile
from bot.consent.use_cases.alerts.readings import BY_DEADLINE

_CONTACTS = "The contact"


def whose(profile: Profile, channel: Channel, gate: Gate) -> Gate:
    """The gate, with a reason that says who opted out where it was not this contact, or where
    nobody knows which of those who share the address it was."""
    if gate.code not in (Code.CARRIER_BLOCK, Code.OPTED_OUT):
        return gate
    consent = profile.contact.consent(channel)
    if gate.code is Code.OPTED_OUT and not consent.refused:
        return gate
    others = profile.shared.get(channel, 0)
    noun = "number" if channel is Channel.SMS else "address"
    if not _held_it(profile.contact, consent, gate):
        who = f"Another contact with this {noun}" if others else f"An earlier holder of this {noun}"
    elif others and consent.by is Origin.CONTACT and not _said_to_a_person(consent):
        have = "another contact has" if others == 1 else f"{others} other contacts have"
        who = f"Somebody with this {noun}, which {have} too,"
    else:
        return gate
    if gate.code is Code.OPTED_OUT:
        return replace(gate, reason=f"{who} opted out of {THINGS[channel]}.")
    return replace(gate, reason=gate.reason.replace(_CONTACTS, who, 1))


def recorded(contact: Contact) -> list[Channel]:
    """The channels whose NO may have been recorded by mistake: all but what plainly is the
    contact's own act, or the provider's report of one. Whether it was a person or a file that
    recorded it, the use case finds out."""
    own = ("contact", "provider:")
    consents = ((channel, contact.consent(channel)) for channel in Channel)
    return [
        channel
        for channel, consent in consents
        if consent.on is ConsentValue.NO and not (consent.actor or "").startswith(own)
    ]


def _held_it(contact: Contact, consent: Consent, gate: Gate) -> bool:
    """Whether the contact had the address when it opted out. Whoever has it then is set to NO in
    the same moment; whoever gets it later is set to NO by Optin itself, or was never asked."""
    if gate.code is Code.OPTED_OUT and consent.reached:
        return False
    if gate.since is None:
        return True
    if contact.created_at is not None and gate.since < contact.created_at:
        return False
    if consent.on is ConsentValue.UNSET:
        return gate.code is not Code.CARRIER_BLOCK
    ours = (BY_DEADLINE, CARRIED)
    inherited = consent.actor == "system" and not any(r in (consent.reason or "") for r in ours)
    return not inherited


def _said_to_a_person(consent: Consent) -> bool:
    """Staff know whom they spoke with; a text or a click says only which address it came from."""
    return (consent.actor or "").startswith(("slack:", "cli:", "import:"))
