"""Losses of the log's end that a person accepted. Each one is an entry of the log, which says what
was lost: the largest head that was remembered, and up to which entry the log agreed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.consent.log.changes import Noted
from bot.consent.log.entries import (
    ROLLBACK_FIRST,
    ROLLBACK_KEPT,
    ROLLBACK_LATE,
    ROLLBACK_LOST,
    Entry,
    EntryKind,
)
from bot.consent.log.heads import LogHead
from bot.consent.records import KeyValue, Log
from bot.consent.storage_behind import LogEnd, RememberedHead
from bot.consent.store import Records
from bot.consent.use_cases.log_tree import log_id

#: The key value with the `seq` of each acceptance. What it accepts is only in the log.
_ACCEPTANCES = "storage-behind-acceptances"


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedLoss:
    """What a person accepted as lost."""

    #: The entry that says so.
    entry: Entry
    #: The largest head that was remembered and that the log did not have.
    size: int
    chain: str
    #: The log agreed with what was remembered up to this entry; 0 where nothing shows that.
    kept: int
    #: The first entry that is certainly lost, or another one now.
    first: int
    #: Hashes of the lost heads whose time is after the acceptance, because a clock was wrong. Heads
    #: that come later have such times, too, so these count as lost and no others.
    late: frozenset[str]

    @property
    def by(self) -> str:
        """Who accepted it, as in the log."""
        return self.entry.actor

    @property
    def at(self) -> datetime:
        return self.entry.recorded_at

    @property
    def entries(self) -> str:
        """Which ones are certainly lost: "entries 6 to 10"."""
        if self.first == self.size:
            return f"entry {self.size:,}"
        return f"entries {self.first:,} to {self.size:,}"

    def covers(self, size: int, chain: str, at: datetime, *, of_this_log: bool = True) -> bool:
        """Whether this head, remembered at this time, counts as lost where the log does
        not have it. One of another log does where nothing of the old log was kept."""
        in_time = at <= self.at or chain in self.late
        return self.kept < size and in_time and (of_this_log or self.kept == 0)


def accepted_losses(records: Records) -> list[AcceptedLoss]:
    """All of them, the oldest first."""
    found: list[AcceptedLoss] = []
    for seq in _acceptances(records.key_value):
        entries = records.log.entries(before=seq + 1, limit=1)
        loss = read_loss(entries[0]) if entries and entries[0].seq == seq else None
        found += [loss] if loss else []
    return found


def remember_acceptance(records: Records) -> None:
    """The newest entry is one."""
    seq, _ = records.log.head()
    records.key_value.put(_ACCEPTANCES, json.dumps([*_acceptances(records.key_value), seq]))


def read_loss(entry: Entry) -> AcceptedLoss | None:
    """What the entry accepts as lost; None where it is about something else. Notes of earlier
    versions said it in words alone, and accept nothing here."""
    told = entry.changes or {}
    if entry.kind is not EntryKind.NOTE or entry.contact or ROLLBACK_LOST not in told:
        return None
    size, chain = told[ROLLBACK_LOST]
    return AcceptedLoss(
        entry=entry,
        size=int(str(size)),
        chain=str(chain),
        kept=int(str(told[ROLLBACK_KEPT][1])),
        first=int(str(told[ROLLBACK_FIRST][1])),
        late=frozenset(str(told[ROLLBACK_LATE][1]).split()),
    )


def note_of_loss(reason: str, *, lost: LogEnd, kept: int, first: int, late: Iterable[str]) -> Noted:
    """What is recorded where a person accepts a loss. See `AcceptedLoss` for the values."""
    return Noted(
        reason=reason,
        changes={
            ROLLBACK_LOST: (str(lost[0]), lost[1]),
            ROLLBACK_KEPT: (None, str(kept)),
            ROLLBACK_FIRST: (None, str(first)),
            ROLLBACK_LATE: (None, " ".join(sorted(late))),
        },
    )


def loss_of_head(
    records: Records, head: LogHead, losses: Iterable[AcceptedLoss]
) -> AcceptedLoss | None:
    """The acceptance for which the log does not have this head; None where the log has it, or where
    nobody accepted that it has not."""
    same = log_id(records.log) == head.log
    if same and "".join(records.log.hashes(head.size - 1, 1)) == head.chain:
        return None
    covering = (
        one for one in losses if one.covers(head.size, head.chain, head.at, of_this_log=same)
    )
    return next(covering, None)


def has_head(log: Log, head: RememberedHead, end: LogEnd) -> bool:
    """Whether the log has this entry. `end` is where the log ends."""
    if head.size >= end[0]:
        return (head.size, head.chain) == end
    entries = log.entries(before=head.size + 1, limit=1)
    return bool(entries) and entries[0].hash == head.chain


def _acceptances(key_value: KeyValue) -> list[int]:
    text = key_value.get(_ACCEPTANCES)
    return [int(seq) for seq in json.loads(text)] if text else []
