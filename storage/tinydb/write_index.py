"""Where the writes to the providers' suppression lists are: by id, by address, and those that a
worker still has to do. Rebuilt at open, never stored."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from sys import intern
from typing import NamedTuple

import msgspec

from bot.consent.suppressions import Listing
from bot.consent.write_backs import OPEN, WriteState
from storage.tinydb.journal import Document


class OpenWrite(NamedTuple):
    """One that a worker still has to do. They sort by their wish."""

    wished_at: datetime
    #: Of the write.
    id: str
    #: Of its document.
    document: str
    not_before: datetime | None


class _Found(msgspec.Struct, frozen=True, gc=False):
    """The part of a write by which it is found."""

    listing: str
    key: str
    wished_at: datetime
    state: WriteState
    not_before: datetime | None = None

    @property
    def id(self) -> str:
        return f"{self.listing}:{self.key}"

    @property
    def provider(self) -> str:
        return intern(Listing.of(self.listing).provider)


_found = msgspec.json.Decoder(_Found)


class WriteIndex:
    """The index of all writes in memory. `changed` keeps it true to their documents."""

    def __init__(self, ids: dict[str, str]) -> None:
        """`ids` are the documents' ids by the writes' ids; they are kept there."""
        self._ids = ids
        self._by_key: dict[str, tuple[str, ...]] = {}
        #: By provider, sorted.
        self._open: defaultdict[str, list[OpenWrite]] = defaultdict(list)
        #: How many there are, by provider and state.
        self.counts: Counter[tuple[str, WriteState]] = Counter()

    def changed(self, id: str, before: Document, after: Document) -> None:
        """`id` is the document's."""
        if before is not None:
            self._drop(id, _found.decode(before), gone=after is None)
        if after is not None:
            self._add(id, _found.decode(after))

    def of(self, key: str) -> tuple[str, ...]:
        """The documents' ids of those of this address."""
        return self._by_key.get(key, ())

    def due(self, provider: str, now: datetime) -> Iterator[OpenWrite]:
        """Those of this provider whose time has come, the oldest wish first."""
        for write in self._open.get(provider, ()):
            if write.not_before is None or write.not_before <= now:
                yield write

    def oldest(self, provider: str) -> datetime | None:
        open = self._open.get(provider)
        return open[0].wished_at if open else None

    def _add(self, id: str, write: _Found) -> None:
        if self._ids.setdefault(write.id, id) == id and id not in self.of(write.key):
            self._by_key[write.key] = (*self.of(write.key), id)
        self.counts[write.provider, write.state] += 1
        if write.state in OPEN:
            insort(
                self._open[write.provider],
                OpenWrite(write.wished_at, write.id, id, write.not_before),
                key=_by_wish,
            )

    def _drop(self, id: str, write: _Found, *, gone: bool) -> None:
        if gone:
            self._ids.pop(write.id, None)
            left = tuple(other for other in self.of(write.key) if other != id)
            if left:
                self._by_key[write.key] = left
            else:
                self._by_key.pop(write.key, None)
        place = write.provider, write.state
        self.counts[place] -= 1
        if not self.counts[place]:
            del self.counts[place]
        if write.state in OPEN:
            open = self._open[write.provider]
            del open[bisect_left(open, (write.wished_at, write.id), key=_by_wish)]


def _by_wish(write: OpenWrite) -> tuple[datetime, str]:
    return write.wished_at, write.id
