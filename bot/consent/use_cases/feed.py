"""The feed: what changed for whom, in the order of the Activity Log.

A row is an entry of the log that changed something. Its place is the entry's `seq`, which counts
without a gap in the order in which transactions were stored: whoever asks for what is behind a
place misses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from bot.consent.frozen import quick
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import Channel, Contact
from bot.consent.rules import Answer
from bot.consent.store import Records
from bot.consent.use_cases.context import Service

#: Entries that are looked at for one page, at most: a page may be shorter than asked for.
_MOST_READ = 5_000


class FeedType(StrEnum):
    """What changed, as the API and the webhooks name it."""

    CONTACT = "contact.changed"
    CONSENT = "consent.changed"
    BLOCK = "block.changed"
    #: Deliverability: a bounce, what counts towards one, a complaint.
    BOUNCE = "bounce.changed"
    CASE = "case.changed"


#: A hold keeps the answer at no until somebody has read the reply: consent is in doubt.
_TYPES = {
    EntryKind.CONTACT: FeedType.CONTACT,
    EntryKind.ERASED: FeedType.CONTACT,
    EntryKind.CONSENT: FeedType.CONSENT,
    EntryKind.HOLD: FeedType.CONSENT,
    EntryKind.BLOCK: FeedType.BLOCK,
    EntryKind.BOUNCE: FeedType.BOUNCE,
    EntryKind.CASE: FeedType.CASE,
}
#: Looked up in a table: an enum's own call takes longer, and a feed has many rows.
_CHANNELS = {channel.value: channel for channel in Channel}
_ANSWERS = {answer.value: answer for answer in Answer}
_NOBODY: Mapping[str, tuple[str, str]] = {}


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRow:
    """One change."""

    entry: Entry
    type: FeedType
    #: As they are now; None of an address that nobody has, and of a contact who was removed.
    contact: Contact | None

    @property
    def seq(self) -> int:
        """The place in the feed."""
        return self.entry.seq

    @property
    def before(self) -> Mapping[Channel, Answer]:
        """The answers before the change, by channel; empty where it concerns none."""
        return self._answers(0)

    @property
    def after(self) -> Mapping[Channel, Answer]:
        """The answers after it."""
        return self._answers(1)

    def _answers(self, which: int) -> Mapping[Channel, Answer]:
        pairs = (self.entry.answers or _NOBODY).items()
        return {_CHANNELS[channel]: _ANSWERS[pair[which]] for channel, pair in pairs}


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """Some rows of the feed, the oldest first."""

    rows: tuple[FeedRow, ...]
    #: The place behind which to go on.
    next: int
    #: Whether the log goes on behind it.
    more: bool


def changes(service: Service, after: int, *, limit: int) -> FeedPage:
    """At most `limit` rows behind the place `after`; 0 is the beginning."""
    with service.store.reading() as records:
        return changes_in(records, after, limit=limit)


def changes_in(records: Records, after: int, *, limit: int) -> FeedPage:
    """The same, inside a transaction."""
    found: list[Entry] = []
    place = after
    for entry in islice(records.log.since(after), _MOST_READ):
        if len(found) == limit:
            break
        place = entry.seq
        if entry.kind in _TYPES:
            found.append(entry)
    return FeedPage(rows=_rows(records, found), next=place, more=place < records.log.head()[0])


def _rows(records: Records, entries: Sequence[Entry]) -> tuple[FeedRow, ...]:
    known = records.contacts.get_many({entry.contact for entry in entries if entry.contact})
    return tuple(
        FeedRow(entry=entry, type=_TYPES[entry.kind], contact=known.get(entry.contact or ""))
        for entry in entries
    )


def newest_place(service: Service) -> int:
    """Where the feed ends now."""
    with service.store.reading() as records:
        return records.log.head()[0]


def newest_changes(service: Service, *, limit: int) -> FeedPage:
    """The newest rows, the newest first."""
    with service.store.reading() as records:
        entries = records.log.entries(kinds=_TYPES, limit=limit)
        return FeedPage(rows=_rows(records, entries), next=records.log.head()[0], more=False)


def entries_since(service: Service, after: int, *, limit: int) -> tuple[list[Entry], bool]:
    """At most `limit` entries of the log behind the place `after`, and whether it goes on."""
    with service.store.reading() as records:
        found = list(islice(records.log.since(after), limit))
        return found, (found[-1].seq if found else after) < records.log.head()[0]
