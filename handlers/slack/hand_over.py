"""Work that begins once the acknowledgement is on its way.

Begun earlier, it would run beside the acknowledgement and hold it up: Python runs one thread at a
time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import ContextVar, copy_context

from bot.consent.use_cases.wrapped_store import RequestToken

#: Begins some work, and returns at once.
Begin = Callable[[], object]

#: The request that is being answered, before and after the acknowledgement. None in Socket Mode,
#: where nobody can replay one.
REQUEST: ContextVar[RequestToken | None] = ContextVar("REQUEST", default=None)


class _OfThread(threading.local):
    """What the request hands over that this thread handles."""

    work: list[Begin] | None = None


#: Whoever handles a request sets `work` to an empty list meanwhile, and begins what is in it after
#: the acknowledgement; at once if the request fails, since then there is none.
HANDED_OVER = _OfThread()


def hand_over(begin: Begin) -> None:
    """At once where nobody waits for an acknowledgement."""
    if HANDED_OVER.work is None:
        begin()
    else:
        HANDED_OVER.work.append(begin)


class AnswerPool:
    """The threads that answer after the acknowledgement. Safe across threads."""

    def __init__(self, pool: Executor) -> None:
        self._pool = pool
        self._under_way = 0
        self._ended = threading.Condition()

    def later(self, work: Callable[[], None]) -> None:
        """Runs it once the acknowledgement is on its way. It must not raise."""
        with self._ended:
            self._under_way += 1
        context = copy_context()  # for `REQUEST`
        hand_over(lambda: self._pool.submit(context.run, self._run, work))

    def wait(self, seconds: float) -> bool:
        """Until everything is answered that was acknowledged. False where that takes longer."""
        with self._ended:
            return self._ended.wait_for(lambda: not self._under_way, seconds)

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            with self._ended:
                self._under_way -= 1
                self._ended.notify_all()
