"""Serving the table of operations: key, scope, limits, body, function, answer; and problems."""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from bot.consent.api_key import PREFIX, ApiKey
from bot.consent.errors import OptinError, without_text
from bot.consent.frozen import replace
from bot.consent.use_cases import Service
from bot.consent.use_cases.at_once import WouldWait, at_once
from handlers.api.answered_once import KEY_HEADER, AnsweredOnce, once_key, run
from handlers.api.docs_page import about_operations
from handlers.api.feed_end import FeedEnd
from handlers.api.key_ring import MOST_REQUESTS, KeyRing, actor_of
from handlers.api.mended_json import mended
from handlers.api.operations import LONGEST_IN_PATH, ApiReply, ApiRequest, NoQuery, Operation
from handlers.api.problems import MEDIA_TYPE, Problem, problem_of, unreadable
from handlers.web import GENUINE, LARGEST_BODY, STOPPING, read_body

logger = logging.getLogger(__name__)

#: The scheme in upper or lower case (RFC 9110 section 11.1).
_BEARER = re.compile(r"(?i:bearer) +(\S+) *")
_ETAG = re.compile(r'"([0-9]{1,18})"')
_IN_URL = re.compile(rf"(?:^|[&?])(?:api_?key|access_token|key|token)=|{PREFIX}", re.IGNORECASE)
_ROOT = "/api/v1"
_NO_QUERY = NoQuery()
_encode = msgspec.json.Encoder().encode


def api_routes(service: Service, ring: KeyRing, operations: Sequence[Operation]) -> list[BaseRoute]:
    """Everything under `/api/v1`."""
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in (*operations, *about_operations(operations)):
        by_path.setdefault(operation.path, {})[operation.method] = operation
    end, once = FeedEnd(service), AnsweredOnce()
    paths = sorted(by_path.items(), key=_with_names)
    endpoints = [
        Route(_ROOT + path, _Endpoint(service, ring, end, once, methods)) for path, methods in paths
    ]
    nowhere = _Endpoint(service, ring, end, once, {})
    rest = Route(f"{_ROOT}/{{path:path}}", nowhere)
    # Without this, an address with a line break would get Starlette's own answer.
    rest.path_regex = re.compile(rest.path_regex.pattern, re.DOTALL)
    return [*endpoints, Route(_ROOT, nowhere), rest]


def _with_names(path: tuple[str, object]) -> tuple[bool, ...]:
    """A path with a name in it comes behind one with a word there: `{id}` would take every word."""
    return tuple(part.startswith("{") for part in path[0].split("/"))


class _Endpoint:
    """One address. An ASGI application, so that every method reaches it."""

    def __init__(
        self,
        service: Service,
        ring: KeyRing,
        end: FeedEnd,
        once: AnsweredOnce,
        methods: Mapping[str, Operation],
    ) -> None:
        self._service = service
        self._at_once = at_once(service)
        self._ring = ring
        self._end = end
        self._once = once
        self._methods = methods
        self._bodies = {
            method: msgspec.json.Decoder(operation.body)
            for method, operation in methods.items()
            if operation.body is not None
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        request_id = f"{random.getrandbits(64):016x}"
        headers = {"x-request-id": request_id, "cache-control": "no-store"}
        try:
            reply = await self._answer(request, headers)
        except Problem as problem:
            reply = _told(problem, request_id)
        except OptinError as error:
            reply = _told(problem_of(error), request_id)
        except HTTPException as error:
            reply = _told(_http_problem(error), request_id)
        except Exception as error:
            # The program gets a reference, and the log what went wrong, without texts.
            bare = without_text(error)
            logger.error("API request %s failed: %s", request_id, bare, exc_info=bare)
            broke = Problem("internal", 500, f"Optin failed. The reference is {request_id}.")
            reply = _told(broke, request_id)
        await _send(reply, headers, send)

    async def _answer(self, request: Request, headers: dict[str, str]) -> ApiReply:
        query = request.scope["query_string"].decode("latin-1")
        if query and _IN_URL.search(query):
            raise Problem(
                "key_in_url",
                400,
                "URLs end up in logs. Send the key in the Authorization header, as Bearer, and "
                "replace this one if it is real.",
            )
        operation = self._methods.get(request.method)
        public = operation is not None and operation.public
        key = None if public else await self._key(request, headers)
        if operation is None:
            raise self._no_operation(request)
        if key is not None and operation.scope and operation.scope not in key.scopes:
            raise Problem("forbidden", 403, f"This needs a key with the scope {operation.scope}.")
        raw, body = await self._body(operation, request)
        asked = ApiRequest(
            service=self._service,
            key=key,  # type: ignore[arg-type]  # public operations do not look at it
            actor=actor_of(key) if key else None,  # type: ignore[arg-type]  # nor at this
            query=_query(operation, query),
            body=body,
            path=_path(request),
            if_match=_version(request) if operation.versioned else None,
        )
        if operation.quick is not None and operation.quick(asked.body):
            try:
                return run(operation, replace(asked, service=self._at_once))
            except WouldWait:
                pass
        if operation.idempotent and (given := request.headers.get(KEY_HEADER)) is not None:
            wanted = once_key(asked, given, request.method, request.url.path, raw)
            return await run_in_threadpool(self._once.reply, operation, asked, wanted)
        reply = await run_in_threadpool(run, operation, asked)
        if operation.has_nothing_new is not None and asked.query.wait:
            until = time.monotonic() + asked.query.wait
            stopping = request.scope[STOPPING]
            while operation.has_nothing_new(reply) and time.monotonic() < until:
                if stopping.is_set():
                    break
                await self._end.moves_from(reply.value["next"], until, stopping)
                # The key may have been revoked meanwhile.
                await self._usable_key(request)
                reply = await run_in_threadpool(run, operation, asked)
        return reply

    async def _usable_key(self, request: Request) -> ApiKey:
        ring = self._ring
        given = _BEARER.fullmatch(_header(request, b"authorization"))
        text = given[1] if given else ""
        key = ring.find_known(text) or await run_in_threadpool(ring.find, text)
        if key is None:
            if not await run_in_threadpool(ring.keys):
                raise Problem("off", 404, "The API is off: `optin key add` makes the first key.")
            raise Problem(
                "unauthorized",
                401,
                "Send a key that is in use: Authorization: Bearer optin_live_…",
                headers={"www-authenticate": "Bearer"},
            )
        request.scope[GENUINE] = True
        return key

    async def _key(self, request: Request, headers: dict[str, str]) -> ApiKey:
        """The same, counted."""
        key = await self._usable_key(request)
        left, seconds = self._ring.count(key)
        headers |= {
            "ratelimit-limit": str(MOST_REQUESTS),
            "ratelimit-remaining": str(max(0, left)),
            "ratelimit-reset": str(seconds),
        }
        if left < 0:
            raise Problem(
                "too_many_requests",
                429,
                f"This key has asked {MOST_REQUESTS:,} times in a minute. Ask again in {seconds} "
                "seconds, or for up to 1,000 recipients at once.",
                headers={"retry-after": str(seconds)},
            )
        return key

    def _no_operation(self, request: Request) -> Problem:
        if not self._methods:
            return Problem("not_found", 404, "There is nothing at this address.")
        allowed = ", ".join(sorted(self._methods))
        return Problem(
            "method_not_allowed",
            405,
            f"This address allows {allowed}.",
            headers={"allow": allowed},
        )

    async def _body(self, operation: Operation, request: Request) -> tuple[bytes, Any]:
        """The body as it came, and read."""
        decoder = self._bodies.get(operation.method)
        if decoder is None:
            return b"", None
        kind = _header(request, b"content-type").partition(";")[0].strip().lower()
        if kind != "application/json" and not kind.endswith("+json"):
            raise Problem(
                "unsupported_media_type", 415, "Send JSON: Content-Type: application/json."
            )
        raw = await read_body(request)
        try:
            return raw, decoder.decode(raw)
        except msgspec.ValidationError as error:
            raise unreadable(error) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
        try:
            return raw, decoder.decode(mended(raw))
        except msgspec.DecodeError as error:
            raise unreadable(error) from None
        except (UnicodeDecodeError, RecursionError):
            raise Problem("malformed", 400, "The body is not JSON in UTF-8.") from None


def _header(request: Request, name: bytes) -> str:
    """What Starlette's `Headers` gives, at a fifth of its cost; "" where there is none."""
    for known, value in request.scope["headers"]:
        if known == name:
            return str(value, "latin-1")
    return ""


def _path(request: Request) -> Mapping[str, str]:
    if any(len(id) > LONGEST_IN_PATH for id in request.path_params.values()):
        raise Problem("invalid", 400, f"An id has at most {LONGEST_IN_PATH:,} characters.")
    return request.path_params


def _query(operation: Operation, text: str) -> Any:
    if not text and operation.query is NoQuery:
        return _NO_QUERY
    try:
        given = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=20)) if text else {}
    except ValueError:
        raise Problem("invalid", 400, "The URL has too many parameters.") from None
    try:
        return msgspec.convert(given, operation.query, strict=False)
    except msgspec.ValidationError as error:
        problem = unreadable(error)
        problem.detail = problem.detail.replace("field", "parameter")
        problem.pointer = None
        raise problem from None


def _version(request: Request) -> int | None:
    given = request.headers.get("if-match")
    if given is None:
        return None
    found = _ETAG.fullmatch(given.strip())
    if found is None:
        raise Problem("malformed", 400, 'If-Match holds the ETag of the contact, such as "7".')
    return int(found[1])


async def _send(reply: ApiReply, headers: Mapping[str, str], send: Send) -> None:
    """What Starlette's `Response` sends, at a third of its cost."""
    body = reply.value if isinstance(reply.value, bytes) else _encode(reply.value)
    text = reply.media_type.startswith("text/")
    told = {
        **headers,
        "content-type": f"{reply.media_type}; charset=utf-8" if text else reply.media_type,
        "content-length": str(len(body)),
        **reply.headers,
    }
    if reply.status == HTTPStatus.NO_CONTENT:
        del told["content-type"], told["content-length"]
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in told.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def _told(problem: Problem, request_id: str) -> ApiReply:
    return ApiReply(
        value=problem.body(request_id),
        status=problem.status,
        headers=problem.headers,
        media_type=MEDIA_TYPE,
    )


def _http_problem(error: HTTPException) -> Problem:
    headers = dict(error.headers or {})
    if error.status_code == 413:
        most = f"{LARGEST_BODY // 1024} KiB"
        return Problem("too_large", 413, f"A body has at most {most}.", headers=headers)
    if error.status_code == 408:
        return Problem("too_slow", 408, "The body did not arrive in time.", headers=headers)
    return Problem("malformed", 400, "The request could not be read.", headers=headers)
