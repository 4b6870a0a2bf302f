"""The store, with a timer around each transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from bot.consent.store import Records, Store


class TimedStore:
    """The same store; `timing` is around each transaction, until it is on the disk."""

    def __init__(self, store: Store, timing: Callable[[], AbstractContextManager[object]]) -> None:
        self._store = store
        self._timing = timing
        self.reading = store.reading
        self.rehearsal = store.rehearsal
        self.close = store.close
        self.back_up = store.back_up
        self.upgrade = store.upgrade
        self.outdated = store.outdated

    @contextmanager
    def transaction(self) -> Iterator[Records]:
        """As the store's."""
        with self._timing(), self._store.transaction() as records:
            yield records
