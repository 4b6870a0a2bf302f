"""The journal: a line for each commit since the snapshot, with a checksum.

A transaction fills a `JournalChange`; those that are committed together make one `JournalRecord`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

import msgspec

from bot.consent.errors import Corrupt
from bot.consent.frozen import quick
from storage import files

#: What a block that never reached the disk reads as. No line of ours holds it.
_HOLE = b"\0" * 64
#: A removed document.
_NULL = msgspec.Raw(b"null")

#: A document as JSON, or None where it was removed or is not there.
Document = bytes | None


@quick
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


class Title(msgspec.Struct, frozen=True):
    """The first line of a journal."""

    #: The id of the storage that it belongs to.
    store: str
    generation: int


_titles = msgspec.json.Decoder(Title)
_records = msgspec.json.Decoder(JournalRecord)


class Journal:
    """The journal of one generation. Line: checksum, space, JSON."""

    def __init__(self, path: Path, descriptor: int, title: Title, end: int) -> None:
        self.path = path
        self.name = str(path)
        self.generation = title.generation
        self.inode = os.fstat(descriptor).st_ino
        #: Behind the last line that was read or written.
        self.end = end
        self._descriptor = descriptor

    @classmethod
    def create(cls, snapshot: Path, title: Title) -> Journal:
        """Empty and on the disk; replaces one that was prepared and never used."""
        path = path_of(snapshot, title.generation)
        descriptor = files.open_file(path, os.O_CREAT | os.O_TRUNC)
        line = _framed(msgspec.json.encode(title))
        try:
            files.write(descriptor, line, 0)
            os.fsync(descriptor)
            files.sync_folder(path.parent)
        except OSError:
            os.close(descriptor)
            raise
        return cls(path, descriptor, title, len(line))

    @classmethod
    def open(cls, snapshot: Path, title: Title) -> Journal:
        """Raises FileNotFoundError, or `Corrupt` where it belongs to something else."""
        path = path_of(snapshot, title.generation)
        descriptor = files.open_file(path, 0)
        line = _framed(msgspec.json.encode(title))
        try:
            if files.read(descriptor, len(line), 0) != line:
                raise Corrupt(f"{path} is damaged or belongs to another storage. {files.ADVICE}")
        except BaseException:
            os.close(descriptor)
            raise
        return cls(path, descriptor, title, len(line))

    def grown(self) -> bool:
        """Whether there is something in it that was not read yet."""
        return files.size(self._descriptor) != self.end

    def shrunk(self) -> bool:
        """Whether something is gone that was read."""
        return files.size(self._descriptor) < self.end

    def read(self) -> Iterator[JournalRecord]:
        """What was not read yet. Stops before a torn last line; `grown` is true then.

        Raises `Corrupt` at any other line that is not as it was written.
        """
        with open(self._descriptor, "rb", closefd=False) as file:
            file.seek(self.end)
            for line in file:
                if not _whole(line):
                    if _torn(line) and not file.read(1):
                        return
                    raise Corrupt(f"{self.path} is damaged at byte {self.end}. {files.ADVICE}")
                try:
                    record = _records.decode(line[9:])
                except msgspec.MsgspecError:
                    raise Corrupt(
                        f"{self.path} holds something at byte {self.end} that this version of "
                        f"Optin can't read. It was left untouched."
                    ) from None
                self.end += len(line)
                yield record

    def append(self, record: JournalRecord) -> None:
        """On the disk when this returns; taken back when it raises OSError."""
        line = _framed(msgspec.json.encode(record))
        try:
            files.write(self._descriptor, line, self.end)
            self.sync()
        except BaseException as error:
            try:
                self.cut()
            except OSError as worse:
                # Then nobody knows what the file holds.
                raise files.SyncFailed(worse.errno, worse.strerror) from error
            raise
        self.end += len(line)

    def cut(self) -> None:
        """Takes away what stands behind the last whole line."""
        os.ftruncate(self._descriptor, self.end)

    def sync(self) -> None:
        files.sync(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)


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


def path_of(snapshot: Path, generation: int) -> Path:
    return snapshot.with_name(f"{snapshot.name}.journal.{generation}")


def generations(snapshot: Path) -> list[int]:
    """Of all journals that lie beside the snapshot."""
    prefix = f"{snapshot.name}.journal."
    ends = (
        p.name.removeprefix(prefix) for p in snapshot.parent.iterdir() if p.name.startswith(prefix)
    )
    return sorted(int(end) for end in ends if end.isdecimal())


def _framed(payload: bytes) -> bytes:
    return b"%08x %s\n" % (crc32(payload), payload)


def _whole(line: bytes) -> bool:
    return line[8:9] == b" " and line == _framed(line[9:-1])


def _torn(line: bytes) -> bool:
    """A kill leaves the beginning of a line; a power cut may leave holes in it, too. A whole
    line whose end alone is wrong was not torn but damaged."""
    damaged = line[8:9] == b" " and b"%08x" % crc32(line[9:-1]) == line[:8]
    return _HOLE in line or not (line.endswith(b"\n") or damaged)
