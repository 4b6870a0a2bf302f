"""One event in hand: whom it is about, what is known of them, and how it is written down."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta

from bot.consent.addresses import key_of, without_scheme
from bot.consent.alerts import AlertKind
from bot.consent.events import Event
from bot.consent.frozen import replace
from bot.consent.log.changes import BlockChanged, Change
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import (
    UNSET,
    AddressFacts,
    BlockState,
    Bounce,
    Channel,
    Consent,
    ConsentValue,
    Contact,
    Origin,
)
from bot.consent.parsing import storable
from bot.consent.senders import kind_of
from bot.consent.store import Records
from bot.consent.suppressions import Cause, Listing
from bot.consent.use_cases.alerts.enqueue import enqueue
from bot.consent.use_cases.cases.complete import requirement_met
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.known_senders import known_senders, learn
from bot.consent.use_cases.record import Recorder

#: From the best to the worst.
_WORSE = (BlockState.NONE, BlockState.UNKNOWN, BlockState.BLOCKED)
#: An opt-out is confirmed within this time (47 CFR 64.1200(a)(12)); what we send later is no
#: confirmation.
CONFIRMATION_WITHIN = timedelta(minutes=5)
#: Entries of a contact in which the latest STOP is looked for, at most.
_MOST_ENTRIES = 100


class EventContext:
    """One event, being taken in."""

    def __init__(
        self, service: Service, records: Records, event: Event, now: datetime, source: str | None
    ) -> None:
        self.service = service
        self.records = records
        self.event = event
        self.now = now
        self.source = source
        #: When it happened; nothing happens in the future.
        self.at = min(event.occurred_at or now, now)
        self.key = key_of(event.address)
        self.holders: Sequence[Contact] = records.contacts.at(self.key)
        hashed = service.hashed(event.address)
        #: Under which it is kept: nobody's address only as its hash.
        self.address = without_scheme(event.address) if self.holders else hashed
        self.senders = known_senders(service, records.key_value)
        if (
            event.channel is Channel.SMS
            and event.sender
            and event.service
            and learn(records.key_value, self.senders, event.sender, event.service, self.at)
        ):
            self.senders = known_senders(service, records.key_value)
        #: Under which names a carrier keeps what this event says of one of our senders, none where
        #: nobody said which; of e-mail, the provider's list.
        self.names = self._names()
        provider = f"provider:{event.provider}"
        self._recorder = Recorder(
            service=service,
            records=records,
            actor=provider,
            source=source or provider,
            now=now,
            # Some ids have the address in them, and the log keeps ids for ever.
            provider_id=without(event.address, event.id, hashed),
        )

    # What is known

    @property
    def facts(self) -> AddressFacts:
        """What is known of the address; of one that its contact gave up, with what came since."""
        facts = self.kept
        if self.holders:
            return facts
        left = self.records.addresses.get(self.key)
        return replace(
            _with_bounce(facts, left),
            blocks={**left.blocks, **facts.blocks},
            cleared={**left.cleared, **facts.cleared},
        )

    @property
    def kept(self) -> AddressFacts:
        """The same without what came before its contact gave it up."""
        return self.records.addresses.get(key_of(self.address))

    def _names(self) -> tuple[str, ...]:
        if self.event.channel is Channel.EMAIL:
            return (self.listing(Cause.UNKNOWN).name,)
        return self.senders.block_names(self.event.sender, self.event.service)

    @property
    def sender(self) -> str | None:
        """The first of these."""
        return self.names[0] if self.names else None

    @property
    def blocked(self) -> BlockState:
        """The worst of what stands between the address and this sender."""
        facts = self.facts
        if not facts.blocks:
            return BlockState.NONE
        names = self.senders.lifted_names(facts, self.event.sender, self.event.service)
        states = [facts.block(name)[0] for name in names]
        return max(states, key=_WORSE.index, default=BlockState.NONE)

    def consents(self) -> Iterator[tuple[Contact | None, Consent]]:
        """Everybody who has the address with their consent; where nobody has it, what is kept of a
        refusal for whoever appears."""
        for holder in self.holders:
            yield holder, holder.consents.get(self.key, UNSET)
        if not self.holders:
            kept = self.facts.refusal
            yield (
                None,
                Consent(on=ConsentValue.NO, by=Origin.CONTACT, since=kept.since) if kept else UNSET,
            )

    def may_return(self) -> bool:
        """Whether a re-opt-in is under way for anybody who has the address."""
        channel = self.event.channel
        return any(self.records.cases.open_for(h.id, channel) is not None for h in self.holders)

    def stopped_before(self, moment: datetime) -> datetime | None:
        """The latest STOP to this sender whose confirmation something of this moment may be."""
        if not self.holders:
            # The log tells nobody's STOPs apart no more: one to another sender counts where this
            # sender's block is known, too.
            kept, (_, since) = self.facts.refusal, self.facts.block(self.sender or "")
            stops = [kept.since] if kept and since else []
        else:
            stops = [entry.occurred_at for entry in self._told() if _is_stop(entry)]
        lately = [at for at in stops if timedelta(0) <= moment - at <= CONFIRMATION_WITHIN]
        return max(lately, default=None)

    def confirmed_since(self, stop: datetime) -> bool:
        """Whether the failure of this STOP's confirmation was told already."""
        return any(
            entry.kind is EntryKind.EXPECTED_ERROR and entry.occurred_at >= stop
            for entry in self._told()
        )

    def _told(self) -> Iterator[Entry]:
        """What the log has lately of this address and sender."""
        for holder in self.holders:
            for entry in self.records.log.entries(
                contact=holder.id,
                kinds=(EntryKind.CONSENT, EntryKind.NOTE, EntryKind.EXPECTED_ERROR),
                channel=self.event.channel,
                limit=_MOST_ENTRIES,
            ):
                if entry.sender == self.sender and key_of(entry.address or "") == self.key:
                    yield entry

    # What is done

    def block(
        self,
        state: BlockState,
        *,
        at: datetime,
        by: Origin | None = None,
        reason: str | None = None,
        actor: str | None = None,
    ) -> bool:
        """Whether any state is another now, of those that the carrier keeps for this sender. The
        contact's newest act wins, and ties go to the block (rules.md §8.5); what is known to be
        blocked does not become unknown by a vaguer word."""
        changed = [self._block(name, state, at, by, reason, actor) for name in self.names]
        return any(changed)

    def _block(
        self,
        name: str,
        state: BlockState,
        at: datetime,
        by: Origin | None,
        reason: str | None,
        actor: str | None,
    ) -> bool:
        facts = self.facts
        before, since = facts.block(name)
        after = before if before is BlockState.BLOCKED else state
        # A block that is told late stands under a doubt that is newer: now it is known.
        certain = (before, after) == (BlockState.UNKNOWN, BlockState.BLOCKED)
        # The same number may have lifted it before anybody knew its service.
        lifted = [facts.cleared.get(one) for one in (name, self.event.sender or "")]
        late = since is not None and since > at and not certain
        late = late or any(moment is not None and moment > at for moment in lifted)
        if late or (before, since) == (after, at):
            return False
        self.record_on_each(
            BlockChanged(
                sender=name,
                before=before,
                after=after,
                by=by,
                reason=reason,
                number=self.number_of(name),
            ),
            at=at,
            actor=actor,
        )
        return before is not after

    def unblock(self, *, at: datetime, reason: str, actor: str | None = None) -> bool:
        """Whether it counts: only the blocks of this number and its service are lifted, and only by
        what is later than they. It is kept also where nothing was blocked, since an older STOP may
        be told late."""
        names = self.senders.lifted_names(self.facts, self.event.sender, self.event.service)
        lifted = [name for name in names if self._unblock(name, at, reason, actor)]
        if lifted:
            self._give_key(at)
        return bool(lifted)

    def _unblock(self, name: str, at: datetime, reason: str, actor: str | None) -> bool:
        before, since = self.facts.block(name)
        if since is not None and since >= at:
            return False
        self.record_on_each(
            BlockChanged(
                sender=name,
                before=before,
                after=BlockState.NONE,
                reason=reason,
                number=self.number_of(name),
            ),
            at=at,
            actor=actor,
        )
        return True

    def number_of(self, name: str) -> str | None:
        """The number of ours that the event is about, where the block has the name of a service."""
        number = self.event.sender if self.event.channel is Channel.SMS else None
        return number if number and kind_of(name) is None else None

    def _give_key(self, at: datetime) -> None:
        for holder in self.holders:
            contact = self.records.contacts.get(holder.id)
            assert contact is not None
            requirement_met(self.service, self._recorder, contact, self.event.channel, at)
        self.holders = self.records.contacts.at(self.key)

    def suppress(self, cause: Cause, *, by: Origin | None, reason: str | None = None) -> bool:
        """Puts an entry of the provider's list down. Whether it is news. One that a manager took
        off here comes back with every event that is told later, whatever its time; one that the
        provider took off, only with a newer one."""
        name = self.listing(cause).name
        before, since = self.facts.block(name)
        if since is not None and since >= self.at:
            return False
        self.record_on_each(
            BlockChanged(sender=name, before=before, after=BlockState.BLOCKED, by=by, reason=reason)
        )
        return before is not BlockState.BLOCKED

    def unsuppress(
        self, causes: Collection[Cause], *, reason: str, actor: str | None = None
    ) -> bool:
        """Takes the entries of the event's scope off the provider's list. Whether any was there."""
        mine = (self.event.provider, self.event.scope or "")
        found = False
        for name, block in self.facts.blocks.items():
            listing = Listing.of(name)
            same = (listing.provider, listing.scope) == mine and listing.cause in causes
            if same and block.since < self.at:
                self._unblock(name, self.at, reason, actor)
                found = True
        return found

    def listing(self, cause: Cause) -> Listing:
        """The entry of the provider's list that the event is about."""
        return Listing(
            provider=self.event.provider, cause=cause, scope=storable(self.event.scope or "")
        )

    def record_on_each(
        self, change: Change, *, at: datetime | None = None, actor: str | None = None
    ) -> None:
        """Logged on every contact who has the address (rules.md §10)."""
        for holder in self.holders or (None,):
            self.record(holder, change, at=at, actor=actor)

    def record(
        self,
        holder: Contact | None,
        change: Change,
        *,
        at: datetime | None = None,
        actor: str | None = None,
    ) -> None:
        """`at` is when it happened, where that is not the time of the event."""
        self._recorder.record(
            # Read again: an entry before may have changed the same contact.
            self.records.contacts.get(holder.id) if holder else None,
            change,
            address=self.address,
            channel=self.event.channel,
            occurred_at=at or self.at,
            actor=actor,
        )

    def tell(self, kind: AlertKind) -> None:
        enqueue(
            self.service, self.records, kind, self.event, self.holders, at=self.at, now=self.now
        )


def _with_bounce(facts: AddressFacts, left: AddressFacts) -> AddressFacts:
    """With the failures that were known when the contact gave the address up, and that no delivery
    has disproved since."""
    proved, soft = facts.proved_at, facts.deliverability.soft_failures
    disproved = proved is not None and left.bounced_at is not None and proved >= left.bounced_at
    if facts.bounce is Bounce.NO and left.bounce is not Bounce.NO and not disproved:
        facts = replace(
            facts,
            bounce=left.bounce,
            bounced_at=left.bounced_at,
            bounce_reason=left.bounce_reason,
            complaint=left.complaint,
            marks=left.marks,
            beneath=left.beneath,
        )
    before = [at for at in left.deliverability.soft_failures if not facts.has_arrived_since(at)]
    soft = tuple(sorted((*before, *soft)))
    if facts.beneath is not None:
        return replace(facts, beneath=replace(facts.beneath, soft_failures=soft))
    return replace(facts, soft_failures=soft)


def without(address: str, id: str, hashed: str) -> str:
    """The id with the hash in place of the address."""
    if address.lower() not in id.lower():  # nearly always, and quick to see
        return id
    return re.sub(re.escape(address), hashed, id, flags=re.IGNORECASE)


def _is_stop(entry: Entry) -> bool:
    return (
        entry.kind is not EntryKind.EXPECTED_ERROR
        and entry.by is Origin.CONTACT
        and entry.after == ConsentValue.NO
    )
