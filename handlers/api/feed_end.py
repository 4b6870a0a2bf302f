"""Where the feed ends now, for those who wait for it to go on."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from starlette.concurrency import run_in_threadpool

from bot.consent.use_cases import Service
from bot.consent.use_cases.feed import newest_place

#: Seconds between two looks, however many wait.
_LOOK = 0.2


class FeedEnd:
    """One for the whole process: a hundred who wait cost one small read a look."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._place = 0
        self._looked_at = float("-inf")
        self._looking = asyncio.Lock()

    async def moves_from(self, place: int, until: float, stopping: asyncio.Event) -> None:
        """Returns when the feed goes on behind this place, at `until`, of the monotonic clock, or
        when the server stops. Raises `StorageFailed`."""
        while (left := until - time.monotonic()) > 0 and not stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), min(_LOOK, left))
            if await self._now() > place:
                return

    async def _now(self) -> int:
        async with self._looking:
            if time.monotonic() - self._looked_at >= _LOOK:
                self._place = await run_in_threadpool(newest_place, self._service)
                self._looked_at = time.monotonic()
            return self._place
