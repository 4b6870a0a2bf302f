"""The reader beside the server: every provider's lists once a day, and at the first start."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import threading
import time
from collections.abc import Callable, Mapping

from bot.consent.errors import StorageFailed, without_text
from bot.consent.use_cases import Service
from bot.consent.use_cases.lists.look_at_lists import providers_to_read
from handlers.suppression_lists.provider_lists import ListsUnavailable, ProviderLists
from handlers.suppression_lists.provider_rest import ListJob, ProviderRest
from handlers.suppression_lists.read_lists import ReadWatch, read_lists

logger = logging.getLogger(__name__)

#: Seconds between two looks whether a read is due.
_LOOK = 10.0
#: Seconds for the page under way to be stored when Optin stops.
_GRACE = 3.0


class ListReader:
    """One for the process: it reads one provider after the other. Replicas share the reads."""

    def __init__(
        self,
        service: Service,
        lists: Mapping[str, ProviderLists],
        *,
        chance: Callable[[], float] = random.random,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`lists` are the clients by provider."""
        self._service = service
        self._lists = lists
        #: Names this process where replicas read by turns.
        self.token = secrets.token_hex(8)
        self._accounts = {name: client.account for name, client in lists.items()}
        self._rests = {
            name: ProviderRest(service, name, ListJob.READ, chance=chance, monotonic=monotonic)
            for name in lists
        }
        self._stop = threading.Event()
        self._ended = threading.Event()

    async def run(self) -> None:
        """Works in a thread until cancelled."""
        # A daemon: a provider that does not answer must not keep the process from ending.
        threading.Thread(target=self.work, name="list-reader", daemon=True).start()
        try:
            await asyncio.Event().wait()
        finally:
            self.stop()
            await asyncio.to_thread(self._ended.wait, _GRACE)

    def work(self) -> None:
        """Until `stop`, in this thread."""
        try:
            while self._lists and not self._stop.is_set():
                self.step()
                self._stop.wait(_LOOK)
        finally:
            self._ended.set()

    def stop(self) -> None:
        """Ends after the page under way."""
        self._stop.set()

    def step(self) -> None:
        """Reads what is due now, in this thread."""
        try:
            due = providers_to_read(self._service, self._accounts)
        except StorageFailed as error:
            logger.warning("the providers' lists have to wait: %s", error.sentence)
            return
        for name in due:
            if not self._rests[name].now and not self._stop.is_set():
                self._read(name)

    def _read(self, name: str) -> None:
        rests, label = self._rests[name], self._service.providers.label(name)
        try:
            watch = ReadWatch(stopping=self._stop)
            end = read_lists(self._service, self._lists[name], token=self.token, watch=watch)
            if end is not None:
                rests.worked()
                logger.info("%s's lists were read: %s", label, end.report.as_dict())
        except ListsUnavailable as error:
            rests.failed(error)
        except StorageFailed as error:
            logger.warning("reading %s's lists has to wait: %s", label, error.sentence)
        except Exception as error:
            bare = without_text(error)
            logger.error("reading the lists of %s failed: %s", name, bare, exc_info=bare)
            rests.failed(ListsUnavailable("could not be read, and Optin's log says why"))
