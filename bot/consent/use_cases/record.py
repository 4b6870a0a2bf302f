"""Record a change as an entry of the log, and apply it. Every change goes through here."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from bot.consent.addresses import key_of
from bot.consent.frozen import replace
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
from bot.consent.use_cases.answer_changes import AnswerChanges
from bot.consent.use_cases.cases.on_change import HEEDED, on_change
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.lists.wishes import opted_out

_made = itertools.count()


def new_id(now: datetime) -> str:
    """An id of 32 hexadecimal digits. Ids sort by creation: exactly within one process, and to the
    millisecond between processes. The last ten digits are random, so that two processes do not
    make the same id. An id is not a secret."""
    return f"{_millisecond(now)}{next(_made) << 40 | random.getrandbits(40):020x}"


@lru_cache(maxsize=4)
def _millisecond(at: datetime) -> str:
    return f"{int(at.timestamp() * 1000):012x}"


def history(log: Log, contact: str, *, before: int | None = None) -> Iterator[Entry]:
    """All entries of a contact, newest first, with a `seq` below `before`."""
    while page := log.entries(contact=contact, before=before, limit=100):
        yield from page
        before = page[-1].seq


def refusals_told(log: Log, actor: str) -> set[tuple[str, Channel, bool]]:
    """The contacts and channels that this actor recorded a NO for, in the form of
    `Recorder.told`."""
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

    service: Service
    records: Records
    actor: str
    source: str
    now: datetime
    #: The provider's id of the event that this is about.
    provider_id: str | None = None
    #: False if the caller stores the contact itself, once after several entries.
    stores: bool = True
    #: Contacts that this recorder created. They can't have an open case yet.
    created: set[str] = field(default_factory=set)
    #: What a file said NO to: contact, channel, and whether in the contact's own row.
    told: set[tuple[str, Channel, bool]] = field(default_factory=set)
    #: The answers of those whom this recorder changed.
    answers: AnswerChanges = field(default_factory=AnswerChanges)

    def wrote(self, contact: str, channel: Channel, *, own: bool) -> bool:
        """Whether this file has said NO to this consent before. With `own`, only the contact's own
        rows count. Otherwise, rows of other contacts with the same address count, too."""
        said = (contact, channel, True) in self.told
        return said or (not own and (contact, channel, False) in self.told)

    def _is_import(self) -> bool:
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
        """Append the change as an entry, and store its effect. Return the contact after it, or None
        if it removed the contact.

        `creates` is the id of a contact that the entry creates. `actor` replaces the recorder's.
        `id` is the entry's id, if the caller refers to it elsewhere.
        """
        fields = change.fields()
        version = contact.version if contact else 0
        if fields["kind"] in CHANGING and (contact or creates):
            version += 1
        fields["reason"] = (storable(change.reason) or None) if change.reason else None
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
        answers = self.answers.of(
            self.service,
            self.records,
            entry,
            contact=contact,
            changed=changed,
            facts=facts,
            known=known,
        )
        if changed is None and contact is not None:
            self.records.contacts.remove(contact.id)
        elif changed is not None and changed is not contact and self.stores:
            self.records.contacts.put(changed)
        if known is not None and known is not facts:
            self.records.addresses.put(known)
        self.records.log.append(entry, answers)
        if self.service.providers.adding and facts is not None and known is not None:
            opted_out(self, entry, facts, known)
        if creates is not None:
            self.created.add(creates)
        if (
            channel
            and entry.contact
            and entry.after == ConsentValue.NO
            and not actor
            and self._is_import()
        ):
            self.told.add((entry.contact, channel, is_own(entry)))
        if entry.kind in HEEDED and entry.contact is not None and entry.contact not in self.created:
            on_change(self, entry, changed, contact)
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
        """Log a bounce of an address on every contact who has it (rules.md §10).

        If nobody has the address any more, log it on its `former` holder, so that it can be erased
        with that person. `told_of` is the contact that it was recorded for. It reaches the others
        because they share the address.
        """
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
    """A change that records the present block again, or that there is none."""
    return BlockChanged(
        sender=sender,
        before=before,
        after=after,
        by=Origin.CONTACT if block and block.stopped else None,
        number=block.number if block else None,
        reason=reason,
    )


def told_failures(known: Deliverability, count: int) -> Iterator[tuple[BounceChanged, datetime]]:
    """Changes that record soft failures again after `count` others, each with its time."""
    for n, failed in enumerate(known.soft_failures, count):
        soft = (n, n + 1)
        yield BounceChanged(before=known.bounce, after=known.bounce, soft=soft), failed


def told_marks(facts: AddressFacts) -> Iterator[BounceChanged]:
    """Changes that record again the bounces that files reported, at `facts.bounced_at`."""
    for mark in facts.marks:
        yield BounceChanged(
            before=facts.deliverability.bounce,
            after=Bounce.YES,
            by=Origin.CONTACT if facts.complaint else None,
            reason=facts.bounce_reason,
            act=Act(of=mark.of or None, name=mark.act),
        )
