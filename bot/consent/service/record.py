"""The one door through which anything changes: an entry of the log, applied to the state."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.consent.activity import CHANGING, Entry, Kind, Pair, apply
from bot.consent.model import AddressFacts, By, Channel, Contact, Evidence
from bot.consent.store import Records


def new_id(now: datetime) -> str:
    """A random id of 32 hexadecimal digits that sorts by creation, to the millisecond."""
    return f"{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """Writes entries inside one transaction, in the name of one actor, at one moment."""

    records: Records
    actor: str
    source: str
    now: datetime

    def record(
        self,
        kind: Kind,
        contact: Contact | None,
        *,
        address: str | None = None,
        channel: Channel | None = None,
        sender: str | None = None,
        by: By | None = None,
        before: str = "",
        after: str = "",
        reason: str | None = None,
        evidence: Evidence | None = None,
        changes: Mapping[str, Pair] | None = None,
        occurred_at: datetime | None = None,
        creates: str | None = None,
    ) -> Contact | None:
        """Appends the entry and stores what it does. The contact as it is then; None when removed.

        `creates` is the id of a contact who comes into being with this entry.
        """
        version = contact.version if contact else 0
        entry = Entry(
            id=new_id(self.now),
            kind=kind,
            occurred_at=occurred_at or self.now,
            recorded_at=self.now,
            actor=self.actor,
            source=self.source,
            contact=contact.id if contact else creates,
            version=version + 1 if kind in CHANGING and (contact or creates) else version,
            channel=channel,
            sender=sender,
            by=by,
            before=before,
            after=after,
            address=address,
            reason=reason or None,
            evidence=evidence,
            changes=changes,
        )
        facts = self.records.facts(address) if address else None
        changed, known = apply(entry, contact, facts)
        if changed is None and contact is not None:
            self.records.remove_contact(contact.id)
        elif changed is not None and changed is not contact:
            self.records.put_contact(changed)
        if known is not None and known is not facts:
            self.records.put_facts(known)
        self.records.append(entry)
        return changed

    def record_for_holders(
        self,
        kind: Kind,
        address: str,
        *,
        channel: Channel,
        before: str,
        after: str,
        reason: str | None = None,
        by: By | None = None,
        occurred_at: datetime | None = None,
    ) -> None:
        """A fact of an address, logged on every contact who has it (rules.md §10)."""
        holders: list[Contact | None] = [*self.records.holders(address)]
        for holder in holders or [None]:
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
            )

    def restate(self, facts: AddressFacts, holder: Contact | None, channel: Channel) -> None:
        """Says what is known of an address once more, for `holder`: the entries that said it first
        are about to lose their personal part."""
        for sender, block in facts.blocks.items():
            holder = self.record(
                Kind.BLOCK,
                holder,
                address=facts.address,
                channel=channel,
                sender=sender,
                before=block.state,
                after=block.state,
                occurred_at=block.since,
            )
        if facts.bounced_at or facts.bounce.value != "NO":
            self.record(
                Kind.BOUNCE,
                holder,
                address=facts.address,
                channel=channel,
                by=By.CONTACT if facts.complaint else None,
                before=facts.bounce,
                after=facts.bounce,
                reason=facts.bounce_reason,
                occurred_at=facts.bounced_at,
            )
