"""Contacts by parts of their name, company, e-mail or number: found in one long text, at the
speed of `bytes.find`."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import accumulate, islice

import msgspec

from bot.consent.parsing import fold

#: More changed contacts than this, and the text is put together anew.
_LOOSE = 500
#: So many words of a text, the longest, are counted to begin with the rarest.
_COUNTED = 3


class _Words(msgspec.Struct, frozen=True, gc=False):
    name: str = ""
    company: str = ""
    email: str | None = None
    phone: str | None = None
    erased: bool = False


_words = msgspec.json.Decoder(_Words)


class _Text:
    """A line for each contact, in one text."""

    def __init__(self) -> None:
        self.lines: dict[str, bytes] = {}
        self.join()

    def join(self) -> None:
        self._ids = list(self.lines)
        self._text = b"".join(self.lines.values())
        self._starts = list(accumulate(map(len, self.lines.values()), initial=0))

    def frequency(self, part: bytes) -> int:
        """How often it comes in a tenth of the text."""
        return self._text.count(part, 0, len(self._text) // 10)

    def find(self, part: bytes) -> Iterator[tuple[str, bytes]]:
        """Each line that held the part when they were joined, once."""
        at = self._text.find(part)
        while at >= 0:
            number = bisect_right(self._starts, at) - 1
            end = self._starts[number + 1]
            yield self._ids[number], self._text[self._starts[number] : end]
            at = self._text.find(part, end)


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
        rarest = min(starts[-_COUNTED:][::-1], key=self._names.frequency)
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
        """Takes some 5 µs for each contact the first time. False if there is more to do."""
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
        return True

    def _read(self, id: str) -> None:
        document = self._contacts.get(id)
        words = _Words(erased=True) if document is None else _words.decode(document)
        if words.erased:
            for text in self._texts:
                text.lines.pop(id, None)
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


def _digits(text: str) -> bytes:
    """The digits of a text that holds nothing else but what numbers are written with."""
    if any(c.isalpha() for c in text):
        return b""
    return "".join(str(int(c)) for c in text if c.isdecimal()).encode()
