"""The seam between the web and a provider: what came, who sent it, and what it says.

Nothing here knows the web framework. A provider verifies first, on the raw body, and only then
reads; every fault in between is one of three exceptions, each of which is one HTTP status.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

from bot.consent.events import Event, OnceToken


class InvalidSignature(Exception):
    """The request is not proven to be the provider's: 401 without a body, and counted.

    The text is for the log and holds nothing out of the request; this goes for all three.
    """


class WrongTime(InvalidSignature):
    """The time that it names is too old, or is still to come. Whether it was signed is not said:
    `verify` is asked again, with this time. Not for a provider that `now` is remembered for."""

    def __init__(self, text: str, stated: datetime) -> None:
        super().__init__(text)
        self.stated = stated


class InvalidPayload(Exception):
    """It can't be read as a whole. From `verify`, 400: nobody knows whose it is. From `parse`, 200
    and counted: the provider sent it, and would send the same again.

    The text is one of a few that stand in our code: metrics and `optin doctor` count by it.
    """


class VerificationUnavailable(Exception):
    """It can't be told now whether the provider sent it: 503, so that it is sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request, as it came. Made by `Request.of`."""

    method: str
    path: str
    #: Without its question mark, not decoded.
    query: str
    #: The address as the provider knows it: built from OPTIN_PUBLIC_URL, never from the Host
    #: header. Empty where that setting is missing, so that no signature over it can hold.
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @classmethod
    def of(
        cls,
        *,
        method: str,
        path: str,
        query: str = "",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        public_url: str | None,
    ) -> Self:
        """`path` and `query` as they stood in the request line; `public_url` without a slash
        at its end. A header that came twice is joined by a comma, as HTTP has it."""
        joined: dict[str, str] = {}
        for name, value in headers:
            name = name.lower()
            joined[name] = f"{joined[name]}, {value}" if name in joined else value
        return cls(
            method=method.upper(),
            path=path,
            query=query,
            url=f"{public_url}{path}{'?' if query else ''}{query}" if public_url else "",
            headers=MappingProxyType(joined),
            body=body,
        )

    def header(self, name: str) -> str:
        """The header in any case; empty where there is none."""
        return self.headers.get(name.lower(), "")

    @property
    def media_type(self) -> str:
        """`application/json` …, in lower case, without its parameters."""
        return self.header("content-type").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """A subscription to be confirmed by the worker, after the answer, with the SPEC's `confirm`."""

    url: str = field(repr=False)
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What a request says. The reasons are of the kind of `InvalidPayload`'s text."""

    events: tuple[Event, ...] = ()
    #: Understood, and of no interest: `sent`, `opened` …
    ignored: tuple[str, ...] = ()
    #: Items that can't be read, or whose kind is unknown.
    skipped: tuple[str, ...] = ()
    confirmations: tuple[Confirmation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedAnswer:
    """The body that stands beside the status 200."""

    body: str = ""
    media_type: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def empty_answer(_: Request) -> ExpectedAnswer:
    """What nearly every provider expects."""
    return ExpectedAnswer()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a provider calls."""

    path: str
    methods: tuple[str, ...] = ("POST",)
    #: What it expects once everything is stored. A refusal never has a body.
    answer: Callable[[Request], ExpectedAnswer] = empty_answer
    #: What a person sees who opens the address in a browser: a method of the provider. It must
    #: change nothing.
    page: Callable[[Any, Request], ExpectedAnswer] | None = None


class Provider(Protocol):
    """One provider, with its secrets: proves who sent a request, and reads it."""

    #: As in its SPEC.
    name: ClassVar[str]

    def verify(self, request: Request, now: datetime) -> str:
        """Says which of its secrets held, by place and never by value.

        Raises `InvalidSignature`, `VerificationUnavailable`, and `InvalidPayload` if the
        signature is inside a body that can't be read.
        """
        ...

    def parse(self, request: Request, now: datetime) -> Parsed:
        """Reads what was verified. Raises `InvalidPayload`."""
        ...


@runtime_checkable
class TokenSigned(Protocol):
    """A provider whose signature does not cover the body: whoever saw one could put it on any."""

    def once_token(self, request: Request, now: datetime) -> OnceToken:
        """What the signature of a request that was verified stands for."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsubscribeMailboxes:
    """What is known of the mailboxes of the contact whom a link names."""

    #: By the address under which Optin keeps a mailbox, the other ways in which it was written.
    #: The present mailbox first, then former ones.
    written: Mapping[str, Sequence[str]]
    #: A contact with this id was erased: what their mailboxes were, nobody knows any more.
    erased: bool = False


#: The mailboxes of a contact, by our id or the external one; None where nobody has or had the id.
MailboxesOf = Callable[[str], UnsubscribeMailboxes | None]


def read_each(items: Iterable[Any], read: Callable[[Any], Parsed]) -> Parsed:
    """Every item of a batch; an unreadable one is skipped, an event that is there twice is taken
    once. Raises `InvalidPayload` where no item can be read.

    Two addresses under one id are two events."""
    parts: list[Parsed] = []
    faults: list[str] = []
    for item in items:
        try:
            parts.append(read(item))
        except InvalidPayload as fault:
            faults.append(str(fault))
    if faults and not parts:
        raise InvalidPayload(faults[0])
    events: dict[tuple[str, str], Event] = {}
    for event in (event for part in parts for event in part.events):
        events.setdefault((event.id, event.address), event)
    return Parsed(
        events=tuple(events.values()),
        ignored=tuple(word for part in parts for word in part.ignored),
        skipped=(*(reason for part in parts for reason in part.skipped), *faults),
        confirmations=tuple(one for part in parts for one in part.confirmations),
    )
