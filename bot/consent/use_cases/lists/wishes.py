"""What Optin wants of the providers' lists, after an entry of the log: stored in the same
transaction, for the worker (`writes.py`).

An opt-out of an e-mail address is added. What a completed case brings back, a cleared bounce and an
opt-out that was a mistake are taken off.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from bot.consent.addresses import HASH, key_of
from bot.consent.frozen import replace
from bot.consent.log.changes import BlockChanged, Change
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import (
    AddressFacts,
    BlockState,
    Bounce,
    Channel,
    ConsentValue,
    Contact,
)
from bot.consent.store import Records
from bot.consent.suppressions import Cause, Listing, why
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.lists.list_records import list_state
from bot.consent.write_backs import ECHO_WITHIN, OPEN, WriteAction, WriteBack, WriteState

SYSTEM = "system"
#: Entries that a re-opt-in takes off, where the provider's own statement allows it.
_OF_CASES = frozenset({Cause.UNSUBSCRIBE, Cause.OURS, Cause.UNKNOWN})
#: By these the address stands on a provider's list as an opt-out, from everything.
_OPTS_OUT = frozenset({Cause.UNSUBSCRIBE, Cause.COMPLAINT, Cause.OURS})
#: Entries of a contact in which the bounce is looked for, at most.
_MOST_ENTRIES = 50


class ChangeLog(Protocol):
    """What this needs of the recorder, which calls it and so can't be imported here."""

    @property
    def service(self) -> Service: ...

    @property
    def records(self) -> Records: ...

    @property
    def now(self) -> datetime: ...

    def record(
        self,
        contact: Contact | None,
        change: Change,
        *,
        address: str | None = None,
        channel: Channel | None = None,
        occurred_at: datetime | None = None,
        actor: str | None = None,
    ) -> Contact | None:
        """Appends an entry to the log, and applies it."""


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
    told_by = _told_by(log.records, contact, key)
    looks = [told_by] if told_by is not None and told_by in providers.by_id else mine
    have = {Listing.of(name).provider for name in known}
    perhaps = [Listing(provider=id, cause=Cause.BOUNCE).name for id in looks if id not in have]
    names = [name for name in (*known, *perhaps) if Listing.of(name).provider in mine]
    _take_off(log, key, names)


def left_behind(log: ChangeLog, contact: Contact, key: str) -> Contact:
    """Nobody has the address from now on, once this contact has gone: what Optin was taking off for
    them stays on the lists. Returns the contact."""
    others = [holder for holder in log.records.contacts.at(key) if holder.id != contact.id]
    if others:
        return contact
    for name, block in log.records.addresses.get(key).blocks.items():
        if block.leaving:
            change = _change(log, name, block.state, leaving=False, reason=_GONE)
            after = log.record(contact, change, address=key, channel=Channel.EMAIL, actor=SYSTEM)
            assert after is not None
            contact = after
    return contact


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


def channel_of(service: Service, provider: str) -> Channel:
    """Which opt-outs a provider's list is of."""
    known = service.providers.by_id.get(provider)
    return Channel.SMS if known and known.blocking_words else Channel.EMAIL


def mark_leaving(
    log: ChangeLog, key: str, name: str, *, leaving: bool, reason: str | None = None
) -> None:
    """Logs on everybody who has the address that Optin takes it off, or does not any longer."""
    block = log.records.addresses.get(key).blocks.get(name)
    if (block.leaving if block else False) is leaving or (block is None and not leaving):
        return
    if not log.records.contacts.at(key):
        return  # It says what people see, and nobody has the address.
    state = block.state if block else BlockState.NONE
    record_on_holders(log, key, _change(log, name, state, leaving=leaving, reason=reason))


def record_on_holders(
    log: ChangeLog, key: str, change: Change, *, occurred_at: datetime | None = None
) -> None:
    """Logs a change of an address on everybody who has it, in Optin's own name; of an address that
    nobody has, under its hash."""
    holders: list[Contact | None] = [*log.records.contacts.at(key)]
    for holder in holders or [None]:
        log.record(
            # Read again: an entry before may have changed the same contact.
            log.records.contacts.get(holder.id) if holder else None,
            change,
            address=holder.address(Channel.EMAIL) if holder else log.service.hashed(key),
            channel=Channel.EMAIL,
            occurred_at=occurred_at,
            actor=SYSTEM,
        )


_GONE = "Nobody has this address any more"


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


def _change(
    log: ChangeLog, name: str, state: BlockState, *, leaving: bool, reason: str | None
) -> BlockChanged:
    listing = Listing.of(name)
    label = log.service.providers.label(listing.provider)
    # Of an entry that Optin does not know it only looks whether there is one.
    after = state if state is not BlockState.NONE else BlockState.UNKNOWN
    said = f"Taking it off {label}'s list: {why(listing)}" if leaving else None
    return BlockChanged(
        sender=name, before=state, after=after, leaving=leaving, reason=reason or said
    )


def _told_by(records: Records, contact: Contact, key: str) -> str | None:
    """The provider that told of the bounce, where one did."""
    for entry in records.log.entries(
        contact=contact.id, kinds=(EntryKind.BOUNCE,), channel=Channel.EMAIL, limit=_MOST_ENTRIES
    ):
        if entry.after == Bounce.YES and key_of(entry.address or "") == key:
            kind, _, provider = entry.source.partition(":")
            return provider if kind == "provider" else None
    return None


def newest(records: Records) -> str:
    """The id of the entry that was written last: what a wish follows from."""
    (last,) = records.log.entries(limit=1)
    return last.id
