"""The one door through which anything changes: an entry of the log, applied to the state."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from bot.consent.addresses import key_of
from bot.consent.log.apply import apply
from bot.consent.log.entries import (
    ACT,
    ANOTHERS,
    CARRIED,
    CHANGING,
    NUMBER,
    ROW,
    Entry,
    EntryKind,
    Pair,
    is_own,
    tells_of_address,
)
from bot.consent.model import (
    AddressFacts,
    Block,
    BlockState,
    Bounce,
    Channel,
    ConsentValue,
    Contact,
    Deliverability,
    Evidence,
    Origin,
)
from bot.consent.parsing import storable
from bot.consent.store import Records
from bot.consent.use_cases.cases.on_change import HEEDED, on_change

_made = itertools.count()


def new_id(now: datetime) -> str:
    """An id of 32 hexadecimal digits that sorts by creation: to the millisecond, and exactly among
    those of one process. The last ten digits are random, for those of two; nobody is kept from
    guessing them."""
    return f"{_millisecond(now)}{next(_made):010x}{random.getrandbits(40):010x}"


@lru_cache(maxsize=4)
def _millisecond(at: datetime) -> str:
    return f"{int(at.timestamp() * 1000):012x}"


def history(records: Records, contact: str, *, before: int | None = None) -> Iterator[Entry]:
    """All that the log has of a contact, newest first, below `before`."""
    while page := records.entries(contact=contact, before=before, limit=100):
        yield from page
        before = page[-1].seq


def _storable(evidence: Evidence | None) -> Evidence | None:
    if evidence is None or evidence.text == (text := storable(evidence.text)):
        return evidence
    return replace(evidence, text=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """Writes entries inside one transaction, in the name of one actor, at one moment."""

    records: Records
    actor: str
    source: str
    now: datetime
    #: The provider's id of the event that this is about.
    provider_id: str | None = None
    #: False where whoever asks stores the contact, once after several entries.
    stores: bool = True
    #: Who came into being with it: nobody can have asked them anything yet.
    created: set[str] = field(default_factory=set)
    #: Contacts and channels of which a file has said NO.
    told: set[tuple[str, Channel, bool]] = field(default_factory=set)

    def wrote(self, contact: str, channel: Channel, *, own: bool) -> bool:
        """Whether this file has said NO of this consent before: in a row of the contact's `own`,
        or in one of another contact with the same address."""
        said = (contact, channel, True) in self.told
        return said or (not own and (contact, channel, False) in self.told)

    def _told_by_file(self) -> bool:
        return self.actor.startswith("import:")

    def record(
        self,
        kind: EntryKind,
        contact: Contact | None,
        *,
        address: str | None = None,
        channel: Channel | None = None,
        sender: str | None = None,
        by: Origin | None = None,
        before: str = "",
        after: str = "",
        reason: str | None = None,
        evidence: Evidence | None = None,
        changes: Mapping[str, Pair] | None = None,
        occurred_at: datetime | None = None,
        creates: str | None = None,
        expected: bool = False,
        actor: str | None = None,
        id: str | None = None,
    ) -> Contact | None:
        """Appends the entry and stores what it does. The contact as it is then; None when removed.

        `creates` is the id of a contact who comes into being with this entry; `actor` who acted,
        where it is not the recorder's; `id` the entry's, where others are to name it.
        """
        version = contact.version if contact else 0
        entry = Entry(
            id=id or new_id(self.now),
            kind=kind,
            occurred_at=occurred_at or self.now,
            recorded_at=self.now,
            actor=actor or self.actor,
            source=self.source,
            contact=contact.id if contact else creates,
            version=version + 1 if kind in CHANGING and (contact or creates) else version,
            channel=channel,
            sender=sender,
            by=by,
            before=before,
            after=after,
            expected=expected,
            provider_id=self.provider_id,
            address=address,
            reason=storable(reason or "") or None,
            evidence=_storable(evidence),
            changes=changes,
        )
        facts = self.records.facts(key_of(address)) if address and tells_of_address(entry) else None
        changed, known = apply(entry, contact, facts)
        if changed is None and contact is not None:
            self.records.remove_contact(contact.id)
        elif changed is not None and changed is not contact and self.stores:
            self.records.put_contact(changed)
        if known is not None and known is not facts:
            self.records.put_facts(known)
        self.records.append(entry)
        if creates is not None:
            self.created.add(creates)
        if (
            channel
            and entry.contact
            and entry.after == ConsentValue.NO
            and not actor
            and self._told_by_file()
        ):
            self.told.add((entry.contact, channel, is_own(entry)))
        if kind in HEEDED and entry.contact is not None and entry.contact not in self.created:
            on_change(self, entry, changed)
        return changed

    def record_for_holders(
        self,
        kind: EntryKind,
        address: str,
        *,
        channel: Channel,
        before: str,
        after: str,
        reason: str | None = None,
        by: Origin | None = None,
        occurred_at: datetime | None = None,
        former: Contact | None = None,
        told_of: Contact | None = None,
        changes: Mapping[str, Pair] | None = None,
    ) -> None:
        """A fact of an address, logged on every contact who has it (rules.md §10); where nobody
        has it any more, on its `former` holder, with whom it can be erased. `told_of` is whom it
        was recorded of, and reached the others from."""
        holders: list[Contact | None] = [*self.records.contacts_at(key_of(address))]
        own = new_id(self.now)
        for holder in holders or [former]:
            mine = told_of is None or (holder is not None and holder.id == told_of.id)
            whose = told_of.id if told_of is not None else None
            self.record(
                kind,
                holder,
                address=address,
                channel=channel,
                before=before,
                after=after,
                reason=reason,
                by=by,
                occurred_at=occurred_at,
                id=own if mine and whose else None,
                changes=changes if mine else {ACT: (whose, f"{self.actor}{ROW}{own}")},
            )

    def restate(
        self, facts: AddressFacts, told: AddressFacts, holder: Contact | None, channel: Channel
    ) -> None:
        """Says once more, for `holder`, what is known of an address and no entry tells any longer:
        `told` is what the entries that are left tell."""

        def say(kind: EntryKind, at: datetime | None, **entry: Any) -> None:
            nonlocal holder
            holder = self.record(
                kind,
                # Read again: a case of theirs may have ended over the entry before.
                self.records.contact(holder.id) if holder else None,
                address=facts.address,
                channel=channel,
                occurred_at=at,
                **entry,
            )

        for sender in {**told.blocks, **told.cleared, **facts.blocks, **facts.cleared}:
            before, block = told.blocks.get(sender), facts.blocks.get(sender)
            lifted = facts.cleared.get(sender)
            if lifted and (lifted != told.cleared.get(sender) or (before and not block)):
                state = before.state if before else BlockState.NONE
                say(EntryKind.BLOCK, lifted, sender=sender, before=state, after=BlockState.NONE)
                before = None
            if block and block != before:
                state = before.state if before else BlockState.NONE
                for since in (block.first, block.since) if block.first else (block.since,):
                    say(
                        EntryKind.BLOCK,
                        since,
                        sender=sender,
                        before=state,
                        after=block.state,
                        **told_block(block),
                    )
                    state = block.state
        for refusal in facts.refusals:
            if not any((r.act, r.since) == (refusal.act, refusal.since) for r in told.refusals):
                say(
                    EntryKind.NOTE,
                    refusal.since,
                    by=Origin.CONTACT,
                    before=ConsentValue.NO,
                    after=ConsentValue.NO,
                    # Where it comes from may be seen; what somebody wrote is gone.
                    reason=refusal.reason if refusal.reason in _TOLD_AGAIN else _BEFORE_ERASURE,
                    changes={ACT: (refusal.of or None, refusal.act)},
                )
        if (facts.deliverability, facts.marks) != (told.deliverability, told.marks):
            known, stands = facts.deliverability, told.bounce
            if told.marks:
                say(EntryKind.BOUNCE, None, before=stands, after=Bounce.NO)
                stands = Bounce.NO
            by = Origin.CONTACT if known.complaint else None
            reason, bounced = known.bounce_reason, known.bounced_at
            say(EntryKind.BOUNCE, bounced, before=stands, after=known.bounce, by=by, reason=reason)
            for entry in told_failures(known, 0):
                say(EntryKind.BOUNCE, **entry)
            for entry in told_marks(facts):
                say(EntryKind.BOUNCE, **entry)
        if facts.hold and facts.hold != told.hold:
            say(EntryKind.HOLD, facts.hold.since, after="held", reason=facts.hold.text)
        elif told.hold and not facts.hold:
            say(EntryKind.HOLD, None, before="held", after="released")


_BEFORE_ERASURE = "Refused before an erasure"
_TOLD_AGAIN = (CARRIED, ANOTHERS)


def told_block(block: Block | None) -> dict[str, Any]:
    """What an entry of a block has beside its sender and state, to tell it once more."""
    if block is None:
        return {}
    entry: dict[str, Any] = {"changes": {NUMBER: (None, block.number)} if block.number else None}
    return entry | ({"by": Origin.CONTACT} if block.stopped else {})


def told_failures(known: Deliverability, count: int) -> Iterator[dict[str, Any]]:
    """What the entries of soft failures have, to tell them once more where there are `count`."""
    for n, failed in enumerate(known.soft_failures, count):
        changes: dict[str, Pair] = {"soft": (str(n), str(n + 1))}
        yield {"at": failed, "before": known.bounce, "after": known.bounce, "changes": changes}


def told_marks(facts: AddressFacts) -> Iterator[dict[str, Any]]:
    """The same of what files say."""
    for mark in facts.marks:
        yield {
            "at": facts.bounced_at,
            "before": facts.deliverability.bounce,
            "after": Bounce.YES,
            "by": Origin.CONTACT if facts.complaint else None,
            "reason": facts.bounce_reason,
            "changes": {ACT: (mark.of or None, mark.act)},
        }
