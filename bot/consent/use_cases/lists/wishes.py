"""What Optin wants of the providers' lists, after an entry of the log: stored in the same
transaction, for the worker (`writes.py`).

An opt-out of an e-mail address is added. What a completed case brings back, a cleared bounce and an
opt-out that was a mistake are taken off.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.consent.addresses import HASH
from bot.consent.frozen import replace
from bot.consent.log.changes import BlockChanged
from bot.consent.log.entries import Entry
from bot.consent.model import (
    AddressFacts,
    BlockState,
    Channel,
    Contact,
)
from bot.consent.store import Records
from bot.consent.suppressions import Cause, Listing
from bot.consent.use_cases.lists.bounce_source import bounce_source
from bot.consent.use_cases.lists.leaving_entries import ChangeLog, mark_leaving, record_on_holders
from bot.consent.use_cases.lists.list_records import list_state
from bot.consent.use_cases.lists.wanted_entries import channel_of, has_room, is_wanted
from bot.consent.write_backs import ECHO_WITHIN, OPEN, WriteAction, WriteBack, WriteState

#: Entries that a re-opt-in takes off, where the provider's own statement allows it.
_OF_CASES = frozenset({Cause.UNSUBSCRIBE, Cause.OURS, Cause.UNKNOWN})


def opted_out(log: ChangeLog, entry: Entry, before: AddressFacts, after: AddressFacts) -> None:
    """After each entry that may have given the address an opt-out: adds it to the lists."""
    if after.refusals is before.refusals or after.address.startswith(HASH):
        return
    if all(refusal in before.refusals for refusal in after.refusals):
        return
    add_opt_out(log, after, entry.channel or Channel.EMAIL, entry.id, shown=entry.address)


def add_opt_out(
    log: ChangeLog,
    facts: AddressFacts,
    channel: Channel,
    cause: str,
    *,
    only: str | None = None,
    shown: str | None = None,
) -> int:
    """Wants the address on the list of every provider that takes opt-outs of this channel and does
    not have it, or on that of this one alone. How many that is. `shown` is the address in full,
    where its key may lack a digit of a phone number."""
    wished = 0
    for provider in log.service.providers.adding:
        if only not in (None, provider) or channel_of(log.service, provider) is not channel:
            continue
        if not has_room(log.service, facts, provider):
            continue
        name = Listing(provider=provider, cause=Cause.OURS).name
        known = log.records.write_backs.get(f"{name}:{facts.address}")
        if known is None or known.action is not WriteAction.ADD or known.state not in OPEN:
            wish = _wish(log, known, facts.address, name, channel)
            written = shown if shown and channel is Channel.SMS else facts.address
            log.records.write_backs.put(replace(wish, cause=cause, address=written))
            wished += 1
    return wished


def re_opted_in(log: ChangeLog, key: str) -> None:
    """After a completed case for e-mail: takes the address off the lists that keep it for an
    opt-out."""
    names = [
        name
        for name in log.records.addresses.get(key).blocks
        if (listing := Listing.of(name)).cause in _OF_CASES
        and listing.cause in log.service.providers.removes(listing.provider)
    ]
    _take_off(log, key, [*names, *_own_adds(log, key)])


def opt_out_taken_back(log: ChangeLog, key: str, channel: Channel) -> None:
    """After an opt-out turned out to be a mistake: what Optin itself added for it goes. Nothing
    else does: who else put the address there, nobody has said."""
    if not log.service.providers.adding or key.startswith(HASH):
        return
    if not is_wanted(log.records, key, channel):
        _take_off(log, key, _own_adds(log, key), channel)


def bounce_cleared(log: ChangeLog, contact: Contact, key: str) -> None:
    """After a person cleared a bounce: the providers' bounce entries go. Where Optin knows of none,
    it looks: the provider that told of the bounce, or all of them, may keep one."""
    providers = log.service.providers
    mine = [id for id in providers.by_id if Cause.BOUNCE in providers.removes(id)]
    if not mine:
        return
    blocks = log.records.addresses.get(key).blocks
    known = [name for name in blocks if Listing.of(name).cause is Cause.BOUNCE]
    told_by = bounce_source(log.records, contact, key)
    looks = [told_by] if told_by is not None and told_by in providers.by_id else mine
    have = {Listing.of(name).provider for name in known}
    perhaps = [Listing(provider=id, cause=Cause.BOUNCE).name for id in looks if id not in have]
    names = [name for name in (*known, *perhaps) if Listing.of(name).provider in mine]
    _take_off(log, key, names)


def add_again(log: ChangeLog, key: str, provider: str) -> None:
    """After the one entry of an address went, which stood in place of its opt-out: adds that."""
    if not log.service.providers.has_one_entry(provider):
        return
    if not is_wanted(log.records, key, Channel.EMAIL):
        return
    ours = Listing(provider=provider, cause=Cause.OURS).name
    block = log.records.addresses.get(key).blocks.get(ours)
    if block is not None:
        label = log.service.providers.label(provider)
        change = BlockChanged(
            sender=ours,
            before=block.state,
            after=BlockState.NONE,
            reason=f"No longer on {label}'s list",
        )
        record_on_holders(log, key, change)
    add_opt_out(
        log, log.records.addresses.get(key), Channel.EMAIL, newest(log.records), only=provider
    )


def _own_adds(log: ChangeLog, key: str) -> Iterable[str]:
    """What Optin added for this address, or may have."""
    for write in log.records.write_backs.of(key):
        added = write.action is WriteAction.ADD and write.state is not WriteState.DROPPED
        if added and (write.added_at or write.state in OPEN):
            yield write.listing


def _take_off(
    log: ChangeLog, key: str, names: Iterable[str], channel: Channel = Channel.EMAIL
) -> None:
    cause = newest(log.records)
    for name in dict.fromkeys(names):
        known = log.records.write_backs.get(f"{name}:{key}")
        block = log.records.addresses.get(key).blocks.get(name)
        stands_there = block is not None and (block.leaving or block.state is BlockState.BLOCKED)
        if known is not None and _was_never_sent(known) and not stands_there:
            log.records.write_backs.put(replace(known, state=WriteState.DROPPED, token=""))
            continue
        if channel is not Channel.EMAIL:
            continue  # An SMS block is lifted by the contact alone.
        waits = known is not None and known.state is WriteState.WAITING
        if known is None or known.action is WriteAction.ADD or not waits:
            wish = _wish(log, known, key, name, channel)
            log.records.write_backs.put(replace(wish, action=WriteAction.REMOVE, cause=cause))
        else:
            log.records.write_backs.put(replace(known, cause=cause, wished_at=log.now))
        provider = Listing.of(name).provider
        if list_state(log.records.key_value, provider).confirmed:
            mark_leaving(log, key, name, leaving=True)


def _was_never_sent(write: WriteBack) -> bool:
    """Of an ADD: whether no call was made for it, nor for an older wish."""
    called = write.attempts or write.added_at or write.removed_at
    waits = write.action is WriteAction.ADD and write.state is WriteState.WAITING
    return waits and not called


def _wish(
    log: ChangeLog, known: WriteBack | None, key: str, name: str, channel: Channel
) -> WriteBack:
    """The row in place of an older wish. A call that is under way for that one ends first."""
    fresh = WriteBack(
        listing=name,
        channel=channel,
        key=key,
        address=key,
        action=WriteAction.ADD,
        cause="",
        wished_at=log.now,
    )
    if known is None:
        return fresh
    under_way = known.state is WriteState.SENDING
    return replace(
        fresh,
        not_before=known.not_before if under_way else None,
        added_at=_added_at(known, log.now),
        removed_at=known.removed_at,
    )


def _added_at(known: WriteBack, now: datetime) -> datetime | None:
    """When the provider took the address, or may have: of a call under way, or without an answer,
    nobody knows yet what came of it."""
    if known.action is not WriteAction.ADD or not known.open or not known.attempts:
        return known.added_at
    last = min(now, known.not_before or now)
    # Between two attempts, the call was made within the hour before.
    return last if known.state is WriteState.SENDING else last - ECHO_WITHIN / 2


def newest(records: Records) -> str:
    """The id of the entry that was written last: what a wish follows from."""
    (last,) = records.log.entries(limit=1)
    return last.id
