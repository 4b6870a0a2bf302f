"""The keys of the API as this process knows them, and how often each may ask."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from threading import Lock

from bot.consent.api_key import PREFIX, ApiKey
from bot.consent.model import Actor
from bot.consent.use_cases import Service
from bot.consent.use_cases.api_keys import hashed_key, list_keys, note_uses
from bot.consent.use_cases.stated.statement import program

#: Seconds for which keys are believed. A key that is revoked on one replica is refused by all of
#: them within a second.
_BELIEVED = 0.5
#: Requests of a key in a window of so many seconds.
MOST_REQUESTS, WINDOW = 60_000, 60


@dataclass(slots=True)
class _Window:
    """What a key has asked since `began`."""

    began: float
    count: int = 0


class KeyRing:
    """Safe across threads."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = Lock()
        self._read_at = float("-inf")
        self._by_hash: Mapping[str, ApiKey] = {}
        self._windows: dict[str, _Window] = {}
        #: By id, the newest use that is not stored yet.
        self._used: dict[str, datetime] = {}

    @property
    def fresh(self) -> bool:
        """Whether a look at the keys needs no storage now."""
        return time.monotonic() - self._read_at < _BELIEVED

    def keys(self) -> Mapping[str, ApiKey]:
        """All keys by their hashes; at most half a second old. Raises `StorageFailed`."""
        return self._by_hash if self.fresh else self._read()

    def find_known(self, text: str) -> ApiKey | None:
        """The same as `find`, if that takes no look into the storage; else None."""
        return self._usable(self._by_hash.get(hashed_key(text))) if self.fresh else None

    def find(self, text: str) -> ApiKey | None:
        """The key with this text, where it may be used now. Raises `StorageFailed`."""
        if not text.startswith(PREFIX):
            return None
        hash = hashed_key(text)
        # A key may have been made a moment ago.
        return self._usable(self.keys().get(hash) or self._read().get(hash))

    def _usable(self, key: ApiKey | None) -> ApiKey | None:
        now = self._service.now()
        if key is None or not key.holds(now):
            return None
        self._used[key.id] = now
        return key

    def _read(self) -> Mapping[str, ApiKey]:
        asked = time.monotonic()
        keys = {key.hash: key for key in list_keys(self._service)}
        with self._lock:
            if asked > self._read_at:
                self._read_at, self._by_hash = asked, keys
        return keys

    def count(self, key: ApiKey) -> tuple[int, int]:
        """Counts a request: how many are left in this window, below 0 for one too many; and the
        seconds until the next window."""
        now = time.monotonic()
        with self._lock:
            window = self._windows.get(key.id)
            if window is None or now - window.began >= WINDOW:
                window = self._windows[key.id] = _Window(now)
            window.count += 1
            return MOST_REQUESTS - window.count, max(1, round(window.began + WINDOW - now))

    def store_uses(self) -> None:
        """Stores when keys were used last. Meant to be called once a minute."""
        used, self._used = self._used, {}
        if used:
            note_uses(self._service, used)


@lru_cache(maxsize=256)
def actor_of(key: ApiKey) -> Actor:
    """In whose name a key acts."""
    return program(key.id)
