"""A backup of a storage in use, and a storage out of a backup: both by the kinds of values that
`copy_storage` copies, and verified at both ends.

A backup is one reading transaction: one state, while others write on. Where a backup is stored, and
in which form, is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from bot.consent.errors import Corrupt, Refused
from bot.consent.log.chain import GENESIS, holds
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.store import Store
from bot.consent.use_cases.copy_storage import (
    KINDS,
    LOG,
    MARK,
    Copied,
    Progress,
    begin,
    put_all,
    values_of,
)
from bot.consent.use_cases.verify import verify_store

#: Takes the next value, with the key of its kind.
Put = Callable[[str, Any], None]


class ErasedMeanwhile(Refused):
    """Somebody was erased while the backup was made, so it may not be kept. Make it again."""


def back_up(
    store: Store,
    begun: Callable[[int, str], Put],
    *,
    but: Collection[str] = (),
    progress: Progress = lambda what, done, total: None,
) -> Copied:
    """Gives everything but these marks to what `begun` returns, which is told the newest entry's
    `seq` and hash. Raises `Corrupt` where the log's chain does not hold, and `ErasedMeanwhile`."""
    but = {MARK, *but}
    with store.reading() as records:
        seq, head = records.log.head()
        put = begun(seq, head)
        chain = ChainCheck("run optin verify")
        for kind in KINDS:
            total = seq if kind is LOG else None
            for done, value in enumerate(values_of(kind, records, but), 1):
                if kind is LOG:
                    chain.take(value)
                put(kind.key, value)
                if done % 1_000 == 0:
                    progress(f"Backing up {kind.name}", done, total)
        contacts = records.contacts.count()
    chain.end(seq, head)
    with store.reading() as records:
        # TinyDB redacts lines where they stand, also those that a transaction still reads. And what
        # was erased belongs into no new backup.
        if any(entry.kind is EntryKind.ERASED for entry in records.log.since(seq)):
            raise ErasedMeanwhile
    return Copied(contacts=contacts, entries=seq, head=head)


class ChainCheck:
    """Checks entries one after the other, while they pass by."""

    def __init__(self, otherwise: str) -> None:
        """`otherwise` ends the sentence about a chain that does not hold."""
        self.seq, self.hash = 0, GENESIS
        self._otherwise = otherwise

    def take(self, entry: Entry) -> None:
        """Raises `Corrupt` unless this is the next entry of the chain."""
        if entry.seq != self.seq + 1 or not holds(entry, self.hash):
            raise Corrupt(
                f"Entry {entry.seq} of the Activity Log does not hold: {self._otherwise}."
            )
        self.seq, self.hash = entry.seq, entry.hash

    def end(self, seq: int, head: str) -> None:
        """Raises `Corrupt` unless this is where the log ends."""
        if (self.seq, self.hash) != (seq, head):
            raise Corrupt(f"The end of the Activity Log is missing: {self._otherwise}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupContents:
    """What is in a backup, as it says itself."""

    #: Tells this backup from any other.
    id: str
    #: Of the newest entry.
    seq: int
    head: str
    #: How many values there are, by the key of their kind.
    counts: Mapping[str, int]


def restore_backup(
    values: Iterable[tuple[str, Any]],
    contents: BackupContents,
    target: Store,
    *,
    but: Collection[str] = (),
    begun: Callable[[], object] = lambda: None,
    progress: Progress = lambda what, done, total: None,
) -> Copied:
    """Puts the values of a backup, in their order, into an empty storage, and verifies it.

    What was interrupted is done by the same call again. `begun` is called once it is certain that
    the target may be written to. Raises `Refused` where the target is not empty, or is not what the
    backup says in the end.
    """
    seq, head, counts = contents.seq, contents.head, contents.counts
    but = {MARK, *but}
    begin(target, f"backup {contents.id}", but, "restore")
    begun()
    kinds = {kind.key: kind for kind in KINDS}
    for key, group in groupby(values, key=lambda one: one[0]):
        kind, total = kinds[key], counts.get(key)

        def told(done: int, what: str = kind.name, total: int | None = total) -> None:
            progress(f"Restoring {what}", done, total)

        put_all(kind, (value for _, value in group), target, told)
    verdict = verify_store(target, progress=lambda done: progress("Verifying", done, seq))
    if verdict.problem or (verdict.entries, verdict.head) != (seq, head):
        raise Refused(f"The restored storage does not hold. {verdict.problem or ''}".rstrip())
    with target.reading() as records:
        for kind in KINDS:
            found = sum(1 for _ in values_of(kind, records, but))
            if found != counts.get(kind.key, 0):
                raise Refused(
                    f"The restored storage has {found:,} {kind.name}, and the backup "
                    f"{counts.get(kind.key, 0):,}."
                )
        contacts = records.contacts.count()
    with target.transaction() as records:
        records.key_value.put(MARK, None)
    return Copied(contacts=contacts, entries=seq, head=head)
