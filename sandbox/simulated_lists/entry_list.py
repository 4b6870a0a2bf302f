"""One suppression list: entries by address, in the order of time and of the alphabet."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

#: Behind every key.
_LAST: Final = "\U0010ffff"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedEntry:
    """`address` is spelled as it was added; `at` is in seconds since 1970."""

    address: str
    at: float
    #: What the provider says of it besides, in the provider's words.
    facts: Mapping[str, Any] = field(default_factory=dict)


class EntryList:
    """With `exact`, `Ana@…` and `ana@…` are two entries; otherwise they are one."""

    def __init__(self, *, exact: bool = False) -> None:
        self._exact = exact
        self._entries: dict[str, ListedEntry] = {}
        #: (time, key) and key, both sorted; None until somebody asks for them.
        self._by_time: list[tuple[float, str]] | None = None
        self._by_key: list[str] | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[ListedEntry]:
        """Oldest first."""
        return (self._entries[key] for _, key in self._times())

    def get(self, address: str) -> ListedEntry | None:
        return self._entries.get(self._key(address))

    def add(self, entry: ListedEntry) -> bool:
        """Replaces the entry of the same address. Whether the address is new."""
        before = self.remove(entry.address)
        key = self._key(entry.address)
        self._entries[key] = entry
        if self._by_time is not None:
            insort(self._by_time, (entry.at, key))
        if self._by_key is not None:
            insort(self._by_key, key)
        return before is None

    def load(self, entries: Iterable[ListedEntry]) -> None:
        """Adds many at once."""
        self._entries.update((self._key(entry.address), entry) for entry in entries)
        self._by_time = self._by_key = None

    def remove(self, address: str) -> ListedEntry | None:
        """The entry that was there."""
        key = self._key(address)
        entry = self._entries.pop(key, None)
        if entry and self._by_time is not None:
            del self._by_time[bisect_left(self._by_time, (entry.at, key))]
        if entry and self._by_key is not None:
            del self._by_key[bisect_left(self._by_key, key)]
        return entry

    def clear(self) -> int:
        """How many there were."""
        count = len(self._entries)
        self._entries.clear()
        self._by_time = self._by_key = None
        return count

    def count(self, start: float, end: float) -> int:
        """Of those from `start` to `end`, both inclusive."""
        times = self._times()
        return bisect_right(times, (end, _LAST)) - bisect_left(times, (start, ""))

    def newest(self, offset: int, limit: int, start: float, end: float) -> list[ListedEntry]:
        """Newest first, of those from `start` to `end`, both inclusive."""
        times = self._times()
        low = bisect_left(times, (start, ""))
        high = bisect_right(times, (end, _LAST)) - offset
        page = times[max(low, high - limit) : max(low, high)]
        return [self._entries[key] for _, key in reversed(page)]

    def older(self, entry: ListedEntry | None, limit: int) -> list[ListedEntry]:
        """Newest first, of those older than this one; from the newest for None."""
        times = self._times()
        end = bisect_left(times, self._place(entry)) if entry else len(times)
        return [self._entries[key] for _, key in reversed(times[max(0, end - limit) : end])]

    def newer(self, entry: ListedEntry, limit: int) -> list[ListedEntry]:
        """Newest first, the nearest ones that are newer than this one."""
        times = self._times()
        begin = bisect_right(times, self._place(entry))
        return [self._entries[key] for _, key in reversed(times[begin : begin + limit])]

    def after(self, address: str, limit: int) -> list[ListedEntry]:
        """In the order of the alphabet, those behind this address; from the first for ""."""
        keys = self._keys()
        begin = bisect_right(keys, self._key(address)) if address else 0
        return [self._entries[key] for key in keys[begin : begin + limit]]

    def before(self, address: str, limit: int) -> list[ListedEntry]:
        """The last ones before this address, in the order of the alphabet; the very last for ""."""
        keys = self._keys()
        end = bisect_left(keys, self._key(address)) if address else len(keys)
        return [self._entries[key] for key in keys[max(0, end - limit) : end]]

    def beginning(self, prefix: str, limit: int) -> list[ListedEntry]:
        """Those whose address begins so."""
        keys, prefix = self._keys(), self._key(prefix)
        found = islice(keys, bisect_left(keys, prefix), None)
        fits = (key for key in found if key.startswith(prefix))
        return [self._entries[key] for key in islice(fits, limit)]

    def _place(self, entry: ListedEntry) -> tuple[float, str]:
        return entry.at, self._key(entry.address)

    def _times(self) -> list[tuple[float, str]]:
        if self._by_time is None:
            self._by_time = sorted((entry.at, key) for key, entry in self._entries.items())
        return self._by_time

    def _keys(self) -> list[str]:
        if self._by_key is None:
            self._by_key = sorted(self._entries)
        return self._by_key

    def _key(self, address: str) -> str:
        return address if self._exact else address.casefold()


class StrangersList(EntryList):
    """Somebody else's list: whoever asks for an address gets the entry of another one."""

    def get(self, address: str) -> ListedEntry | None:
        return super().get(address) or next(iter(self), None)
