"""The web server's routes: Slack's requests in HTTP mode, and health.

A thin async edge: bodies are read here, slow ones and large ones cut off, and the work is done by
plain functions in threads, so that nobody waits for somebody else's listener.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from datetime import datetime

from slack_bolt import App, BoltRequest, BoltResponse
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from handlers.slack.request_signature import SignatureCheck

logger = logging.getLogger(__name__)

#: Bytes; twenty times what Slack's largest view needs.
LARGEST_BODY = 1024 * 1024
#: Seconds for a whole body to arrive.
BODY_WITHIN = 10.0
#: Headers are not signed. Only these reach Bolt.
_FOR_BOLT = ("x-slack-retry-num", "x-slack-retry-reason")


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


def slack_route(
    bolt: App,
    gate: SignatureCheck,
    *,
    pool: Executor,
    now: Callable[[], datetime],
    body_within: float = BODY_WITHIN,
) -> Route:
    """`POST /slack/events`: commands, clicks, forms, typeahead and events, all of it.

    Bolt runs in a thread of the pool, so its size is how many listeners run at a time.
    """

    async def slack_events(request: Request) -> Response:
        body = await read_body(request, body_within)
        verdict = gate.judge(request.headers, body, now())
        if verdict.payload is None:
            logger.info(
                "Answered a request to Slack's door: %d, %s", verdict.status, verdict.reason
            )
            return Response(status_code=verdict.status)
        headers = {name: value for name in _FOR_BOLT if (value := request.headers.get(name))}
        answer = await asyncio.get_running_loop().run_in_executor(
            pool, _dispatch, bolt, verdict.payload, headers
        )
        if answer.status >= 500:
            gate.forget(verdict)
        return Response(
            answer.body,
            status_code=answer.status,
            headers=answer.first_headers_without_set_cookie(),
        )

    return Route("/slack/events", slack_events, methods=["POST"])


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


def _dispatch(bolt: App, payload: Mapping[str, object], headers: Mapping[str, str]) -> BoltResponse:
    # As from Socket Mode, which brings what is verified and read: Bolt would do both again, with
    # one secret only, and with faults of its own (see `handlers.slack.payload`).
    request = BoltRequest(body=dict(payload), headers=dict(headers), mode="socket_mode")
    return bolt.dispatch(request)


async def _passes(check: Callable[[], bool], within: float) -> bool:
    try:
        async with asyncio.timeout(within):
            return await run_in_threadpool(check)
    except TimeoutError:
        return False
