"""Requests of one provider in a line: a thread takes all that wait, and they share one sync."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Self

from handlers.intake.intake import Answer, Intake
from handlers.webhooks.provider import Provider, Request

#: So that nobody else's transaction waits for long.
_MOST = 32


@dataclass(frozen=True, slots=True)
class _Waiting:
    request: Request
    answer: asyncio.Future[HTTPStatus]


class Line:
    """Each provider has its own: where one waits, as for a certificate, the others don't."""

    def __init__(self, intake: Intake, provider: Provider) -> None:
        self._intake = intake
        self._provider = provider
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=provider.name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Takes what still waits."""
        self._waiting.put(None)
        self._thread.join()

    async def receive(self, request: Request) -> HTTPStatus:
        """As `Intake.receive`. Raises what went wrong in our own code."""
        answer: asyncio.Future[HTTPStatus] = asyncio.get_running_loop().create_future()
        self._waiting.put(_Waiting(request, answer))
        return await answer

    def _work(self) -> None:
        while (first := self._waiting.get()) is not None:
            group, ends = [first], False
            while len(group) < _MOST and not self._waiting.empty():
                following = self._waiting.get()
                if following is None:
                    ends = True
                    break
                group.append(following)
            answers = self._intake.receive(self._provider, [one.request for one in group])
            loop = first.answer.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(_answer, group, answers)
            if ends:
                return


def _answer(group: Sequence[_Waiting], answers: Sequence[Answer]) -> None:
    for one, answer in zip(group, answers, strict=True):
        if one.answer.done():  # whoever asked has gone
            continue
        if isinstance(answer, Exception):
            one.answer.set_exception(answer)
        else:
            one.answer.set_result(answer)
