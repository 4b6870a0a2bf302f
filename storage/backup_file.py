"""A backup: everything of one storage in one compressed file, the same for every kind of storage.

The file is gzip. In it, each line is a JSON object with one field, which is named after the kind of
its value (`copy_storage.KINDS`, in that order). The first line says what the backup is of. The last
one has the counts, and the SHA-256 of all lines before it: a file without it was cut off.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, BinaryIO

import msgspec

from bot.consent.cases import Case
from bot.consent.errors import Corrupt
from bot.consent.log.entries import Entry
from bot.consent.model import AddressFacts, Contact, Import
from bot.consent.write_backs import WriteBack
from storage.documents import AlertDecoder, alert_document, encode

#: What this program writes, and reads.
FORMAT = 1
_NONE = "That is no backup of Optin."
_DAMAGED = "The backup is damaged, so nothing of it was used. Take another one."
_CUT_OFF = "The backup ends too early: it was cut off. Nothing of it was used; take another one."


class BackupHead(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup is of."""

    format: int
    made_at: datetime
    #: `seq` and hash of the newest entry of the log.
    entries: int
    head: str
    #: The key of the hashes that erasure leaves; None where the settings give it.
    hash_key: str | None


class BackupEnd(msgspec.Struct, frozen=True, kw_only=True):
    """What a whole backup ends with."""

    #: How many values of each kind there are.
    counts: dict[str, int]
    sha256: str


_lines = msgspec.json.Decoder(dict[str, msgspec.Raw])
_head = msgspec.json.Decoder(BackupHead)
_end = msgspec.json.Decoder(BackupEnd)
_marks = msgspec.json.Decoder(tuple[str, str])
_DECODERS: dict[str, Callable[[msgspec.Raw], Any]] = {
    "log": msgspec.json.Decoder(Entry).decode,
    "contacts": msgspec.json.Decoder(Contact).decode,
    "addresses": msgspec.json.Decoder(AddressFacts).decode,
    "events": msgspec.json.Decoder(str).decode,
    "alerts": lambda raw: AlertDecoder().decode(bytes(raw)),
    "cases": msgspec.json.Decoder(Case).decode,
    "write_backs": msgspec.json.Decoder(WriteBack).decode,
    "imports": msgspec.json.Decoder(Import).decode,
    "marks": _marks.decode,
}


class BackupWriter:
    """Writes a backup into an open file."""

    def __init__(self, out: BinaryIO, head: BackupHead) -> None:
        self._file = gzip.GzipFile(fileobj=out, mode="wb", compresslevel=6, mtime=0, filename="")
        self._hash = hashlib.sha256()
        self._counts: dict[str, int] = {}
        self._line("optin", head)

    def put(self, kind: str, value: Any) -> None:
        """The next value. Kinds come one after the other."""
        self._counts[kind] = self._counts.get(kind, 0) + 1
        self._line(kind, alert_document(value) if kind == "alerts" else value)

    def end(self) -> None:
        """Writes the last line. The open file stays open."""
        end = BackupEnd(counts=self._counts, sha256=self._hash.hexdigest())
        self._line("end", end)
        self._file.close()

    def _line(self, name: str, value: object) -> None:
        line = b'{"%s":%s}\n' % (name.encode(), encode(value))
        self._hash.update(line)
        self._file.write(line)


class BackupReader:
    """Reads a backup once, from the beginning to the end. Raises `Corrupt` for a file that is no
    backup, or is damaged, cut off or of a newer program."""

    def __init__(self, source: BinaryIO) -> None:
        self._lines = _unpacked(source)
        self._hash = hashlib.sha256()
        line = next(self._lines, b"")
        self._hash.update(line)
        try:
            self.head = _head.decode(_lines.decode(line)["optin"])
        except (msgspec.MsgspecError, KeyError):
            raise Corrupt(_NONE) from None
        if self.head.format > FORMAT:
            raise Corrupt("The backup was made by a newer Optin. Restore it with that one.")
        #: Once everything was read.
        self.end: BackupEnd | None = None

    def values(self) -> Iterator[tuple[str, Any]]:
        """Each value with its kind. When they have all come, the backup was whole."""
        counts: dict[str, int] = {}
        for line in self._lines:
            before = self._hash.hexdigest() if line.startswith(b'{"end":') else ""
            name, raw = self._parsed(line)
            try:
                if name == "end":
                    self.end = _end.decode(raw)
                    break
                value = _DECODERS[name](raw)
            except (msgspec.MsgspecError, KeyError):
                raise Corrupt(_DAMAGED) from None
            counts[name] = counts.get(name, 0) + 1
            yield name, value
        if self.end is None:
            raise Corrupt(_CUT_OFF)
        if (self.end.sha256, self.end.counts) != (before, counts):
            raise Corrupt(_DAMAGED)
        if next(self._lines, None) is not None:
            raise Corrupt(_DAMAGED)

    def _parsed(self, line: bytes) -> tuple[str, msgspec.Raw]:
        self._hash.update(line)
        try:
            ((name, raw),) = _lines.decode(line).items()
        except (msgspec.MsgspecError, ValueError):
            raise Corrupt(_DAMAGED) from None
        return name, raw


def _unpacked(source: BinaryIO) -> Iterator[bytes]:
    try:
        with gzip.GzipFile(fileobj=source, mode="rb") as file:
            yield from file
    except EOFError:
        raise Corrupt(_CUT_OFF) from None
    except gzip.BadGzipFile as error:
        plain = "Not a gzipped file" in str(error)
        raise Corrupt(_NONE if plain else _DAMAGED) from None
    except zlib.error:
        raise Corrupt(_DAMAGED) from None
