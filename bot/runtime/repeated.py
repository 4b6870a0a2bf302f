"""A job that runs again and again beside the server."""

from __future__ import annotations

import logging
import threading
from collections.abc import Awaitable, Callable

from bot.consent.errors import StorageFailed

logger = logging.getLogger(__name__)

#: One step of a job. Looks at the flag between its parts: when it is set, we stop.
Step = Callable[[threading.Event], object]


def every(seconds: float, name: str, step: Step) -> Callable[[], Awaitable[None]]:
    """A job for `bot.runtime.server.Server`: runs the step at once, and again `seconds` after each
    end. If the storage fails, the next run tries again."""

    async def run() -> None:
        # A command of the command line imports this module, and runs no job.
        import asyncio
        from concurrent.futures import ThreadPoolExecutor

        loop = asyncio.get_running_loop()
        stopping = threading.Event()

        def once() -> None:
            try:
                step(stopping)
            except StorageFailed as error:
                logger.warning("%s has to wait: %s", name, error.sentence)

        with ThreadPoolExecutor(max_workers=1, thread_name_prefix=name) as pool:
            try:
                while True:
                    await loop.run_in_executor(pool, once)
                    await asyncio.sleep(seconds)
            finally:
                stopping.set()

    return run
