"""The routes of the providers that are on, each with a queue. Those that are off have none: 404.

A thread takes all requests of one provider that wait, and they share one sync.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from types import TracebackType
from typing import Self

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as WebRequest
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.routing import Route as WebRoute

from handlers.web import BODY_WITHIN, GENUINE, read_body
from handlers.webhooks.provider import ExpectedAnswer, Provider, Request, Route
from handlers.webhooks.receiver.receive import Answer, WebhookReceiver

logger = logging.getLogger(__name__)

#: So that nobody else's transaction waits for long.
_MOST = 32
#: Seconds. Who has waited longer, because the storage did not take what came before, is told to
#: come again at once: providers hang up after ten and more, and a line would grow of those who have
#: long gone.
_WITHIN = 5.0
#: Seconds at the end for what is under way. Whoever still waits was not answered, and the provider
#: comes again.
_GRACE = 2.0


def webhook_routes(
    lines: Mapping[str, BatchQueue],
    routes: Mapping[str, Sequence[Route]],
    *,
    public_url: str | None,
    body_within: float = BODY_WITHIN,
) -> list[BaseRoute]:
    """`lines` and `routes` are by the provider's name."""
    found: list[BaseRoute] = []
    for name, line in lines.items():
        for route in routes[name]:
            taken = _taken(line, route, public_url, body_within)
            found.append(WebRoute(route.path, taken, methods=list(route.methods)))
            if route.page:
                shown = _shown(partial(route.page, line.provider), public_url)
                found.append(WebRoute(route.path, shown, methods=["GET"]))
    return found


def _taken(
    line: BatchQueue, route: Route, public_url: str | None, body_within: float
) -> Callable[[WebRequest], Awaitable[Response]]:
    async def endpoint(web: WebRequest) -> Response:
        request = _given(web, await read_body(web, body_within), public_url)
        status = await line.receive(request)
        if status is not HTTPStatus.OK:
            return Response(status_code=status)
        web.scope[GENUINE] = True
        return _response(route.answer(request))

    return endpoint


def _shown(
    page: Callable[[Request], ExpectedAnswer], public_url: str | None
) -> Callable[[WebRequest], Awaitable[Response]]:
    async def endpoint(web: WebRequest) -> Response:
        # In a thread: it may ask the storage.
        return _response(await run_in_threadpool(page, _given(web, b"", public_url)))

    return endpoint


@dataclass(frozen=True, slots=True)
class _Waiting:
    request: Request
    answer: asyncio.Future[HTTPStatus]
    #: When it came.
    since: float = field(default_factory=time.monotonic)


class BatchQueue:
    """Each provider has its own: where one waits, as for a certificate, the others don't."""

    def __init__(
        self, intake: WebhookReceiver, provider: Provider, *, within: float = _WITHIN
    ) -> None:
        self._intake = intake
        self.provider = provider
        self._within = within
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
        """Takes what still waits, as far as that is done in time. The thread is a daemon: work
        that does not end never keeps the process from ending."""
        self._waiting.put(None)
        self._thread.join(_GRACE)
        if self._thread.is_alive():
            logger.warning("%s: what still waits was not taken", self.provider.name)

    async def receive(self, request: Request) -> HTTPStatus:
        """As `WebhookReceiver.receive`. Raises what went wrong in our own code."""
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
            latest = time.monotonic() - self._within
            late = [one for one in group if one.since < latest]
            if late:
                self._say(late, self._intake.too_late(self.provider, len(late)))
            if timely := [one for one in group if one.since >= latest]:
                requests = [one.request for one in timely]
                self._say(timely, self._intake.receive(self.provider, requests))
            if ends:
                return

    def _say(self, group: Sequence[_Waiting], answers: Sequence[Answer]) -> None:
        with suppress(RuntimeError):  # the loop was closed: nobody waits any more
            group[0].answer.get_loop().call_soon_threadsafe(_answer, group, answers)


def _answer(group: Sequence[_Waiting], answers: Sequence[Answer]) -> None:
    for one, answer in zip(group, answers, strict=True):
        if one.answer.done():  # whoever asked has gone
            continue
        if isinstance(answer, Exception):
            one.answer.set_exception(answer)
        else:
            one.answer.set_result(answer)


def _given(web: WebRequest, body: bytes, public_url: str | None) -> Request:
    """The request as the provider sees it: the bytes of the request line, not decoded."""
    path: bytes = web.scope["raw_path"]
    query: bytes = web.scope["query_string"]
    return Request.of(
        method=web.method,
        path=path.decode("latin-1"),
        query=query.decode("latin-1"),
        headers=(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in web.headers.raw
        ),
        body=body,
        public_url=public_url,
    )


def _response(answer: ExpectedAnswer) -> Response:
    return Response(answer.body, media_type=answer.media_type, headers=dict(answer.headers))
