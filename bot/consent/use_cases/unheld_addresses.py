"""Addresses that nobody has: what is known of them all the same (rules.md §2)."""

from __future__ import annotations

from typing import Protocol

from bot.consent.addresses import key_of
from bot.consent.frozen import replace
from bot.consent.model import AddressFacts, Bounce, Channel, Consent, ConsentValue, Contact, Origin
from bot.consent.use_cases.context import Service


class FactsByAddress(Protocol):
    """What is known of addresses, now or at another time."""

    def get(self, address: str) -> AddressFacts:
        """The facts; empty ones where nothing is known."""
        ...


def known_of(service: Service, addresses: FactsByAddress, address: str) -> AddressFacts | None:
    """What is kept of the address, as whoever appears with it would get it; None where nothing
    is."""
    facts = addresses.get(key_of(address))
    for name in service.hashes(facts.address):
        kept = addresses.get(name)
        facts = replace(
            facts,
            refusals=(*facts.refusals, *kept.refusals),
            blocks={**kept.blocks, **facts.blocks},
            cleared={**kept.cleared, **facts.cleared},
            hold=facts.hold or kept.hold,
        )
        if facts.bounce is Bounce.NO:
            facts = replace(
                facts,
                bounce=kept.bounce,
                bounced_at=kept.bounced_at,
                bounce_reason=kept.bounce_reason,
                complaint=kept.complaint,
            )
    return None if facts == AddressFacts(address=facts.address) else facts


def as_if_held(address: str, channel: Channel, facts: AddressFacts | None) -> Contact:
    """A contact who has nothing but this address, and what was refused there."""
    consents = {}
    if facts is not None and facts.refusal:
        consents[key_of(address)] = Consent(
            on=ConsentValue.NO, by=Origin.CONTACT, since=facts.refusal.since
        )
    sms = channel is Channel.SMS
    return Contact(
        id="",
        phone=address if sms else None,
        email=None if sms else address,
        consents=consents,
    )
