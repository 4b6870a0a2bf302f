"""A file of lines, read from wherever it is asked: by offset, backwards, forwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bot.consent.errors import Corrupt
from storage.tinydb import disk

_BLOCK = 1 << 16
#: Longer than nearly all lines.
_LINE = 1 << 10


class Lines:
    """Reads only what stands between `first`, where a line begins, and the `end` that is given."""

    def __init__(self, descriptor: int, first: int) -> None:
        self._descriptor = descriptor
        self._first = first

    def line(self, offset: int) -> bytes:
        """The line that begins here. Raises `Corrupt` where the file ends within it."""
        size = _LINE
        while True:
            found = disk.read(self._descriptor, size, offset)
            end = found.find(b"\n")
            if end >= 0:
                return found[:end]
            if len(found) < size:
                raise Corrupt(f"The Activity Log ends too early, at byte {offset}. {disk.ADVICE}")
            size *= 8

    def forwards(self, end: int) -> Iterator[tuple[int, bytes]]:
        """Each line with its offset. Raises `Corrupt` where the file is shorter."""
        offset, at, rest = self._first, self._first, b""
        while at < end:
            block = disk.read(self._descriptor, min(_BLOCK, end - at), at)
            if not block:
                raise Corrupt(f"The Activity Log ends too early, at byte {at}. {disk.ADVICE}")
            at += len(block)
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                yield offset, line
                offset += len(line) + 1

    def backwards(self, end: int, part: bytes) -> Iterator[tuple[int, bytes]]:
        """Each line that holds the part, with its offset. Skips whole blocks without it."""
        rest = b""
        while end > self._first:
            begin = max(end - _BLOCK, self._first)
            data = disk.read(self._descriptor, end - begin, begin) + rest
            # The first of these lines began in the block before.
            cut = data.find(b"\n") + 1 if begin > self._first else 0
            end, rest = begin, data[:cut]
            if cut == len(data) or part not in data:
                continue
            offset = begin + len(data)
            for line in reversed(data[cut:-1].split(b"\n")):
                offset -= len(line) + 1
                if part in line:
                    yield offset, line

    def first_from(self, least: int, end: int, number: Callable[[int, bytes], int]) -> int:
        """Where the first line begins whose number is not below `least`; they only grow."""
        low, high = self._first, end
        while low < high:
            middle = (low + high) // 2
            offset = self._begin(middle)
            if offset >= high or number(offset, self.line(offset)) >= least:
                high = middle
            else:
                low = offset + 1
        return min(self._begin(low), end)

    def _begin(self, offset: int) -> int:
        """Where the next line begins from here on."""
        return offset if offset == self._first else offset + len(self.line(offset - 1))
