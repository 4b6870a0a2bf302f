"""What a provider tells of Optin's own writes to its lists, as if it were news.

Optin added the address, and the provider says that our own side suppressed it. Optin is taking an
entry off, and a message is dropped because the entry still stands. Neither is an act of anybody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from bot.consent.records import WriteBacks
from bot.consent.suppressions import Cause, Listing
from bot.consent.use_cases.ingest.event_context import EventContext
from bot.consent.write_backs import ECHO_WITHIN, OPEN, WriteAction, WriteBack


def echoes_add(taking: EventContext) -> bool:
    """Whether the event tells of an opt-out that Optin added."""
    name = Listing(provider=taking.event.provider, cause=Cause.OURS).name
    write = taking.records.write_backs.get(f"{name}:{taking.key}") if _writes(taking) else None
    if write is None:
        return False
    under_way = write.action is WriteAction.ADD and write.state in OPEN
    return under_way or _is_near(write.added_at, taking.at)


def echoes_removal(taking: EventContext) -> bool:
    """Whether the event tells that an entry is gone that Optin takes off."""
    return any(
        write.state in OPEN or _is_near(write.removed_at, taking.at) for write in _removals(taking)
    )


def is_leaving(taking: EventContext, causes: Collection[Cause]) -> bool:
    """Whether a message was dropped because of an entry of one of these causes that Optin is taking
    off, or has taken off since."""
    for write in _removals(taking):
        open_or_later = write.state in OPEN or (
            write.removed_at is not None and taking.at <= write.removed_at
        )
        if open_or_later and Listing.of(write.listing).cause in causes:
            return True
    return False


def _removals(taking: EventContext) -> Iterator[WriteBack]:
    if not _writes(taking):
        return
    rows: WriteBacks = taking.records.write_backs
    for write in rows.of(taking.key):
        mine = write.provider == taking.event.provider
        if mine and write.action is WriteAction.REMOVE and write.wished_at <= taking.now:
            yield write


def _writes(taking: EventContext) -> bool:
    """Whether Optin writes to the lists of the event's provider."""
    return taking.service.providers.writes(taking.event.provider)


def _is_near(made: datetime | None, at: datetime) -> bool:
    return made is not None and abs(made - at) <= ECHO_WITHIN
