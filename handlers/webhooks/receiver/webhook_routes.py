"""The routes of the providers that are on. Of those that are off there is none: 404."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus

from starlette.requests import Request as WebRequest
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.routing import Route as WebRoute

from handlers.web import BODY_WITHIN, read_body
from handlers.webhooks.provider import ExpectedAnswer, Request, Route
from handlers.webhooks.receiver.batches import BatchQueue


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
                found.append(WebRoute(route.path, _shown(route.page), methods=["GET"]))
    return found


def _taken(
    line: BatchQueue, route: Route, public_url: str | None, body_within: float
) -> Callable[[WebRequest], Awaitable[Response]]:
    async def endpoint(web: WebRequest) -> Response:
        request = _given(web, await read_body(web, body_within), public_url)
        status = await line.receive(request)
        if status is not HTTPStatus.OK:
            return Response(status_code=status)
        return _response(route.answer(request))

    return endpoint


def _shown(
    page: Callable[[Request], ExpectedAnswer],
) -> Callable[[WebRequest], Awaitable[Response]]:
    async def endpoint(web: WebRequest) -> Response:
        return _response(page(_given(web, b"", None)))

    return endpoint


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
