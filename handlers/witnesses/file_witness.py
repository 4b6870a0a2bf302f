"""A file as a witness: one head after the other, each six lines of text.

It is worth something where whoever changes the storage can't change it: on another machine's disk,
or on one that is written once. Optin only appends to it.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from bot.consent.errors import Invalid
from bot.consent.log.heads import TITLE, LogHead, head_text, read_heads
from handlers.witnesses.witness import WitnessFailed, is_wanted

#: Lines of a head, and characters of the last one.
_LINES, _LAST_LINE = 6, len("at: 2026-11-30T04:00:05Z")


class FileWitness:
    """See `witness.Witness`."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self.name = name

    def publish(self, head: LogHead) -> None:
        """The head is on the disk when this returns. Only the owner may read a new file."""
        try:
            self._append(head_text(head).encode())
        except OSError as error:
            raise self._failed("written", error) from None

    def newest(self) -> LogHead | None:
        found = self.remembered()
        return found[-1] if found else None

    def latest(self, log: str, elsewhere: Collection[str] = ()) -> LogHead | None:
        heads = (head for head in self.remembered()[::-1] if is_wanted(head.log, log, elsewhere))
        # Of two in the same second, the one that was given last.
        return max(heads, key=lambda head: head.at, default=None)

    def remembered(self) -> list[LogHead]:
        try:
            text = self._path.read_text("ascii")
            heads, others = read_heads(text)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._failed("read", error) from None
        except (UnicodeDecodeError, Invalid):
            raise self._damaged() from None
        if not all(map(_is_cut, others)):
            raise self._damaged()
        return heads

    def _append(self, data: bytes) -> None:
        new = not self._path.exists()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if size and not self._ends_with_a_line():
                data = b"\n" + data
            written = os.write(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if written < len(data):
            raise OSError(0, "the disk is full")
        if new:
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _ends_with_a_line(self) -> bool:
        with self._path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read() == b"\n"

    def _failed(self, done: str, error: OSError) -> WitnessFailed:
        return WitnessFailed(f"{self._path} can't be {done}: {error.strerror}.")

    def _damaged(self) -> WitnessFailed:
        return WitnessFailed(f"{self._path} has something that is not a head of a log.")


def _is_cut(text: str) -> bool:
    """Whether this is the beginning of a head: writing it was interrupted, as by a full disk."""
    first, *more = text.removesuffix("\n").split("\n")
    if not first or not TITLE.startswith(first) or len(more) >= _LINES:
        return False
    whole = len(more) == _LINES - 1 and len(more[-1]) >= _LAST_LINE
    return not (whole and text.endswith("\n"))
