"""A call of a provider's API, and the answer to it."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, Self
from urllib.parse import parse_qsl


class CallKind(StrEnum):
    """What a call does. Tests count calls by it."""

    #: Reads a page of a list.
    LIST = "list"
    #: Reads what there is of one address.
    FIND = "find"
    ADD = "add"
    REMOVE = "remove"
    #: Empties a whole list.
    EMPTY = "empty"
    #: Anything else: settings, groups, scopes.
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class ListCall:
    """`path` is whole and as it was sent; `segments` are the parts behind the provider's prefix,
    without their percent-encoding. `now` is the sandbox's clock, in seconds since 1970."""

    method: str
    path: str
    segments: tuple[str, ...]
    query: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    now: float
    #: The address of the provider's prefix, for answers that hold links.
    base_url: str

    @cached_property
    def args(self) -> dict[str, str]:
        """The query; of repeated names, the last."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    def number(self, name: str, otherwise: int) -> int:
        """Raises ListRefusal where the query has something else than a number there."""
        text = self.args.get(name, "")
        if text and not text.isdecimal():
            raise ListRefusal(400, f"{name} must be a number")
        return int(text) if text else otherwise

    def json(self) -> Any:
        """Raises ListRefusal."""
        if not self.headers.get("content-type", "").startswith("application/json"):
            raise ListRefusal(415, "content-type must be application/json")
        try:
            return json.loads(self.body)
        except ValueError:
            raise ListRefusal(400, "the body is no JSON") from None

    def form(self) -> list[tuple[str, str]]:
        return parse_qsl(self.body.decode(), keep_blank_values=True)

    @property
    def bearer(self) -> str:
        """The token, empty where there is none."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" else ""

    @property
    def basic(self) -> tuple[str, str]:
        """User and password, empty where there are none."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        try:
            user, _, password = base64.b64decode(token).decode().partition(":")
        except ValueError:
            return "", ""
        return (user, password) if scheme.lower() == "basic" else ("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAnswer:
    """`body` is JSON, or text, or None for no body at all."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: CallKind = CallKind.OTHER
    #: Whom it was about.
    addresses: tuple[str, ...] = ()

    @classmethod
    def about(cls, kind: CallKind, *addresses: str, body: Any = None, status: int = 200) -> Self:
        return cls(status=status, body=body, kind=kind, addresses=addresses)

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        return replace(self, headers={**self.headers, **headers})


class ListRefusal(Exception):
    """The provider says no. Each of them puts the sentence into a body of its own form."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = "",
        kind: CallKind = CallKind.OTHER,
        addresses: Sequence[str] = (),
    ) -> None:
        """`code` is the provider's name for it; `kind` and `addresses` are those of the call."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.kind = kind
        self.addresses = addresses
