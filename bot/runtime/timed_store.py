"""The store, with a timer around each transaction, and a note of each that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from bot.consent.errors import StorageFailed
from bot.consent.store import Records, Store


class TimedStore:
    """The same store; `timing` is around each transaction, until it is on the disk, and `failed`
    hears of each that could not be stored."""

    def __init__(
        self,
        store: Store,
        timing: Callable[[], AbstractContextManager[object]],
        failed: Callable[[StorageFailed], object] = lambda _: None,
    ) -> None:
        self._store = store
        self._timing = timing
        self._failed = failed
        self.reading = store.reading
        self.reading_at_once = store.reading_at_once
        self.rehearsal = store.rehearsal
        self.free_bytes = store.free_bytes
        self.close = store.close
        self.back_up = store.back_up
        self.upgrade = store.upgrade
        self.outdated = store.outdated

    @contextmanager
    def transaction(self) -> Iterator[Records]:
        """As the store's."""
        try:
            with self._timing(), self._store.transaction() as records:
                yield records
        except StorageFailed as error:
            self._failed(error)
            raise
