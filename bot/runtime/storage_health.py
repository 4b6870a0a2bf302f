"""Whether the storage takes changes: for /readyz, and for the end of a process whose storage needs
a new start."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from bot.consent.errors import NeedsRestart, StorageFailed
from bot.consent.store import Store

logger = logging.getLogger(__name__)

#: Where the test of a write is stored.
_PROBE = "readiness"
#: Seconds between two tests that only take the turn to write, and between two that write.
_LOOK_AGAIN, _WRITE_AGAIN = 0.2, 10.0
#: Seconds between two looks whether this process can use the storage at all.
_USABLE = 5.0
#: Characters that are written after a failure: more than an opt-out needs. On a disk that is nearly
#: full, a few bytes would fit where the next opt-out does not.
_AS_AN_OPT_OUT = 16_384


class StorageHealth:
    """Knows the failures of every transaction, and tests the storage when it is asked."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._testing = threading.Lock()
        self._failures = 0
        self._tested, self._written = float("-inf"), float("-inf")
        self._healthy = True
        #: Failures that the newest successful test came after.
        self._overcome = 0
        self._lost: NeedsRestart | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = asyncio.Event()

    def failed(self, error: StorageFailed) -> None:
        """A transaction could not be stored."""
        self._failures += 1
        if isinstance(error, NeedsRestart) and self._lost is None:
            self._lost = error
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._told.set)

    def ready(self) -> bool:
        """Whether a change would be stored now. After a failure, and now and then, this is tested
        with a write that changes nothing that anybody sees."""
        with self._testing:
            if time.monotonic() - self._tested >= _LOOK_AGAIN:
                self._healthy = self._test()
                self._tested = time.monotonic()
            return self._healthy and self._overcome == self._failures

    async def run(self) -> None:
        """Beside the server, which ends when this raises `NeedsRestart`."""
        self._loop = asyncio.get_running_loop()
        while self._lost is None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), _USABLE)
            await asyncio.to_thread(self._look)
        logger.critical("Optin ends (storage_needs_restart): %s", self._lost.sentence)
        raise NeedsRestart(self._lost.sentence)

    def _look(self) -> None:
        """Compacting may have failed without a transaction."""
        try:
            with self._store.reading() as records:
                records.log.head()
        except NeedsRestart as error:
            self.failed(error)
        except StorageFailed:
            pass  # a transaction will say so

    def _test(self) -> bool:
        failures = self._failures
        failing = failures != self._overcome
        writes = failing or time.monotonic() - self._written >= _WRITE_AGAIN
        try:
            with self._store.transaction() as records:
                records.log.head()
                if writes:
                    room = "x" * _AS_AN_OPT_OUT if failing else ""
                    records.key_value.put(_PROBE, f"{self._now().isoformat()} {room}")
        except StorageFailed as error:
            self.failed(error)
            return False
        if writes:
            self._written = time.monotonic()
        self._overcome = failures
        return True
