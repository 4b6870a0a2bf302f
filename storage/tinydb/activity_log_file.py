"""The Activity Log: a file that only grows, a line of JSON for each entry.

Each line knows where the one before of the same contact begins (`back`), so a contact's entries
are read newest first without an index. The journal is written and synced before the log: what
a kill left out of the log is written again from there.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import TypeVar

import msgspec

from bot.consent.errors import Corrupt
from bot.consent.log.chain import GENESIS, holds, redact, seal
from bot.consent.log.entries import Entry
from storage import files
from storage.documents import encode
from storage.tinydb.journal import Head, JournalChange, JournalRecord


class LineSummary(msgspec.Struct, frozen=True, gc=False):
    """What a reader needs of a line to go on to the next, or to skip it."""

    back: int
    seq: int
    hash: str
    kind: str
    actor: str
    contact: str | None = None
    channel: str | None = None


T = TypeVar("T")

_summary = msgspec.json.Decoder(LineSummary)
_entry = msgspec.json.Decoder(Entry)


class LogFile:
    """The open log file, and the lines that it does not have yet."""

    def __init__(self, descriptor: int, first: int) -> None:
        self._descriptor = descriptor
        # The file begins with a title, so no entry stands at 0.
        self._lines = files.Lines(descriptor, first)
        #: For the next entries.
        self._salts: list[str] = []
        self.load(Head(end=first, seq=0, hash=GENESIS), {})

    def load(self, head: Head, newest: dict[str, int]) -> None:
        self.head = head
        #: By contact, where its newest line begins.
        self.newest = newest
        #: Lines that the file does not have yet, by offset: new ones, and redacted ones.
        self._unwritten: dict[int, bytes] = {}
        #: What is behind this in the file is not ours yet.
        self._written = head.end

    # In a transaction

    def append(self, entry: Entry, change: JournalChange) -> Entry:
        self._salts = self._salts or _salts()
        salt = self._salts.pop()
        sealed = seal(entry, seq=self.head.seq + 1, previous=self.head.hash, salt=salt)
        self._add(sealed, change)
        return sealed

    def adopt(self, entry: Entry, change: JournalChange) -> None:
        """One that was sealed elsewhere."""
        if entry.seq != self.head.seq + 1 or not holds(entry, self.head.hash):
            raise Corrupt(f"Entry {entry.seq} does not follow entry {self.head.seq} of this log.")
        self._add(entry, change)

    def _add(self, sealed: Entry, change: JournalChange) -> None:
        back = self.newest.get(sealed.contact, 0) if sealed.contact else 0
        line = b'{"back":%d,%s' % (back, encode(sealed)[1:])
        if sealed.contact:
            change.newest.setdefault(sealed.contact, back)
        change.entries.append(line)
        self._take(line, sealed.seq, sealed.hash, sealed.contact)

    def redact(self, contact: str, change: JournalChange) -> None:
        for offset, line, mark in list(self._of(contact)):
            entry = self.entry(offset, line)
            if entry.redacted:
                continue
            bare = b'{"back":%d,%s' % (mark.back, encode(redact(entry))[1:])
            change.redacted[offset] = (line, bare.ljust(len(line)))
            self._unwritten[offset] = change.redacted[offset][1]

    def undo(self, change: JournalChange) -> None:
        for offset, (line, _) in change.redacted.items():
            self._unwritten[offset] = line
        offset = change.head.end
        for line in change.entries:
            self._unwritten.pop(offset, None)
            offset += len(line) + 1
        for contact, newest in change.newest.items():
            if newest:
                self.newest[contact] = newest
            else:
                self.newest.pop(contact, None)
        self.head = change.head

    # What is stored already

    def take(self, record: JournalRecord) -> None:
        """What another process, or an earlier one, committed."""
        if record.entries and record.at != self.head.end:
            raise Corrupt(f"The journal and the Activity Log don't fit together. {files.ADVICE}")
        for entry in record.entries:
            line = bytes(entry)
            mark = _summary.decode(line)
            self._take(line, mark.seq, mark.hash, mark.contact)
        for redaction in record.redacted:
            self._unwritten[redaction.offset] = bytes(redaction.entry).ljust(redaction.length)

    def write(self) -> None:
        """Brings the file up to date, where it is not. Raises OSError; nothing is lost then."""
        for offset, line in sorted(self._unwritten.items()):
            ended = line + b"\n"
            if files.read(self._descriptor, len(ended), offset) != ended:
                files.write(self._descriptor, ended, offset)
        self._unwritten.clear()
        self._written = self.head.end

    def write_commit(self, changes: list[JournalChange]) -> None:
        """Writes what was just committed, while other transactions may add to the log."""
        start = changes[0].head.end
        lines = [line for change in changes for line in change.entries]
        redacted = {
            offset: line for change in changes for offset, (_, line) in change.redacted.items()
        }
        if start != self._written:
            # The disk was full, and these wait for those before.
            raise OSError("the log lags behind")
        data = b"".join(line + b"\n" for line in lines)
        files.write(self._descriptor, data, start)
        for offset, line in redacted.items():
            files.write(self._descriptor, line, offset)
        self._written = start + len(data)
        for line in lines:
            redacted.setdefault(start, line)
            start += len(line) + 1
        for offset, line in redacted.items():
            if self._unwritten.get(offset) is line:
                del self._unwritten[offset]

    def sync(self) -> None:
        files.sync(self._descriptor)

    def size(self) -> int:
        return files.size(self._descriptor)

    # Reading

    def newest_first(
        self, *, contact: str | None = None, actor: str | None = None, before: int | None = None
    ) -> Iterator[tuple[int, bytes, LineSummary]]:
        """The lines, or the contact's, or the actor's, whose `seq` is below `before`."""
        found = self._of(contact) if contact else self._backwards(actor, before)
        for offset, line, mark in found:
            if (before is None or mark.seq < before) and actor in (None, mark.actor):
                yield offset, line, mark

    def entry(self, offset: int, line: bytes) -> Entry:
        return _decoded(_entry, line, offset)

    def oldest_first(self) -> Iterator[Entry]:
        written, unwritten = self._ends()
        for offset, line in self._lines.forwards(written):
            yield self.entry(offset, self._unwritten.get(offset, line))
        for offset in unwritten:
            yield self.entry(offset, self._line(offset))

    def _of(self, contact: str) -> Iterator[tuple[int, bytes, LineSummary]]:
        offset = self.newest.get(contact, 0)
        while offset:
            line = self._line(offset)
            mark = _decoded(_summary, line, offset)
            if mark.contact != contact or not 0 <= mark.back < offset:
                raise Corrupt(f"The Activity Log is damaged at byte {offset}. {files.ADVICE}")
            yield offset, line, mark
            offset = mark.back

    def _backwards(
        self, actor: str | None, before: int | None
    ) -> Iterator[tuple[int, bytes, LineSummary]]:
        written, unwritten = self._ends()
        for offset in reversed(unwritten):
            line = self._line(offset)
            yield offset, line, _decoded(_summary, line, offset)
        if before is not None:
            written = self._lines.first_from(before, written, _seq)
        # Cheaper than decoding a line only to see that somebody else acted.
        part = encode(actor) if actor else b""
        for offset, line in self._lines.backwards(written, part):
            line = self._unwritten.get(offset, line)
            yield offset, line, _decoded(_summary, line, offset)

    def _line(self, offset: int) -> bytes:
        return self._unwritten.get(offset) or self._lines.line(offset)

    def _ends(self) -> tuple[int, list[int]]:
        """Where the file ends, and where the lines begin that it does not have yet.

        A commit may be writing meanwhile: it moves the end first, then forgets the lines.
        """
        lines = list(self._unwritten)
        written = self._written
        return written, sorted(offset for offset in lines if offset >= written)

    def _take(self, line: bytes, seq: int, hash: str, contact: str | None) -> None:
        end = self.head.end
        self._unwritten[end] = line
        if contact:
            self.newest[contact] = end
        self.head = Head(end=end + len(line) + 1, seq=seq, hash=hash)


def _salts() -> list[str]:
    """Of 32 random digits each. Many at once, since it is the call to the system that costs."""
    digits = secrets.token_hex(1024)
    return [digits[at : at + 32] for at in range(0, len(digits), 32)]


def _seq(offset: int, line: bytes) -> int:
    return _decoded(_summary, line, offset).seq


def _decoded(decoder: msgspec.json.Decoder[T], line: bytes, offset: int) -> T:
    try:
        return decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Corrupt(f"The Activity Log is damaged at byte {offset}. {files.ADVICE}") from None
