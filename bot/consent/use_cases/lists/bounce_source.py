"""Which provider told of a bounce, as the log has it."""

from __future__ import annotations

from bot.consent.addresses import key_of
from bot.consent.log.entries import EntryKind
from bot.consent.model import Bounce, Channel, Contact
from bot.consent.store import Records

#: Entries of a contact in which the bounce is looked for, at most.
_MOST_ENTRIES = 50


def bounce_source(records: Records, holder: Contact, key: str) -> str | None:
    """The id of the provider; None where a person or a file told of it."""
    channel = Channel.EMAIL if "@" in key else Channel.SMS
    for entry in records.log.entries(
        contact=holder.id, kinds=(EntryKind.BOUNCE,), channel=channel, limit=_MOST_ENTRIES
    ):
        if entry.after == Bounce.YES and key_of(entry.address or "") == key:
            kind, _, provider = entry.source.partition(":")
            return provider if kind == "provider" else None
    return None
