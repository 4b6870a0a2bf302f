"""The contact's key, and the refusals that a permission has to be newer than."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.consent.addresses import key_of
from bot.consent.log.entries import TAKES_BACK, EntryKind, act_of, covers, is_refusal
from bot.consent.model import AddressFacts, BlockState, Channel, Contact
from bot.consent.senders import Senders
from bot.consent.store import Records

#: Entries of a contact in which the latest refusal is looked for, at most.
_MOST_ENTRIES = 500


def missing_keys(facts: AddressFacts, channel: Channel, senders: Senders) -> Sequence[str]:
    """The names of blocks that the contact's UNSTOP has to lift: every one that is known and still
    counts. What is not known can't be waited for, and an e-mail provider's list is the operator's.
    """
    if channel is not Channel.SMS:
        return []
    return [
        name
        for name, block in sorted(facts.blocks.items())
        if block.state is BlockState.BLOCKED and not senders.is_retired(name, block)
    ]


def unstopped(
    facts: AddressFacts, channel: Channel, senders: Senders, refused_at: datetime | None
) -> datetime | None:
    """When the contact gave their key, if it was before anybody asked and nothing is missing: the
    latest lifting of a block since they refused."""
    if missing_keys(facts, channel, senders):
        return None
    since = [at for at in facts.cleared.values() if refused_at is None or at > refused_at]
    return max(since, default=None)


def latest_refusal(records: Records, contact: Contact, channel: Channel) -> datetime | None:
    """When the contact refused this channel last, at the present address: the refusal that
    stands, or one that was told again after it."""
    key, consent = contact.key(channel), contact.consent(channel)
    told = records.log.entries(
        contact=contact.id,
        kinds=(EntryKind.CONSENT, EntryKind.NOTE),
        channel=channel,
        limit=_MOST_ENTRIES,
    )
    taken = {str(back[1]) for e in told if (back := (e.changes or {}).get(TAKES_BACK))}
    refused = [
        e.occurred_at
        for e in told
        if is_refusal(e)
        and key_of(e.address or "") == key
        and not any(covers(one, act_of(e)) for one in taken)
    ]
    if consent.refused and consent.since:
        refused.append(consent.since)
    if key:
        # What others refused at this address counts for whoever has it.
        refused += [refusal.since for refusal in records.addresses.get(key).refusals]
    return max(refused, default=None)
