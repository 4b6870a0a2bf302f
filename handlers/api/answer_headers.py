"""The headers of the API's answers, as the document describes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from handlers.api.key_ring import MOST_REQUESTS, WINDOW
from handlers.api.operations import Operation

_COUNT = {"type": "integer", "format": "int64", "minimum": 0}


def _header(description: str, **schema: Any) -> dict[str, Any]:
    return {"description": description, "schema": schema or {"type": "string", "maxLength": 512}}


#: Each header by its name.
HEADERS = {
    "X-Request-Id": _header("Finds the request in Optin's log.", type="string", maxLength=64),
    "RateLimit-Limit": _header(
        f"How many requests a key may send in {WINDOW} seconds: {MOST_REQUESTS:,}.", **_COUNT
    ),
    "RateLimit-Remaining": _header("How many of them are left.", **_COUNT),
    "RateLimit-Reset": _header("Seconds until the count begins anew.", **_COUNT),
    "Retry-After": _header("Seconds to wait before you send the request again.", **_COUNT),
    "WWW-Authenticate": _header("How to send the key: Bearer.", type="string", maxLength=64),
    "ETag": _header(
        "The contact's version, for If-Match.", type="string", pattern='^"[0-9]{1,18}"$'
    ),
    "X-Next": _header("Of the answer as CSV: the `after` of the next page. Absent at the end."),
    "Idempotent-Replayed": _header(
        "The answer to an earlier request with this Idempotency-Key.",
        type="string",
        enum=["true"],
    ),
}
_RATE = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
_WAITING = {429, 503}


def headers_of(operation: Operation, status: int) -> dict[str, Any]:
    """References to the headers that an answer with this status may have."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in _names(operation, status)}


def _names(operation: Operation, status: int) -> Iterator[str]:
    yield "X-Request-Id"
    if not operation.public:
        yield from _RATE
    if status < 400:
        yield from operation.headers
    if status == 401:
        yield "WWW-Authenticate"
    if status in _WAITING:
        yield "Retry-After"
    if operation.idempotent and status < 500:
        yield "Idempotent-Replayed"
