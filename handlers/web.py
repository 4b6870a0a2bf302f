"""The web application: the routes that it is given, and health.

A thin async edge: bodies are read here, slow ones and large ones cut off, and the work is done by
plain functions in threads, so that nobody waits for somebody else's listener.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

#: Bytes; twenty times what Slack's largest view needs.
LARGEST_BODY = 1024 * 1024
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

    async def readyz(_: Request) -> Response:
        passed = await asyncio.gather(*(_passes(check, check_within) for check in checks.values()))
        failed = [name for name, passes in zip(checks, passed, strict=True) if not passes]
        if failed:
            return PlainTextResponse(f"not ready: {', '.join(failed)}", status_code=503)
        if found := faults():
            return PlainTextResponse(f"ready, but {', '.join(found)}")
        return PlainTextResponse("ready")

    health = [Route("/healthz", healthz), Route("/readyz", readyz)]
    return Starlette(routes=[*routes, *health], max_body_size=LARGEST_BODY)


async def read_body(request: Request, within: float = BODY_WITHIN) -> bytes:
    """The whole body, at most `LARGEST_BODY` of it.

    Raises `HTTPException` where it comes too slowly or the sender leaves; 413 is the application's.
    """
    try:
        async with asyncio.timeout(within):
            return await request.body()
    except TimeoutError:
        raise HTTPException(408, headers={"connection": "close"}) from None
    except ClientDisconnect:
        raise HTTPException(400) from None


async def _passes(check: Callable[[], bool], within: float) -> bool:
    try:
        async with asyncio.timeout(within):
            return await run_in_threadpool(check)
    except TimeoutError:
        return False
