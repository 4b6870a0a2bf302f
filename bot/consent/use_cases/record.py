"""The one door through which anything changes: an entry of the log, applied to the state."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache

from bot.consent.addresses import key_of
from bot.consent.log.apply import apply
from bot.consent.log.changes import (
    Act,
    BlockChanged,
    BounceChanged,
    Change,
)
from bot.consent.log.entries import (
    CHANGING,
    ROW,
    Entry,
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
from bot.consent.records import Log
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


def history(log: Log, contact: str, *, before: int | None = None) -> Iterator[Entry]:
    """All that the log has of a contact, newest first, below `before`."""
    while page := log.entries(contact=contact, before=before, limit=100):
        yield from page
        before = page[-1].seq


def refusals_told(log: Log, actor: str) -> set[tuple[str, Channel, bool]]:
    """Of which contacts and channels this actor has said NO, as `Recorder.told` has it."""
    told = set()
    before: int | None = None
    while page := log.entries(actor=actor, before=before, limit=500):
        for entry in page:
            if entry.channel and entry.contact and entry.after == ConsentValue.NO:
                told.add((entry.contact, entry.channel, is_own(entry)))
        before = page[-1].seq
    return told


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
        contact: Contact | None,
        change: Change,
        *,
        address: str | None = None,
        channel: Channel | None = None,
        occurred_at: datetime | None = None,
        creates: str | None = None,
        actor: str | None = None,
        id: str | None = None,
    ) -> Contact | None:
        """Appends the change as an entry and stores what it does. The contact as it is then; None
        when removed.

        `creates` is the id of a contact who comes into being with this entry; `actor` who acted,
        where it is not the recorder's; `id` the entry's, where others are to name it.
        """
        fields = change.fields()
        version = contact.version if contact else 0
        if fields["kind"] in CHANGING and (contact or creates):
            version += 1
        fields["reason"] = storable(change.reason or "") or None
        if "evidence" in fields:
            fields["evidence"] = _storable(fields["evidence"])
        entry = Entry(
            id=id or new_id(self.now),
            occurred_at=occurred_at or self.now,
            recorded_at=self.now,
            actor=actor or self.actor,
            source=self.source,
            contact=contact.id if contact else creates,
            version=version,
            channel=channel,
            provider_id=self.provider_id,
            address=address,
            **fields,
        )
        facts = (
            self.records.addresses.get(key_of(address))
            if address and tells_of_address(entry)
            else None
        )
        changed, known = apply(entry, contact, facts)
        if changed is None and contact is not None:
            self.records.contacts.remove(contact.id)
        elif changed is not None and changed is not contact and self.stores:
            self.records.contacts.put(changed)
        if known is not None and known is not facts:
            self.records.addresses.put(known)
        self.records.log.append(entry)
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
        if entry.kind in HEEDED and entry.contact is not None and entry.contact not in self.created:
            on_change(self, entry, changed)
        return changed

    def record_for_holders(
        self,
        address: str,
        change: BounceChanged,
        *,
        channel: Channel,
        occurred_at: datetime | None = None,
        former: Contact | None = None,
        told_of: Contact | None = None,
    ) -> None:
        """A bounce of an address, logged on every contact who has it (rules.md §10); where nobody
        has it any more, on its `former` holder, with whom it can be erased. `told_of` is whom it
        was recorded of, and reached the others from."""
        holders: list[Contact | None] = [*self.records.contacts.at(key_of(address))]
        own = new_id(self.now)
        for holder in holders or [former]:
            mine = told_of is None or (holder is not None and holder.id == told_of.id)
            whose = told_of.id if told_of is not None else None
            reached = replace(change, act=Act(of=whose, name=f"{self.actor}{ROW}{own}"))
            self.record(
                holder,
                change if mine else reached,
                address=address,
                channel=channel,
                occurred_at=occurred_at,
                id=own if mine and whose else None,
            )


def told_block(
    sender: str,
    block: Block | None,
    before: BlockState,
    after: BlockState,
    *,
    reason: str | None = None,
) -> BlockChanged:
    """What tells once more of a block, or that there is none."""
    return BlockChanged(
        sender=sender,
        before=before,
        after=after,
        by=Origin.CONTACT if block and block.stopped else None,
        number=block.number if block else None,
        reason=reason,
    )


def told_failures(known: Deliverability, count: int) -> Iterator[tuple[BounceChanged, datetime]]:
    """What tells once more of soft failures where there are `count`, and when each was."""
    for n, failed in enumerate(known.soft_failures, count):
        soft = (n, n + 1)
        yield BounceChanged(before=known.bounce, after=known.bounce, soft=soft), failed


def told_marks(facts: AddressFacts) -> Iterator[BounceChanged]:
    """The same of what files say; they were told at `facts.bounced_at`."""
    for mark in facts.marks:
        yield BounceChanged(
            before=facts.deliverability.bounce,
            after=Bounce.YES,
            by=Origin.CONTACT if facts.complaint else None,
            reason=facts.bounce_reason,
            act=Act(of=mark.of or None, name=mark.act),
        )
