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

from bot.consent.addresses import HASH, key_of
from bot.consent.errors import Corrupt
from bot.consent.log.chain import GENESIS, ChainLink, holds, redact, seal
from bot.consent.log.entries import Answers, Entry
from storage import files
from storage.documents import encode
from storage.sealed_lines import links
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


class _LineAddress(msgspec.Struct, frozen=True, gc=False):
    address: str | None = None


T = TypeVar("T")

_summary = msgspec.json.Decoder(LineSummary)
_entry = msgspec.json.Decoder(Entry)
_about = msgspec.json.Decoder(_LineAddress)
#: Digits at the end of a phone number that are the same in each of its spellings.
_SAME_DIGITS = 7


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

    def append(self, entry: Entry, answers: Answers | None, change: JournalChange) -> Entry:
        self._salts = self._salts or _salts()
        salt, head = self._salts.pop(), self.head
        sealed = seal(entry, seq=head.seq + 1, previous=head.hash, salt=salt, answers=answers)
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

    @property
    def written(self) -> int:
        """Where the lines end that the file has."""
        return self._written

    def sync(self) -> None:
        files.sync(self._descriptor)

    def size(self) -> int:
        return files.size(self._descriptor)

    # Reading

    def newest_first(
        self, *, contact: str | None = None, actor: str | None = None, before: int | None = None
    ) -> Iterator[tuple[int, bytes, LineSummary]]:
        """The lines, or the contact's, or the actor's, whose `seq` is below `before`."""
        # Cheaper than decoding a line only to see that somebody else acted.
        part = encode(actor) if actor else b""
        found = self._of(contact) if contact else self._backwards(part, before)
        for offset, line, mark in found:
            if (before is None or mark.seq < before) and actor in (None, mark.actor):
                yield offset, line, mark

    def entry(self, offset: int, line: bytes) -> Entry:
        return _decoded(_entry, line, offset)

    def oldest_first(self, after: int = 0) -> Iterator[Entry]:
        """The entries whose `seq` is above `after`."""
        for offset, line in self._forwards(after):
            entry = self.entry(offset, line)
            if entry.seq > after:
                yield entry

    def links(self) -> Iterator[ChainLink]:
        """Of every entry, oldest first."""
        return links(self._forwards(0), self.entry)

    def hashes(self, after: int, limit: int) -> list[str]:
        """Of at most `limit` entries whose `seq` is above `after`."""
        found: list[str] = []
        lines = self._forwards(after)
        while len(found) < limit and (line := next(lines, None)):
            mark = _decoded(_summary, line[1], line[0])
            if mark.seq > after:
                found.append(mark.hash)
        return found

    def _forwards(self, after: int) -> Iterator[tuple[int, bytes]]:
        """The lines of the entries whose `seq` is above `after`, and of some before them that the
        file does not have yet."""
        written, unwritten = self._ends()
        first = self._lines.first_from(after + 1, written, _seq) if after else None
        for offset, line in self._lines.forwards(written, first):
            yield offset, self._unwritten.get(offset, line)
        for offset in unwritten:
            yield offset, self._line(offset)

    def of_address(self, key: str) -> Iterator[Entry]:
        """The entries about this address, newest first. Reads the whole file, and decodes only
        lines that may be about it."""
        for offset, line, _ in self._backwards(_part_of(key), None, any_case=True):
            address = _decoded(_about, line, offset).address
            if address is not None and key_of(address) == key:
                yield self.entry(offset, line)

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
        self, part: bytes, before: int | None, *, any_case: bool = False
    ) -> Iterator[tuple[int, bytes, LineSummary]]:
        """The lines that hold this part, and others that the file does not have yet."""
        written, unwritten = self._ends()
        for offset in reversed(unwritten):
            line = self._line(offset)
            yield offset, line, _decoded(_summary, line, offset)
        if before is not None:
            written = self._lines.first_from(before, written, _seq)
        for offset, line in self._lines.backwards(written, part, any_case=any_case):
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


def newest_of(changes: list[JournalChange]) -> tuple[int, str] | None:
    """`seq` and hash of the newest entry of these changes, where they have any."""
    for change in reversed(changes):
        if change.entries:
            mark = _summary.decode(change.entries[-1])
            return mark.seq, mark.hash
    return None


def _salts() -> list[str]:
    """Of 32 random digits each. Many at once, since it is the call to the system that costs."""
    digits = secrets.token_hex(1024)
    return [digits[at : at + 32] for at in range(0, len(digits), 32)]


def _part_of(key: str) -> bytes:
    """What stands in each line about this address, however it is spelled, in small letters."""
    if key.startswith(HASH):
        return key.encode()
    local, at, _ = key.rpartition("@")
    if not at:
        return key[-_SAME_DIGITS:].encode()
    # Other letters than ASCII have spellings that only `key_of` knows, and JSON writes some
    # characters of ASCII in another way.
    plain = local.isascii() and local.isprintable() and not {'"', "\\"} & set(local)
    # `lower` makes a k of the sign for kelvin, too, which is not ASCII: look for what follows it.
    return f"{local.rpartition('k')[2]}@".encode() if plain else b""


def _seq(offset: int, line: bytes) -> int:
    return _decoded(_summary, line, offset).seq


def _decoded(decoder: msgspec.json.Decoder[T], line: bytes, offset: int) -> T:
    try:
        return decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Corrupt(f"The Activity Log is damaged at byte {offset}. {files.ADVICE}") from None
