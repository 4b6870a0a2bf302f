"""The routes of the providers that are on. Of those that are off there is none: 404."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus

from starlette.requests import Request as WebRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from handlers.web import BODY_WITHIN, read_body
from handlers.webhooks.provider import Provider, Request
from handlers.webhooks.providers.one_click import OneClick
from handlers.webhooks.receiver.batches import BatchQueue
from handlers.webhooks.receiver.unsubscribe_page import button_page, done_page


def webhook_routes(
    lines: Mapping[str, BatchQueue],
    providers: Sequence[Provider],
    *,
    public_url: str | None,
    body_within: float = BODY_WITHIN,
) -> list[BaseRoute]:
    """`lines` are by the provider's name."""
    routes: list[BaseRoute] = []

    def add(line: BatchQueue, path: str, methods: Sequence[str]) -> None:
        answer = _ANSWERS.get(path, _nothing)

        async def endpoint(web: WebRequest) -> Response:
            request = _given(web, await read_body(web, body_within), public_url)
            status = await line.receive(request)
            return answer(web) if status is HTTPStatus.OK else Response(status_code=status)

        routes.append(Route(path, endpoint, methods=list(methods)))

    for provider in providers:
        for route in provider.routes:
            add(lines[provider.name], route.path, route.methods)
            if provider.name == OneClick.name:
                routes.append(Route(route.path, _shown(button_page), methods=["GET"]))
    return routes


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


def _shown(page: Callable[[WebRequest], Response]) -> Callable[[WebRequest], object]:
    async def endpoint(web: WebRequest) -> Response:
        return page(web)

    return endpoint


def _nothing(_: WebRequest) -> Response:
    return Response()


def _no_reply(_: WebRequest) -> Response:
    """To Twilio: nothing is texted back."""
    return Response("<Response/>", media_type="text/xml")


#: Where more than "yes" is expected.
_ANSWERS: Mapping[str, Callable[[WebRequest], Response]] = {
    "/webhooks/twilio/inbound": _no_reply,
    **{route.path: done_page for route in OneClick.routes},
}
