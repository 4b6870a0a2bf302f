"""Everything out of one storage into another, empty one, as it is: each entry of the log keeps its
place, its salt and its hash.

It goes in by batches, so that memory stays flat. Until the last of them is there and all was
compared, a mark says that the storage is half a copy: nobody works with it, and the same copy begun
again does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Any, TypeVar

from bot.consent.errors import Refused
from bot.consent.store import Records, Store
from bot.consent.use_cases.verify import verify_store

T = TypeVar("T")
#: What is done, and how much of it; of how much, where that is known.
Progress = Callable[[str, int, int | None], None]

#: The mark of half a copy. Its text is where the log of the source ended.
MARK = "copying"
_BATCH = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What the new storage has: the same as the old one."""

    contacts: int
    entries: int
    #: Hash of the newest entry.
    head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedKind:
    """How values of one kind are read and put."""

    #: In a backup.
    key: str
    #: For a person.
    name: str
    read: Callable[[Records], Iterable[Any]]
    put: Callable[[Records, Any], object]


#: In the order in which they are copied. The log comes first, and the marks last.
KINDS = (
    CopiedKind(
        key="log",
        name="log entries",
        read=lambda r: r.log.all(),
        put=lambda r, entry: r.log.adopt(entry),
    ),
    CopiedKind(
        key="contacts",
        name="contacts",
        read=lambda r: r.contacts.all(),
        put=lambda r, c: r.contacts.put(c),
    ),
    CopiedKind(
        key="addresses",
        name="addresses",
        read=lambda r: r.addresses.all(),
        put=lambda r, f: r.addresses.put(f),
    ),
    CopiedKind(
        key="events",
        name="events",
        read=lambda r: r.events.all(),
        put=lambda r, event: r.events.put(event),
    ),
    CopiedKind(
        key="alerts",
        name="alerts",
        read=lambda r: r.outbox.all(),
        put=lambda r, alert: r.outbox.put(alert),
    ),
    CopiedKind(
        key="cases",
        name="cases",
        read=lambda r: r.cases.all(),
        put=lambda r, case: r.cases.put(case),
    ),
    CopiedKind(
        key="write_backs",
        name="writes to lists",
        read=lambda r: r.write_backs.all(),
        put=lambda r, write: r.write_backs.put(write),
    ),
    CopiedKind(
        key="imports",
        name="imports",
        read=lambda r: r.imports.all()[::-1],
        put=lambda r, i: r.imports.put(i),
    ),
    CopiedKind(
        key="marks",
        name="marks",
        read=lambda r: r.key_value.all(),
        put=lambda r, mark: r.key_value.put(*mark),
    ),
)


LOG = KINDS[0]


def is_half_a_copy(store: Store) -> bool:
    with store.reading() as records:
        return records.key_value.get(MARK) is not None


def copy(
    source: Store,
    target: Store,
    *,
    but: Collection[str] = (),
    begun: Callable[[], object] = lambda: None,
    progress: Progress = lambda what, done, total: None,
) -> Copied:
    """Copies everything but these marks; `begun` is called once it is certain that the target may
    be written to. Raises `Refused` where the target is neither empty nor
    half a copy of the same, or where the source was written to meanwhile."""
    but = {MARK, *but}
    with source.reading() as records:
        seq, head = records.log.head()
        begin(target, f"{seq} {head}", but)
        begun()
        for kind in KINDS:
            _copy(kind, records, target, but, progress)
        with target.reading() as copied:
            for kind in KINDS:
                _compare(kind, records, copied, but)
            contacts = copied.contacts.count()
    verdict = verify_store(target, progress=lambda done: progress("Verifying", done, seq))
    if verdict.problem or (verdict.entries, verdict.head) != (seq, head):
        raise Refused(f"The copy does not hold. {verdict.problem or ''}".rstrip())
    with source.reading() as records:
        if records.log.head() != (seq, head):
            raise Refused(_WRITTEN)
    with target.transaction() as records:
        records.key_value.put(MARK, None)
    return Copied(contacts=contacts, entries=seq, head=head)


def begin(target: Store, of: str, but: set[str], what: str = "copy") -> None:
    """Marks the target as half a copy of this, and takes away what may have gone from the source
    since the copy was begun for the first time: all else that is there is there to stay."""
    with target.transaction() as records:
        begun = records.key_value.get(MARK)
        if begun is None and not all(_is_empty(kind, records, but) for kind in KINDS):
            raise Refused(
                f"The storage to {what} to is not empty. Name one that does not exist yet, or an "
                "empty database."
            )
        if begun not in (None, of):
            raise Refused(_ANOTHER[what])
        for alert in list(records.outbox.all()):
            records.outbox.remove(alert.id)
        for write in list(records.write_backs.all()):
            records.write_backs.remove(write.id)
        for name, _ in list(records.key_value.all()):
            if name not in but:
                records.key_value.put(name, None)
        records.key_value.put(MARK, of)


def _copy(
    kind: CopiedKind, source: Records, target: Store, but: set[str], progress: Progress
) -> None:
    values = values_of(kind, source, but)
    total = source.log.head()[0] if kind is LOG else None
    put_all(kind, values, target, lambda done: progress(f"Copying {kind.name}", done, total))


def put_all(
    kind: CopiedKind,
    values: Iterable[Any],
    target: Store,
    told: Callable[[int], None],
) -> int:
    """Puts values of one kind in batches, but for entries that the target has already. Returns how
    many there are."""
    done = 0
    values = iter(values)
    if kind is LOG:
        with target.reading() as records:
            done = records.log.head()[0]
        # What an interrupted run has put stays.
        done = sum(1 for _ in islice(values, done))
    while batch := list(islice(values, _BATCH)):
        with target.transaction() as records:
            for value in batch:
                kind.put(records, value)
        done += len(batch)
        told(done)
    return done


def _compare(kind: CopiedKind, source: Records, target: Records, but: set[str]) -> None:
    for value, copied in zip_longest(
        values_of(kind, source, but), values_of(kind, target, but), fillvalue=None
    ):
        if value != copied:
            raise Refused(f"The copy is not the same: its {kind.name} differ. {_WRITTEN}")


def _is_empty(kind: CopiedKind, records: Records, but: set[str]) -> bool:
    return next(values_of(kind, records, but), None) is None


def values_of(kind: CopiedKind, records: Records, but: set[str]) -> Iterator[Any]:
    values = iter(kind.read(records))
    if kind is KINDS[-1]:
        return (mark for mark in values if mark[0] not in but)
    return values


_ANOTHER = {
    "copy": "The storage to copy to is half a copy of something else, or this one was written to "
    "since. Remove it, and copy again with Optin stopped.",
    "restore": "The storage to restore to holds half of another backup. Remove it, and restore "
    "again.",
}
_WRITTEN = "The storage was written to while it was copied. Stop Optin, and copy again."
