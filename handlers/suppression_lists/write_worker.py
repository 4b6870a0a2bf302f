"""The worker beside the server that writes to the providers' lists: one thread looks whether
anything is due, and each provider's writes have a thread of their own, so that a slow provider
holds up no other one. Alerts have another worker and another table, and wait for none of this."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping

from bot.consent.errors import StorageFailed, without_text
from bot.consent.use_cases import Service
from bot.consent.use_cases.lists.look_at_lists import providers_to_write_to
from handlers.suppression_lists.provider_lists import ProviderLists
from handlers.suppression_lists.provider_writes import ProviderWrites

logger = logging.getLogger(__name__)

#: Seconds between two looks at the writes.
_POLL = 1.0
#: Seconds for the calls under way to end when Optin stops.
_GRACE = 3.0


class WriteWorker:
    """One for the process. `run` is a coroutine function for `bot.runtime.server.Server`."""

    def __init__(
        self,
        service: Service,
        lists: Mapping[str, ProviderLists],
        *,
        chance: Callable[[], float] = random.random,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`lists` are the clients by provider. Those that Optin writes nothing to are left out."""
        mine = {name: one for name, one in lists.items() if service.providers.writes(name)}
        self._service = service
        self._stop = threading.Event()
        self._accounts = {name: client.account for name, client in mine.items()}
        self._writes = {
            name: ProviderWrites(service, client, self._stop, chance=chance, monotonic=monotonic)
            for name, client in mine.items()
        }
        #: Set when a provider's thread has ended.
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._working: set[str] = set()

    async def run(self) -> None:
        """Works in threads until cancelled."""
        # A daemon: a provider that does not answer must not keep the process from ending.
        threading.Thread(target=self.work, name="lists", daemon=True).start()
        try:
            await asyncio.Event().wait()
        finally:
            self.stop()
            await asyncio.to_thread(self.wait_for_calls, _GRACE)

    def work(self) -> None:
        """Until `stop`, in this thread."""
        while self._writes and not self._stop.is_set():
            for name in self._due():
                with self._lock:
                    self._working.add(name)
                thread = threading.Thread(
                    target=self._work_at, args=(name,), name=f"lists-{name}", daemon=True
                )
                thread.start()
            self._stop.wait(_POLL)

    def stop(self) -> None:
        """Begins no more calls."""
        self._stop.set()

    def step(self) -> bool:
        """Makes what is due now, in this thread; whether there was anything."""
        return sum(self._writes[name].turn() for name in self._due()) > 0

    def wait_for_calls(self, within: float) -> None:
        """So many seconds, at most, for the calls under way to end and be settled."""
        end = time.monotonic() + within
        while self._working and time.monotonic() < end:
            self._ended.clear()
            self._ended.wait(0.1)

    def _due(self) -> list[str]:
        with self._lock:
            working = set(self._working)
        accounts = {
            name: account
            for name, account in self._accounts.items()
            if name not in working and not self._writes[name].rests.now
        }
        if not accounts:
            return []
        try:
            return providers_to_write_to(self._service, accounts)
        except StorageFailed as error:
            logger.warning("writes to lists have to wait: %s", error.sentence)
        except Exception as error:
            bare = without_text(error)
            logger.error("looking for writes to lists failed: %s", bare, exc_info=bare)
        return []

    def _work_at(self, name: str) -> None:
        """As long as there is something to write to this provider."""
        writes = self._writes[name]
        try:
            while not self._stop.is_set() and not writes.rests.now and writes.turn():
                pass
        except StorageFailed as error:
            logger.warning("a write to a list has to wait: %s", error.sentence)
            self._stop.wait(_POLL)
        except Exception as error:
            bare = without_text(error)
            logger.error("writing to the lists of %s failed: %s", name, bare, exc_info=bare)
            self._stop.wait(_POLL)
        finally:
            with self._lock:
                self._working.discard(name)
            self._ended.set()
