"""Whether an address belongs on a provider's list, and whether a write to it is still wanted."""

from __future__ import annotations

from bot.consent.model import (
    AddressFacts,
    BlockState,
    Bounce,
    Channel,
    ConsentValue,
)
from bot.consent.store import Records
from bot.consent.suppressions import Cause, Listing
from bot.consent.use_cases.context import Service
from bot.consent.write_backs import WriteAction, WriteBack

#: By these the address stands on a provider's list as an opt-out, from everything.
_OPTS_OUT = frozenset({Cause.UNSUBSCRIBE, Cause.COMPLAINT, Cause.OURS})


def is_wanted(records: Records, key: str, channel: Channel) -> bool:
    """Whether the address belongs on the lists of opt-outs: somebody opted out there, and nobody
    who has it now came back."""
    opted_out = any(refusal.channel is channel for refusal in records.addresses.get(key).refusals)
    return opted_out and all(
        holder.consent(channel).on is not ConsentValue.YES for holder in records.contacts.at(key)
    )


def is_still_wished(service: Service, records: Records, write: WriteBack) -> bool:
    """Whether the reason for a write still holds: its call may come much later."""
    facts = records.addresses.get(write.key)
    if write.action is WriteAction.ADD:
        room = has_room(service, facts, write.provider)
        return room and is_wanted(records, write.key, write.channel)
    meant = Listing.of(write.listing)
    if meant.cause is Cause.BOUNCE:
        return facts.bounce is not Bounce.YES
    as_complaint = Cause.COMPLAINT in service.providers.added_as(meant.provider)
    complained = Listing(provider=meant.provider, cause=Cause.COMPLAINT).name in facts.blocks
    if meant.cause is Cause.OURS and as_complaint and complained:
        return False  # The contact complained since, and there is one entry for both.
    return not is_wanted(records, write.key, write.channel)


def has_room(service: Service, facts: AddressFacts, provider: str) -> bool:
    """Whether an opt-out of the address can be added: the provider does not have it yet, and no
    other entry in its place."""
    standing = [
        listing
        for name, block in facts.blocks.items()
        if block.state is BlockState.BLOCKED
        and not block.leaving
        and (listing := Listing.of(name)).provider == provider
        and not listing.scope
    ]
    if service.providers.has_one_entry(provider):
        return not standing
    return not any(one.cause in _OPTS_OUT for one in standing)


def channel_of(service: Service, provider: str) -> Channel:
    """Which opt-outs a provider's list is of."""
    known = service.providers.by_id.get(provider)
    return Channel.SMS if known and known.blocking_words else Channel.EMAIL
