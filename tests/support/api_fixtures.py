"""The API over HTTP: the real routes on a real server, over a storage of its own."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import httpx
import msgspec
import pytest

from bot.consent.api_key import Scope
from bot.consent.use_cases import Service
from bot.consent.use_cases.api_keys import add_key
from bot.runtime.server import Server
from handlers.api.api_operations import OPERATIONS
from handlers.api.api_routes import api_routes
from handlers.api.key_ring import KeyRing
from handlers.api.operations import Operation
from handlers.web import web_app
from tests.support.consent_fixtures import OPERATOR


@dataclass(slots=True)
class ApiClient:
    """A program that has a key. Every answer is held against the operation's own types."""

    service: Service
    ring: KeyRing
    url: str
    http: httpx.Client
    key: str = ""
    #: By method and path.
    operations: Mapping[tuple[str, str], Operation] = field(
        default_factory=lambda: {(o.method, o.path): o for o in OPERATIONS}
    )

    def get(self, path: str, **params: str | int) -> httpx.Response:
        return self.send("GET", path, params=params)

    def post(self, path: str, body: object, **headers: str) -> httpx.Response:
        return self.send("POST", path, json=body, headers=headers)

    def send(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        given = {"authorization": f"Bearer {self.key}"} if self.key else {}
        answer = self.http.request(
            method, f"{self.url}/api/v1{path}", headers={**given, **(headers or {})}, **more
        )
        self._check(method, path, answer)
        return answer

    def _check(self, method: str, path: str, answer: httpx.Response) -> None:
        kind = answer.headers.get("content-type", "")
        if answer.status_code >= 400:
            assert kind == "application/problem+json", (path, answer.status_code, answer.text)
            problem = answer.json()
            assert problem["status"] == answer.status_code
            assert problem["request_id"] == answer.headers["x-request-id"]
            return
        operation = self.operations.get((method, path)) or self._with_names(method, path)
        if operation is not None and kind == "application/json":
            types = operation.answers[answer.status_code]
            types = types if isinstance(types, tuple) else (types,)
            assert any(map(partial(_fits, answer.content), types)), (path, answer.text)

    def _with_names(self, method: str, path: str) -> Operation | None:
        parts = path.split("/")
        for (of, template), operation in self.operations.items():
            names = template.split("/")
            if (
                of == method
                and len(names) == len(parts)
                and all(n == p or n.startswith("{") for n, p in zip(names, parts, strict=True))
            ):
                return operation
        return None

    def new_key(
        self,
        name: str,
        scopes: Collection[Scope] = tuple(Scope),
        *,
        expires_at: datetime | None = None,
    ) -> str:
        """The text of a new key, which this program uses from now on."""
        _, self.key = add_key(self.service, name, scopes, OPERATOR, expires_at=expires_at)
        return self.key


def another_program(api: ApiClient, name: str, scopes: Collection[Scope] = tuple(Scope)) -> None:
    """From now on the requests have another key, once the server has heard of it."""
    api.new_key(name, scopes)
    until = time.monotonic() + 30
    while api.get("/me").status_code == 401 and time.monotonic() < until:
        pass


def _fits(content: bytes, type: Any) -> bool:
    try:
        msgspec.json.decode(content, type=type)
    except msgspec.ValidationError:
        return False
    return True


@pytest.fixture
def api(service: Service) -> Iterator[ApiClient]:
    """A program with a key of every scope."""
    with serving_api(service) as client:
        client.new_key("Tests")
        yield client


def serving_api(service: Service) -> _Serving:
    """The same without a key."""
    return _Serving(service)


class _Serving:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._ring = KeyRing(service)
        routes = api_routes(service, self._ring, OPERATIONS)
        self._server = Server(web_app(routes=routes, checks={}))
        self._http = httpx.Client(timeout=30, trust_env=False)

    def __enter__(self) -> ApiClient:
        self._server.__enter__()
        return ApiClient(self._service, self._ring, self._server.url, self._http)

    def __exit__(self, *error: Any) -> None:
        self._http.close()
        self._server.__exit__(*error)
        self._server.close()
