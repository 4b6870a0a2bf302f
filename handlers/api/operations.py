"""An operation of the API: its address, its types, and the function that does it.

`api_routes` serves the table of operations and `openapi` describes it, so that neither can say
something else than the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec

from bot.consent.api_key import ApiKey, Scope
from bot.consent.frozen import quick
from bot.consent.model import Actor
from bot.consent.use_cases import Service
from bot.consent.use_cases.contacts import LONGEST_NAME


class ApiMessage(msgspec.Struct, forbid_unknown_fields=True):
    """A body or a query. Unknown fields are refused by name."""


#: Characters of an id in a path: as many as a contact's id in another system may have.
LONGEST_IN_PATH = LONGEST_NAME
#: A moment in an answer, as RFC 3339 writes it.
Instant = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]


class NoQuery(ApiMessage):
    """A route that takes no parameters."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """A request whose key, body and parameters have been read."""

    service: Service
    key: ApiKey
    actor: Actor
    #: As the operation's types say.
    body: Any
    query: Any
    #: Out of the path.
    path: Mapping[str, str]
    #: The version out of `If-Match`; None where there is none.
    if_match: int | None = None
    #: A secret for the answer, where it needs one: the same when the request is sent again with its
    #: Idempotency-Key. None without a key.
    token: str | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ApiReply:
    """What is answered. `value` becomes JSON; bytes are sent as they are."""

    value: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    #: The contacts that it is about, by id: their erasure removes it where it is kept.
    contacts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one address."""

    method: str
    #: Behind `/api/v1`, with `{names}`.
    path: str
    #: None for what every key may do, and for what is public.
    scope: Scope | None
    #: As the documentation lists it; the function's docstring says the rest.
    summary: str
    run: Callable[[ApiRequest], ApiReply]
    #: Under which heading the documentation lists it (`openapi`).
    tag: str
    #: Types of the body and of the parameters; the answer's by status, several where it depends on
    #: what is asked.
    body: Any = None
    #: The type that the document has for the body, where its items are read one by one.
    documented_body: Any = None
    #: A body, for the documentation.
    example: Any = None
    query: type[ApiMessage] = NoQuery
    answers: Mapping[int, Any] = field(default_factory=dict)
    #: Statuses of the problems that are the operation's own.
    problems: tuple[int, ...] = ()
    #: Needs no key.
    public: bool = False
    #: Whether this body takes a moment only: then the server's loop answers, if that needs no
    #: waiting.
    quick: Callable[[Any], bool] | None = None
    #: Whether the reply has nothing new: then it waits for the feed to go on, for as many seconds
    #: as the query's `wait` says.
    has_nothing_new: Callable[[ApiReply], bool] | None = None
    #: Another media type that the answer may have.
    other_media_type: str | None = None
    media_type: str = "application/json"
    #: Where in the body the fields stand that errors name (`OptinError.field`).
    pointers: Mapping[str, str] = field(default_factory=dict)
    #: Takes `Idempotency-Key`: it changes something.
    idempotent: bool = False
    #: Takes `If-Match`.
    versioned: bool = False
    #: Headers that only some operations send (`answer_headers.HEADERS`).
    headers: tuple[str, ...] = ()
    #: The operations that go on from the answer: by name, the parameter that they take and where in
    #: the answer it stands (RFC 6901).
    links: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """A name of its own, for programs that are made from the document."""
        return self.run.__name__
