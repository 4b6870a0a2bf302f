"""One event in hand: whom it is about, what is known of them, and how it is written down."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.consent.activity import Entry, Kind
from bot.consent.alerts import AlertKind
from bot.consent.events import Event
from bot.consent.model import (
    UNSET,
    AddressFacts,
    BlockState,
    By,
    Channel,
    Consent,
    Contact,
    On,
)
from bot.consent.service.cases.finish import key_came
from bot.consent.service.record import Recorder
from bot.consent.service.service import Service
from bot.consent.service.tell import tell
from bot.consent.store import Records

#: An opt-out is confirmed within this time (47 CFR 64.1200(a)(12)); what we send later is no
#: confirmation.
CONFIRMATION_WITHIN = timedelta(minutes=5)
#: Entries of a contact in which the latest STOP is looked for, at most.
_MOST_ENTRIES = 100


class Taking:
    """One event, being taken in."""

    def __init__(
        self, service: Service, records: Records, event: Event, now: datetime, source: str | None
    ) -> None:
        self.service = service
        self.records = records
        self.event = event
        self.now = now
        #: When it happened; nothing happens in the future.
        self.at = min(event.occurred_at or now, now)
        self.holders: Sequence[Contact] = records.holders(event.address)
        hashed = service.hashed(event.address)
        #: Under which it is kept: nobody's address only as its hash.
        self.address = event.address if self.holders else hashed
        provider = f"provider:{event.provider}"
        self._recorder = Recorder(
            records=records,
            actor=provider,
            source=source or provider,
            now=now,
            # Some ids have the address in them, and the log keeps ids for ever.
            provider_id=_without(event.address, event.id, hashed),
        )

    # What is known

    @property
    def facts(self) -> AddressFacts:
        return self.records.facts(self.address)

    @property
    def sender(self) -> str:
        """Whose messages a block holds back: our number or service; for e-mail the provider, whose
        list it is. Empty where nobody said."""
        if self.event.channel is Channel.EMAIL:
            return self.event.provider
        return self.event.sender or ""

    def consents(self) -> Iterator[tuple[Contact | None, Consent]]:
        """Everybody who has the address with their consent; where nobody has it, what is kept of a
        refusal for whoever appears."""
        for holder in self.holders:
            yield holder, holder.consents.get(self.address, UNSET)
        if not self.holders:
            kept = self.facts.refusal
            yield None, Consent(on=On.NO, by=By.CONTACT, since=kept.since) if kept else UNSET

    def may_return(self) -> bool:
        """Whether a re-opt-in is under way for anybody who has the address."""
        channel = self.event.channel
        return any(self.records.open_case(h.id, channel) is not None for h in self.holders)

    def stopped_before(self, moment: datetime) -> datetime | None:
        """The latest STOP to this sender whose confirmation something of this moment may be."""
        if not self.holders:
            # The log tells nobody's STOPs apart no more: one to another sender counts where this
            # sender's block is known, too.
            kept, (_, since) = self.facts.refusal, self.facts.block(self.sender)
            stops = [kept.since] if kept and since else []
        else:
            stops = [entry.occurred_at for entry in self._told() if _is_stop(entry)]
        lately = [at for at in stops if timedelta(0) <= moment - at <= CONFIRMATION_WITHIN]
        return max(lately, default=None)

    def confirmed_since(self, stop: datetime) -> bool:
        """Whether the failure of this STOP's confirmation was told already."""
        return any(
            entry.kind is Kind.EXPECTED_ERROR and entry.occurred_at >= stop
            for entry in self._told()
        )

    def _told(self) -> Iterator[Entry]:
        """What the log has lately of this address and sender."""
        for holder in self.holders:
            for entry in self.records.entries(
                contact=holder.id,
                kinds=(Kind.CONSENT, Kind.NOTE, Kind.EXPECTED_ERROR),
                channel=self.event.channel,
                limit=_MOST_ENTRIES,
            ):
                if (entry.address, entry.sender) == (self.address, self.sender):
                    yield entry

    # What is done

    def block(self, state: BlockState, *, at: datetime, **entry: Any) -> bool:
        """Whether the state is another now. The contact's newest act wins, and ties go to the block
        (rules.md §8.5); what is known to be blocked does not become unknown by a vaguer word."""
        before, since = self.facts.block(self.sender)
        after = before if before is BlockState.BLOCKED else state
        late = since is not None and since > at
        if not self.sender or late or (before, since) == (after, at):
            return False
        self.record_on_each(
            Kind.BLOCK, sender=self.sender, before=before, after=after, occurred_at=at, **entry
        )
        return before is not after

    def unblock(self, *, at: datetime, **entry: Any) -> bool:
        """Whether it counts: only this sender's block is lifted, and only by what is later than it.
        It is kept also where nothing was blocked, since an older STOP may be told late."""
        before, since = self.facts.block(self.sender)
        if not self.sender or (since is not None and since >= at):
            return False
        self.record_on_each(
            Kind.BLOCK,
            sender=self.sender,
            before=before,
            after=BlockState.NONE,
            occurred_at=at,
            **entry,
        )
        for holder in self.holders:
            contact = self.records.contact(holder.id)
            assert contact is not None
            key_came(self.service, self._recorder, contact, self.event.channel, at)
        self.holders = self.records.holders(self.event.address)
        return True

    def record_on_each(self, kind: Kind, **entry: Any) -> None:
        """Logged on every contact who has the address (rules.md §10)."""
        for holder in self.holders or (None,):
            self.record(kind, holder, **entry)

    def record(self, kind: Kind, holder: Contact | None, **entry: Any) -> None:
        # Read again: an entry before may have changed the same contact.
        contact = self.records.contact(holder.id) if holder else None
        entry = {"occurred_at": self.at, **entry}
        self._recorder.record(
            kind, contact, address=self.address, channel=self.event.channel, **entry
        )

    def tell(self, kind: AlertKind) -> None:
        tell(self.service, self.records, kind, self.event, self.holders, at=self.at, now=self.now)


def _without(address: str, id: str, hashed: str) -> str:
    if address.lower() not in id.lower():  # nearly always, and quick to see
        return id
    return re.sub(re.escape(address), hashed, id, flags=re.IGNORECASE)


def _is_stop(entry: Entry) -> bool:
    return entry.kind is not Kind.EXPECTED_ERROR and entry.by is By.CONTACT and entry.after == On.NO
