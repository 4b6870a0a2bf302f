"""What is kept of an address that nobody has, for whoever appears with it: blocks, a bounce and a
hold. Its opt-outs are `address_opt_outs.gain`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.consent.addresses import WHATSAPP
from bot.consent.frozen import replace
from bot.consent.log.changes import BounceChanged, Change, HoldChanged
from bot.consent.model import (
    AddressFacts,
    BlockState,
    Bounce,
    Channel,
    Contact,
    Hold,
    Origin,
)
from bot.consent.records import Addresses
from bot.consent.rules import too_many
from bot.consent.use_cases.record import Recorder, told_block, told_failures, told_marks


def take_over(
    recorder: Recorder, contact: Contact, channel: Channel, kept: AddressFacts
) -> Contact:
    """Blocks, a bounce and a hold that were kept under the hash of the address."""
    records = recorder.records
    key, address = contact.key(channel) or "", contact.address(channel)

    def say(change: Change, at: datetime | None) -> None:
        nonlocal contact
        after = recorder.record(contact, change, address=address, channel=channel, occurred_at=at)
        assert after is not None
        contact = after

    for name in {**kept.blocks, **kept.cleared}:
        state, since = kept.block(name)
        known, known_since = records.addresses.get(key).block(name)
        if state is BlockState.UNKNOWN and known is BlockState.BLOCKED:
            state = known
        # The newest act counts, and ties go to the block (rules.md §8.5).
        tie = since == known_since and known is BlockState.NONE is not state
        removed = records.addresses.get(key).removed.get(name)
        gone = removed is not None and since is not None and removed >= since
        if since and not gone and (known_since is None or since > known_since or tie):
            reason = "Known before this contact was added"
            say(told_block(name, kept.blocks.get(name), known, state, reason=reason), since)
    _take_bounce_over(records.addresses, key, kept, say)
    if kept.bounce is not Bounce.NO or kept.deliverability.soft_failures:
        # From now on the address tells it: what a delivery ends there must not come back.
        recorder.record(
            None,
            BounceChanged(before=kept.bounce, after=Bounce.NO),
            address=kept.address,
            channel=channel,
        )
    if kept.hold and not records.addresses.get(key).hold:
        if records.addresses.get(kept.address).hold:
            recorder.record(None, HoldChanged(held=False), address=kept.address, channel=channel)
        say(HoldChanged(held=True, reason=kept.hold.text), kept.hold.since)
    return contact


def as_texts(facts: AddressFacts, form: str) -> AddressFacts:
    """What an earlier version kept of a WhatsApp address: no word about texts, and so for a person
    to read (rules.md §2a)."""
    if not form.startswith(WHATSAPP):
        return facts
    newest = facts.refusal
    hold = Hold(since=newest.since, text=newest.reason) if newest else facts.hold
    return AddressFacts(address=facts.address, hold=hold)


def _take_bounce_over(
    addresses: Addresses,
    key: str,
    kept: AddressFacts,
    say: Callable[[Change, datetime | None], None],
) -> None:
    facts, known = addresses.get(key), kept.deliverability
    proved = kept.proved_at
    failed = facts.bounced_at if not facts.complaint else None
    if proved and failed and proved >= failed:
        # A message arrived after the contact had given the address up.
        say(BounceChanged(before=facts.bounce, after=Bounce.NO), proved)
        facts = addresses.get(key)
    if known.bounce is not Bounce.NO and _is_news(facts, kept):
        bounced = BounceChanged(
            before=facts.bounce,
            after=known.bounce,
            by=Origin.CONTACT if known.complaint else None,
            reason=known.bounce_reason,
        )
        say(bounced, known.bounced_at)
    elif facts.deliverability.bounce is not Bounce.YES:
        bounce, failures = facts.bounce, facts.deliverability.soft_failures
        left = sum(not kept.has_arrived_since(failed) for failed in failures)
        if left < len(failures):
            soft = (len(failures), left)
            say(BounceChanged(before=bounce, after=bounce, soft=soft), kept.arrived_at)
        count = len(addresses.get(key).deliverability.soft_failures)
        for failure, at in told_failures(known, count):
            say(replace(failure, before=bounce, after=bounce), at)
        failures = addresses.get(key).deliverability.soft_failures
        if too_many(failures):
            say(BounceChanged(before=bounce, after=Bounce.YES), failures[-1])
    for mark in told_marks(kept):
        say(mark, kept.bounced_at)


def _is_news(facts: AddressFacts, kept: AddressFacts) -> bool:
    """Whether the bounce that is kept says more than what is known of the address."""
    known, told = facts.deliverability, kept.deliverability
    proved = facts.proved_at
    if told.bounced_at is None or (proved and proved >= told.bounced_at):
        return told.complaint and not known.complaint
    if known.bounce is not Bounce.YES:
        return told.bounce is Bounce.YES or known.bounce is Bounce.NO
    later = known.bounced_at is not None and told.bounced_at > known.bounced_at
    return not known.complaint and told.bounce is Bounce.YES and (told.complaint or later)
