"""The web application: the routes that it is given, and health.

A thin async edge: bodies are read here, slow ones and large ones cut off, and the work is done by
plain functions in threads, so that nobody waits for somebody else's listener.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.consent.errors import without_text

logger = logging.getLogger(__name__)

#: Bytes; twenty times what Slack's largest view needs.
LARGEST_BODY = 1024 * 1024
#: In the scope of a request: the `asyncio.Event` that is set once the server stops.
STOPPING = "optin.stopping"
#: In the scope of a request: set once it was proved to come from whom it names.
GENUINE = "optin.genuine"
_TOO_LARGE = HTTPException(413, headers={"connection": "close"})
#: Bytes of all bodies that are not whole yet. The oldest of them gives way to newer ones.
_UNFINISHED = 32 * LARGEST_BODY
#: Seconds for a whole body to arrive.
BODY_WITHIN = 10.0


def web_app(
    *,
    routes: Sequence[BaseRoute] = (),
    checks: Mapping[str, Callable[[], bool]],
    faults: Callable[[], Sequence[str]] = tuple,
    check_within: float = 5.0,
) -> Starlette:
    """The application: these routes, and health. It is ready while every check answers True;
    the checks run in threads, and their names are public. One that takes more seconds than it
    may counts as failed. `faults` are public, too: somebody has to mend them, and opt-outs go on
    meanwhile, so they leave it ready."""

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok")

    running: asyncio.Task[list[bool]] | None = None

    async def passes_all() -> list[bool]:
        return await asyncio.gather(*(_passes(check, check_within) for check in checks.values()))

    async def readyz(_: Request) -> Response:
        nonlocal running
        # One at a time, however many ask: checks take threads and connections to the storage.
        if running is None or running.done():
            running = asyncio.create_task(passes_all())
        passed = await asyncio.shield(running)
        failed = [name for name, passes in zip(checks, passed, strict=True) if not passes]
        if failed:
            return PlainTextResponse(f"not ready: {', '.join(failed)}", status_code=503)
        if found := faults():
            return PlainTextResponse(f"ready, but {', '.join(found)}")
        return PlainTextResponse("ready")

    health = [Route("/healthz", healthz), Route("/readyz", readyz)]
    handlers = {MemoryError: _no_memory}
    app = Starlette(routes=[*routes, *health], exception_handlers=handlers)
    app.state.bodies = UnfinishedBodies()
    # It would send whoever asks to the host that their own header names.
    app.router.redirect_slashes = False
    return app


class UnfinishedBodies:
    """How much is kept of bodies that are not whole yet. A sender who never ends one holds its
    memory for as long as a body may take, and can do that on hundreds of connections."""

    def __init__(self) -> None:
        self._total = 0
        #: The size of each, by the limit of the time to read it; the oldest first.
        self._sizes: dict[asyncio.Timeout, int] = {}

    def grow(self, body: asyncio.Timeout, by: int) -> None:
        """More of a body has come. Ends the oldest one when there is too much of all."""
        self._sizes[body] = self._sizes.get(body, 0) + by
        self._total += by
        if self._total > _UNFINISHED:
            oldest = next(iter(self._sizes))
            self.end(oldest)
            oldest.reschedule(0)

    def end(self, body: asyncio.Timeout) -> None:
        """It is whole, or given up."""
        self._total -= self._sizes.pop(body, 0)


async def read_body(request: Request, within: float = BODY_WITHIN) -> bytes:
    """The whole body. Raises `HTTPException` if it is larger than `LARGEST_BODY`, if it comes too
    slowly, or if the sender leaves."""
    told = request.headers.get("content-length", "0")
    if told.isdecimal() and int(told) > LARGEST_BODY:
        raise _TOO_LARGE
    read: list[bytes] = []
    size = 0
    unfinished: UnfinishedBodies = request.app.state.bodies
    limit = asyncio.timeout(within)
    try:
        async with limit:
            async for chunk in request.stream():
                size += len(chunk)
                if size > LARGEST_BODY:
                    raise _TOO_LARGE
                read.append(chunk)
                unfinished.grow(limit, len(chunk))
        return b"".join(read)
    except TimeoutError:
        raise HTTPException(408, headers={"connection": "close"}) from None
    except ClientDisconnect:
        raise HTTPException(400) from None
    finally:
        unfinished.end(limit)


async def _no_memory(_: Request, error: Exception) -> Response:
    logger.error("A request found no memory", exc_info=without_text(error))
    return Response(status_code=503)


async def _passes(check: Callable[[], bool], within: float) -> bool:
    try:
        async with asyncio.timeout(within):
            return await run_in_threadpool(check)
    except TimeoutError:
        return False
