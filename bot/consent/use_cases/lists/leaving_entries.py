"""What the log says of an entry of a list that Optin takes off, or of one that changed: on
everybody who has the address."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.consent.log.changes import BlockChanged, Change
from bot.consent.model import (
    BlockState,
    Channel,
    Contact,
)
from bot.consent.store import Records
from bot.consent.suppressions import Listing, why
from bot.consent.use_cases.context import Service

SYSTEM = "system"


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


def left_behind(log: ChangeLog, contact: Contact, key: str) -> Contact:
    """Nobody has the address from now on, once this contact has gone: what Optin was taking off for
    them stays on the lists. Returns the contact."""
    others = [holder for holder in log.records.contacts.at(key) if holder.id != contact.id]
    if others:
        return contact
    for name, block in log.records.addresses.get(key).blocks.items():
        if block.leaving:
            change = leaving_change(log, name, block.state, leaving=False, reason=_GONE)
            after = log.record(contact, change, address=key, channel=Channel.EMAIL, actor=SYSTEM)
            assert after is not None
            contact = after
    return contact


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
    record_on_holders(log, key, leaving_change(log, name, state, leaving=leaving, reason=reason))


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


def leaving_change(
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
