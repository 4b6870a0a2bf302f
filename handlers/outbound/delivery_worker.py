"""The worker beside the server: one thread looks for lanes that have something to deliver, and each
turn at a lane has a thread of its own, so that a slow endpoint holds up no other one."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

from bot.consent.errors import StorageFailed, without_text
from bot.consent.use_cases import Service
from bot.consent.use_cases.webhooks.settle_lane import LaneState
from handlers.outbound.delivery_client import DeliveryClient
from handlers.outbound.delivery_health import OutboundHealth
from handlers.outbound.feed_window import FeedWindow
from handlers.outbound.lane_delivery import LaneDelivery
from handlers.outbound.lane_lookout import LAG, LaneLookout

logger = logging.getLogger(__name__)

#: Seconds between two looks at the log.
_POLL = 0.25
#: Turns at a time, of all endpoints and of one; a failing endpoint has one.
_TURNS, _TURNS_OF_ONE = 16, 2
#: Seconds for the calls under way to end when Optin stops.
_GRACE = 3.0


class DeliveryWorker:
    """One for the process. `run` is a coroutine function for `bot.runtime.server.Server`."""

    def __init__(
        self,
        service: Service,
        client: DeliveryClient,
        health: OutboundHealth,
        *,
        chance: Callable[[], float] = random.random,
        monotonic: Callable[[], float] = time.monotonic,
        lag: int = LAG,
    ) -> None:
        window = FeedWindow(service)
        self._client = client
        self._stop = threading.Event()
        self._lookout = LaneLookout(service, window, health, lag=lag)
        self._delivery = LaneDelivery(
            service,
            window,
            client,
            health,
            self._stop,
            chance=chance,
            monotonic=monotonic,
        )
        #: Set when a turn has ended, so that the next look comes at once.
        self._ended = threading.Event()
        self._lock = threading.Lock()
        #: Lanes at which a thread of this process works.
        self._working: set[tuple[str, int]] = set()
        self._looking = threading.Lock()

    async def run(self) -> None:
        """Works in threads until cancelled."""
        # A daemon: an endpoint that does not answer must not keep the process from ending.
        thread = threading.Thread(target=self.work, name="webhooks", daemon=True)
        thread.start()
        try:
            await asyncio.Event().wait()
        finally:
            self.stop()
            await asyncio.to_thread(self.wait_for_turns)

    def work(self) -> None:
        """Until `stop`, in this thread."""
        with self._looking:
            while not self._stop.is_set():
                self._ended.clear()
                if not self._begin_turns():
                    self._ended.wait(_POLL)

    def stop(self) -> None:
        """Begins no more deliveries."""
        self._stop.set()
        self._ended.set()

    def step(self) -> bool:
        """Delivers what is due now, lane by lane, in this thread; whether there was anything."""
        due = self._lookout.due()
        for state in due:
            self._delivery.turn(state, self._lookout.place(state))
        return bool(due)

    def wait_for_turns(self) -> None:
        """Gives the calls under way a moment to end, and closes the connections."""
        end = time.monotonic() + _GRACE
        if self._looking.acquire(timeout=_GRACE):
            self._looking.release()
        while self._working and time.monotonic() < end:
            self._ended.clear()
            self._ended.wait(0.1)
        self._client.close()

    def _begin_turns(self) -> int:
        began = 0
        for state in self._due():
            lane = (state.webhook.id, state.number)
            with self._lock:
                of_one = Counter(id for id, _ in self._working)[state.webhook.id]
                most = 1 if state.health.failures else _TURNS_OF_ONE
                if lane in self._working or of_one >= most or len(self._working) >= _TURNS:
                    continue
                self._working.add(lane)
            name = f"webhook-{state.webhook.id}-{state.number}"
            threading.Thread(target=self._work_at, args=(state,), name=name, daemon=True).start()
            began += 1
        return began

    def _due(self) -> Sequence[LaneState]:
        with self._lock:
            busy = bool(self._working)
        try:
            return self._lookout.due(busy=busy)
        except StorageFailed as error:
            logger.warning("webhooks have to wait: %s", error.sentence)
        except Exception as error:
            bare = without_text(error)
            logger.error("looking for events to deliver failed: %s", bare, exc_info=bare)
        return []

    def _work_at(self, state: LaneState) -> None:
        try:
            self._delivery.turn(state, self._lookout.place(state))
        except StorageFailed as error:
            logger.warning("a webhook has to wait: %s", error.sentence)
            self._stop.wait(_POLL)
        except Exception as error:
            bare = without_text(error)
            logger.error("delivering to %s failed: %s", state.webhook.id, bare, exc_info=bare)
            self._stop.wait(_POLL)
        finally:
            with self._lock:
                self._working.discard((state.webhook.id, state.number))
            self._lookout.look_again()
            self._ended.set()
