"""Contacts by parts of their name, company, e-mail or number: found in texts of many lines, at the
speed of `bytes.find`, and only in those that may have the part."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import accumulate, islice

import msgspec

from bot.consent.parsing import fold

#: More changed contacts than this, and the text is put together anew.
_LOOSE = 500
#: Lines of a block. Which bytes follow one another in it is known, so that a search passes over
#: most blocks.
_BLOCK = 256


#: Two or three bytes.
_Gram = tuple[int, ...]


class _Words(msgspec.Struct, frozen=True, gc=False):
    name: str = ""
    company: str = ""
    email: str | None = None
    phone: str | None = None
    erased: bool = False


_words = msgspec.json.Decoder(_Words)


class _Text:
    """A line for each contact, in blocks."""

    def __init__(self) -> None:
        self.lines: dict[str, bytes] = {}
        #: By two or three bytes that follow one another, the blocks that have them: a bit for each.
        #: A block that changed may have a bit too many.
        self._grams: dict[_Gram, int] = {}
        self._blocks: list[bytes] = []
        #: Those of which it is not known what they have.
        self._unknown = 0
        self.join()

    def join(self) -> None:
        """Puts the blocks together. What those that changed have is not known until `learn`."""
        self._ids = list(self.lines)
        self._starts = list(accumulate(map(len, self.lines.values()), initial=0))
        lines = iter(self.lines.values())
        before, self._blocks = self._blocks, []
        while taken := list(islice(lines, _BLOCK)):
            self._blocks.append(b"".join(taken))
        for number, block in enumerate(self._blocks):
            if number >= len(before) or before[number] != block:
                self._unknown |= 1 << number

    def learn(self) -> bool:
        """Learns what one block has, in some 2 ms. False if nothing was left to learn."""
        if not self._unknown:
            return False
        bit = self._unknown & -self._unknown
        for gram in _grams_of(self._blocks[bit.bit_length() - 1]):
            self._grams[gram] = self._grams.get(gram, 0) | bit
        self._unknown ^= bit
        return True

    def blocks_with(self, part: bytes) -> int:
        """The blocks that may have the part: a bit for each."""
        found = (1 << len(self._blocks)) - 1
        for gram in _grams_of(part):
            found &= self._grams.get(gram, 0) | self._unknown
        return found

    def find(self, part: bytes) -> Iterator[tuple[str, bytes]]:
        """Each line that held the part when they were joined, once."""
        left = self.blocks_with(part)
        while left:
            number = (left & -left).bit_length() - 1
            left &= left - 1
            yield from self._find_in(number, part)

    def _find_in(self, number: int, part: bytes) -> Iterator[tuple[str, bytes]]:
        block = self._blocks[number]
        first = self._starts[number * _BLOCK]
        at = block.find(part)
        while at >= 0:
            line = bisect_right(self._starts, first + at) - 1
            start, end = self._starts[line] - first, self._starts[line + 1] - first
            yield self._ids[line], block[start:end]
            at = block.find(part, end)


class Names:
    """Built at the first search, of lines such as ` ana gomez`, `acme⇥ana example com` and
    `⇥14155550100`."""

    def __init__(self, contacts: Mapping[str, bytes]) -> None:
        self._contacts = contacts
        self._begun = self._built = False
        self._names, self._others, self._phones = self._texts = _Text(), _Text(), _Text()
        #: Changed since the texts were joined: what they say of these is not so any more.
        self._loose: set[str] = set()
        #: Those of them whose lines are not made yet.
        self._unread: dict[str, None] = {}

    def changed(self, id: str) -> None:
        if self._begun:
            self._unread[id] = None
            self._loose.add(id)

    def search(self, text: str) -> Iterator[str]:
        """Ids of documents, the best kind of hit first; one may come twice."""
        self.build()
        whole = fold(text).encode()
        if not whole:
            return
        starts = sorted({b" " + word for word in whole.split()}, key=len)
        rarest = min(starts[::-1], key=lambda start: self._names.blocks_with(start).bit_count())
        for id, line in self._find(self._names, rarest):
            if all(start in line for start in starts):
                yield id
        parts = [(self._names, whole), (self._others, whole)]
        if digits := _digits(text):
            parts += [(self._phones, b"\t" + digits), (self._phones, digits + b"\n")]
        for lines, part in parts:
            for id, _ in self._find(lines, part):
                yield id

    def build(self, at_most: int = sys.maxsize) -> bool:
        """Takes some 10 µs for each contact the first time. False if there is more to do."""
        if not self._begun:
            self._unread = dict.fromkeys(self._contacts)
            self._begun = True
        for id in list(islice(self._unread, at_most)):
            self._read(id)
            del self._unread[id]
        if self._unread:
            return False
        if not self._built or len(self._loose) > _LOOSE:
            for text in self._texts:
                text.join()
            self._loose.clear()
            self._built = True
        # A search goes on with unknown blocks, and need not wait for all of them to be learned.
        return not any(text.learn() for text in self._texts)

    def _read(self, id: str) -> None:
        document = self._contacts.get(id)
        words = _Words(erased=True) if document is None else _words.decode(document)
        if words.erased:
            for text in self._texts:
                # An empty line leaves the others in their blocks.
                if id in text.lines:
                    text.lines[id] = b""
            return
        self._names.lines[id] = f" {fold(words.name)}\n".encode()
        self._others.lines[id] = f"{fold(words.company)}\t{fold(words.email or '')}\n".encode()
        self._phones.lines[id] = f"\t{(words.phone or '')[1:]}\n".encode()

    def _find(self, text: _Text, part: bytes) -> Iterator[tuple[str, bytes]]:
        for id, line in text.find(part):
            if id not in self._loose:
                yield id, line
        for id in sorted(self._loose, key=int):
            if part in text.lines.get(id, b""):
                yield id, text.lines[id]


def _grams_of(text: bytes) -> set[_Gram]:
    """Those of three bytes, and of two what they begin with; of a text of two, itself."""
    grams: set[_Gram] = set(zip(text, text[1:], text[2:], strict=False))
    grams |= {gram[:2] for gram in grams} if grams else {tuple(text)} if len(text) == 2 else set()
    return grams


def _digits(text: str) -> bytes:
    """The digits of a text that holds nothing else but what numbers are written with."""
    if any(c.isalpha() for c in text):
        return b""
    return "".join(str(int(c)) for c in text if c.isdecimal()).encode()
