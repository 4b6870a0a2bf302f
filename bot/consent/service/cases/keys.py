"""The contact's key, and the refusals that a permission has to be newer than."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.consent.activity import Entry, Kind
from bot.consent.model import AddressFacts, BlockState, By, Channel, Contact, On
from bot.consent.store import Records

#: Entries of a contact in which the latest refusal is looked for, at most.
_MOST_ENTRIES = 500


def missing_keys(facts: AddressFacts) -> Sequence[str]:
    """The senders that the contact has to text UNSTOP to, or the e-mail providers on whose list
    the address is: every one that is known to block. What is not known can't be waited for."""
    return [
        sender
        for sender, block in sorted(facts.blocks.items())
        if block.state is BlockState.BLOCKED
    ]


def unstopped(facts: AddressFacts, refused_at: datetime | None) -> datetime | None:
    """When the contact gave their key, if it was before anybody asked and nothing is missing: the
    latest lifting of a block since they refused."""
    if missing_keys(facts):
        return None
    since = [at for at in facts.cleared.values() if refused_at is None or at > refused_at]
    return max(since, default=None)


def latest_refusal(records: Records, contact: Contact, channel: Channel) -> datetime | None:
    """When the contact refused this channel last, at the present address: the refusal that
    stands, or one that was told again after it."""
    address, consent = contact.address(channel), contact.consent(channel)
    told = records.entries(
        contact=contact.id,
        kinds=(Kind.CONSENT, Kind.NOTE),
        channel=channel,
        limit=_MOST_ENTRIES,
    )
    refused = [e.occurred_at for e in told if e.address == address and is_refusal(e)]
    if consent.refused and consent.since:
        refused.append(consent.since)
    return max(refused, default=None)


def is_refusal(entry: Entry) -> bool:
    """Whether the entry tells that the contact refused, for the first time or again."""
    return entry.after == On.NO and entry.by in (By.CONTACT, By.IMPORT)
