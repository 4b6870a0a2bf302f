"""What one transaction did: what the journal keeps of it, and what undoing it takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

#: A document as JSON, or None where it was removed or is not there.
Document = bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where the Activity Log ends."""

    #: The offset behind its newest line.
    end: int
    seq: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalChange:
    """Filled while the transaction runs."""

    #: The log as the transaction found it.
    head: Head
    before: dict[tuple[str, str], Document] = field(default_factory=dict)
    after: dict[str, dict[str, Document]] = field(default_factory=dict)
    #: New lines of the log, in order.
    entries: list[bytes] = field(default_factory=list)
    #: By contact, where its newest line stood before.
    newest: dict[str, int] = field(default_factory=dict)
    #: Lines of the log that lost their personal part, by offset: before and after.
    redacted: dict[int, tuple[bytes, bytes]] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not (self.after or self.entries or self.redacted)


class Redaction(msgspec.Struct, frozen=True):
    """A line to be overwritten, padded to its length so that nothing behind it moves."""

    offset: int
    length: int
    entry: msgspec.Raw


class JournalRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of the journal: what was committed together."""

    #: `null` for a removed document.
    documents: dict[str, dict[str, msgspec.Raw]] = {}
    #: The offset of the first of the entries.
    at: int = 0
    entries: list[msgspec.Raw] = []
    redacted: list[Redaction] = []
    #: The generation of the journal that goes on from here.
    next: int | None = None


_NULL = msgspec.Raw(b"null")


def merged(changes: Iterable[JournalChange]) -> JournalRecord:
    """One record for several transactions, in their order."""
    changes = list(changes)
    documents: dict[str, dict[str, msgspec.Raw]] = {}
    for change in changes:
        for table, changed in change.after.items():
            documents.setdefault(table, {}).update(
                (id, _NULL if document is None else msgspec.Raw(document))
                for id, document in changed.items()
            )
    return JournalRecord(
        documents=documents,
        at=changes[0].head.end,
        entries=[msgspec.Raw(line) for change in changes for line in change.entries],
        redacted=[
            Redaction(offset=offset, length=len(line), entry=msgspec.Raw(line.rstrip()))
            for change in changes
            for offset, (_, line) in change.redacted.items()
        ],
    )


def document(raw: msgspec.Raw) -> Document:
    """Out of a record."""
    found = bytes(raw)
    return None if found == b"null" else found
