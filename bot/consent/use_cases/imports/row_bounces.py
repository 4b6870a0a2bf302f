"""What a row says of an address: it bounced, it reported spam, or a provider suppresses it."""

from __future__ import annotations

from datetime import datetime

from bot.consent.addresses import HASH, key_of
from bot.consent.log.changes import BlockChanged, BounceChanged
from bot.consent.log.entries import Entry, covers
from bot.consent.model import AddressFacts, BlockState, Bounce, Channel, Contact, Origin
from bot.consent.suppressions import Listing
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.imports.rows import Consequence
from bot.consent.use_cases.record import Recorder

_BOUNCED, _COMPLAINED = "Marked as bounced in an import", "Reported as spam, says an import"


def mark(
    service: Service,
    recorder: Recorder,
    address: str,
    channel: Channel,
    *,
    of: Contact | None,
    complaint: bool = False,
) -> list[Consequence]:
    """Marks an address as bounced, or as having reported spam, for everybody who has it; of one
    that nobody has, it is kept for whoever appears. `of` is the contact of whom it was said."""
    name = address if of else service.hashed(address)
    facts = recorder.records.addresses.get(key_of(name))
    if facts.complaint or (not complaint and _says_so(recorder, facts)):
        return []
    bounced = BounceChanged(
        before=facts.bounce,
        after=Bounce.YES,
        by=Origin.CONTACT if complaint else None,
        reason=_COMPLAINED if complaint else _BOUNCED,
    )
    recorder.record_for_holders(name, bounced, channel=channel, told_of=of)
    if complaint:
        return [Consequence.COMPLAINED]
    return [] if facts.bounce is Bounce.YES else [Consequence.BOUNCED]


def suppress(
    service: Service, recorder: Recorder, address: str, listing: Listing, at: datetime | None
) -> list[Consequence]:
    """Records that a provider's suppression list has the address, since `at` where the file says
    so. An entry that went from the list later, as far as Optin knows, is not on it again."""
    holders = recorder.records.contacts.at(key_of(address))
    name = address if holders else service.hashed(address)
    facts = recorder.records.addresses.get(key_of(name))
    gone = [facts.cleared.get(listing.name), facts.removed.get(listing.name)]
    since = min(at, recorder.now) if at else recorder.now
    if listing.name in facts.blocks or any(end and end >= since for end in gone):
        return []
    for holder in holders or (None,):
        recorder.record(
            # Read again: an entry before may have changed the same contact.
            recorder.records.contacts.get(holder.id) if holder else None,
            BlockChanged(
                sender=listing.name,
                before=BlockState.NONE,
                after=BlockState.BLOCKED,
                reason=f"On the list that {service.providers.label(listing.provider)} exported",
            ),
            address=name,
            channel=Channel.EMAIL,
            occurred_at=since,
        )
    return [Consequence.BLOCKED]


def unsuppress(service: Service, recorder: Recorder, entry: Entry, *, reason: str) -> None:
    """Takes back that a file found an address on a provider's list, unless the list has changed
    since."""
    key = key_of(entry.address or "")
    for name in (key, *(service.hashes(key) if not key.startswith(HASH) else ())):
        block = recorder.records.addresses.get(name).blocks.get(entry.sender or "")
        if block is None or block.since != entry.occurred_at:
            continue
        for holder in recorder.records.contacts.at(name) or (None,):
            recorder.record(
                recorder.records.contacts.get(holder.id) if holder else None,
                BlockChanged(
                    sender=entry.sender or "",
                    before=block.state,
                    after=BlockState.NONE,
                    # An event of the list that comes late still counts.
                    by=Origin.STAFF,
                    reason=reason,
                ),
                address=holder.address(Channel.EMAIL) if holder else name,
                channel=Channel.EMAIL,
            )


def _says_so(recorder: Recorder, facts: AddressFacts) -> bool:
    """Whether it is known to bounce, apart from files that may be undone before this one; or this
    file has said so."""
    told = any(covers(recorder.actor, mark.act) for mark in facts.marks)
    return facts.deliverability.bounce is Bounce.YES or told
