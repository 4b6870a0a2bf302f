"""What is known of an address is written to the log again, after the entries that told it went."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.consent.log.changes import (
    Act,
    BlockChanged,
    BounceChanged,
    Change,
    ConsentChanged,
    HoldChanged,
)
from bot.consent.log.entries import ANOTHERS, CARRIED
from bot.consent.model import (
    AddressFacts,
    BlockState,
    Bounce,
    Channel,
    ConsentValue,
    Contact,
    Origin,
)
from bot.consent.use_cases.record import Recorder, told_block, told_failures, told_marks

_BEFORE_ERASURE = "Refused before an erasure"
_TOLD_AGAIN = (CARRIED, ANOTHERS)

#: A change, and when it occurred; None is now.
_Restated = tuple[Change, datetime | None]


def restate(
    recorder: Recorder,
    facts: AddressFacts,
    told: AddressFacts,
    holder: Contact | None,
    channel: Channel,
) -> None:
    """Records again, for `holder`, what `facts` say of an address and no entry says any longer.

    `told` is what the entries that are left say.
    """
    for part in (_blocks, _refusals, _bounces, _hold):
        for change, at in part(facts, told):
            # Read again: a case of theirs may have ended over the entry before.
            holder = recorder.records.contacts.get(holder.id) if holder else None
            holder = recorder.record(
                holder, change, address=facts.address, channel=channel, occurred_at=at
            )


def _blocks(facts: AddressFacts, told: AddressFacts) -> Iterator[_Restated]:
    for sender in {**told.blocks, **told.cleared, **facts.blocks, **facts.cleared}:
        before, block = told.blocks.get(sender), facts.blocks.get(sender)
        state = before.state if before else BlockState.NONE
        lifted = facts.cleared.get(sender)
        if lifted and (lifted != told.cleared.get(sender) or (before and not block)):
            yield BlockChanged(sender=sender, before=state, after=BlockState.NONE), lifted
            before, state = None, BlockState.NONE
        if block and block != before:
            for since in (block.first, block.since) if block.first else (block.since,):
                yield told_block(sender, block, state, block.state), since
                state = block.state


def _refusals(facts: AddressFacts, told: AddressFacts) -> Iterator[_Restated]:
    for refusal in facts.refusals:
        if not any((r.act, r.since) == (refusal.act, refusal.since) for r in told.refusals):
            again = ConsentChanged(
                again=True,
                before=ConsentValue.NO,
                after=ConsentValue.NO,
                by=Origin.CONTACT,
                # Where it comes from may be seen; what somebody wrote is gone.
                reason=refusal.reason if refusal.reason in _TOLD_AGAIN else _BEFORE_ERASURE,
                act=Act(of=refusal.of or None, name=refusal.act),
            )
            yield again, refusal.since


def _bounces(facts: AddressFacts, told: AddressFacts) -> Iterator[_Restated]:
    if (facts.deliverability, facts.marks) == (told.deliverability, told.marks):
        return
    known, stands = facts.deliverability, told.bounce
    if told.marks:
        yield BounceChanged(before=stands, after=Bounce.NO), None
        stands = Bounce.NO
    bounced = BounceChanged(
        before=stands,
        after=known.bounce,
        by=Origin.CONTACT if known.complaint else None,
        reason=known.bounce_reason,
    )
    yield bounced, known.bounced_at
    yield from told_failures(known, 0)
    for mark in told_marks(facts):
        yield mark, facts.bounced_at


def _hold(facts: AddressFacts, told: AddressFacts) -> Iterator[_Restated]:
    if facts.hold and facts.hold != told.hold:
        yield HoldChanged(held=True, reason=facts.hold.text), facts.hold.since
    elif told.hold and not facts.hold:
        yield HoldChanged(held=False), None
