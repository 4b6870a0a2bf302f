"""Verify and parse the requests of a provider, store them together, and only then answer."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Protocol

from bot.consent.errors import StorageFailed
from bot.consent.events import Event, EventRequest, OnceToken
from bot.consent.use_cases import Service
from bot.consent.use_cases.ingest import ingest_requests
from handlers.webhooks.provider import (
    InvalidPayload,
    InvalidSignature,
    Parsed,
    Provider,
    Request,
    TokenSigned,
    VerificationUnavailable,
    WrongTime,
)
from handlers.webhooks.receiver import confirmations
from handlers.webhooks.receiver.provider_health import ProviderHealth

logger = logging.getLogger(__name__)


class EventCounter(Protocol):
    """Counts for /metrics."""

    def __call__(self, provider: str, outcome: str, count: int, *, kind: str = "") -> None:
        """`outcome` is the result of events (see `ingest` and `ReceiveOutcome`). `kind` names what
        was signed but not understood, or could not be placed."""
        ...


#: The status of the answer, or an error in our own code.
Answer = HTTPStatus | Exception


class ReceiveOutcome(StrEnum):
    """What becomes of a request or an event before it reaches the rules."""

    IGNORED = "ignored"
    #: Items that were signed and not understood.
    SKIPPED = "skipped"
    FORGED = "forged"
    #: A request that can't be parsed. Answered 400 only if its signature could not be checked.
    UNREADABLE = "unreadable"
    UNVERIFIABLE = "unverifiable"
    NOT_STORED = "not_stored"


#: The status for each refusal. There is no body: it could help a forger.
_ANSWERS = {
    ReceiveOutcome.FORGED: HTTPStatus.UNAUTHORIZED,
    ReceiveOutcome.UNREADABLE: HTTPStatus.BAD_REQUEST,
    ReceiveOutcome.UNVERIFIABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    ReceiveOutcome.NOT_STORED: HTTPStatus.SERVICE_UNAVAILABLE,
}
_REFUSALS = {
    InvalidSignature: ReceiveOutcome.FORGED,
    InvalidPayload: ReceiveOutcome.UNREADABLE,
    VerificationUnavailable: ReceiveOutcome.UNVERIFIABLE,
    StorageFailed: ReceiveOutcome.NOT_STORED,
}
#: The words for the log.
_ODD = {
    ReceiveOutcome.UNREADABLE: "answered 200, and it was not understood",
    ReceiveOutcome.SKIPPED: "skipped what can't be read",
    "forwarded": "noted a bounce or complaint on the contact that it was sent to",
}
#: The kind of a bounce or complaint from a mailbox that a contact's mail is forwarded to.
FORWARDED = "a mailbox that a contact's mail is forwarded to"
_TOO_LATE = StorageFailed("Earlier requests were not stored in time, so nothing was changed.")


_REPLAYED = InvalidSignature("its token stood for another content")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A request before it is stored."""

    #: If all is stored.
    answer: Answer = HTTPStatus.OK
    #: None for a request that was refused or not understood.
    parsed: Parsed | None = None
    token: OnceToken | None = None

    @property
    def is_done(self) -> bool:
        """Whether the storage has nothing to do with it."""
        return self.parsed is None and self.token is None


class WebhookReceiver:
    """Hands the events of providers to the use cases. Thread-safe."""

    def __init__(self, service: Service, *, counted: EventCounter, health: ProviderHealth) -> None:
        self._service = service
        self._counted = counted
        self._health = health

    def receive(self, provider: Provider, requests: Sequence[Request]) -> list[Answer]:
        """The answer to each request. It is OK if all events of the request are on the disk.

        The events of all requests are one transaction. If an error in our code stops it, each
        request is handled alone, so that one can't harm the others. If the storage fails, all are
        refused, and the provider retries them.
        """
        read: list[_Read] = []
        try:
            for request in requests:
                read.append(self._read(provider, request))  # noqa: PERF401 - what was read stays
            believed = self._store(provider.name, read)
        except StorageFailed as fault:
            # Refuse the requests that were not parsed yet, too. They would wait once more.
            done = {n: one.answer for n, one in enumerate(read) if one.is_done}
            answer = self._refuse(provider.name, fault, len(requests) - len(done))
            return [done.get(n, answer) for n in range(len(requests))]
        except Exception as error:  # noqa: BLE001 - raised where the one request is answered
            if len(requests) == 1:
                return [error]
            return [answer for one in requests for answer in self.receive(provider, [one])]
        return [
            one.answer if holds else self._refuse(provider.name, _REPLAYED)
            for one, holds in zip(read, believed, strict=True)
        ]

    def too_late(self, provider: Provider, count: int) -> list[Answer]:
        """The answers to `count` requests that waited longer than their provider does."""
        return [self._refuse(provider.name, _TOO_LATE, count)] * count

    def take(self, name: str, events: Iterable[Event]) -> None:
        """Ingest events from a backfill. Raises `StorageFailed`."""
        self._take(name, [EventRequest(events=tuple(events))])

    def _take(self, name: str, requests: Sequence[EventRequest]) -> Sequence[bool]:
        """Which of the requests are believed."""
        counts, believed = ingest_requests(self._service, requests)
        for outcome, count in counts.items():
            if outcome == "forwarded":
                self._odd(name, outcome, FORWARDED, count)
            else:
                self._counted(name, outcome, count)
        return believed

    def _read(self, provider: Provider, request: Request) -> _Read:
        now = self._service.now()
        token = None
        try:
            matched = provider.verify(request, now)
            if (times := self._health.signed_times).wrong:
                times.agrees(provider.name)
            if isinstance(provider, TokenSigned):
                token = provider.once_token(request, now)
        except WrongTime as fault:
            self._look_at_time(provider, request, fault.stated, now)
            return _Read(answer=self._refuse(provider.name, fault))
        except (InvalidSignature, InvalidPayload, VerificationUnavailable) as fault:
            return _Read(answer=self._refuse(provider.name, fault))
        except StorageFailed:
            raise
        except Exception as error:  # noqa: BLE001 - raised where the one request is answered
            return _Read(answer=error)
        logger.debug("%s: %s matched", provider.name, matched)
        try:
            return _Read(parsed=provider.parse(request, now), token=token)
        except InvalidPayload as fault:
            # The provider would retry for hours, and Optin would understand it no better.
            self._odd(provider.name, ReceiveOutcome.UNREADABLE, str(fault))
            self._health.heard(provider.name, now)
            return _Read(token=token)
        except Exception as error:  # noqa: BLE001 - raised where the one request is answered
            return _Read(answer=error)

    def _look_at_time(
        self, provider: Provider, request: Request, stated: datetime, now: datetime
    ) -> None:
        """A request that holds at its own time shows that a clock is wrong. It is refused all the
        same."""
        with suppress(InvalidSignature, InvalidPayload, VerificationUnavailable):
            provider.verify(request, stated)
            self._health.signed_times.differs(provider.name, stated, now)

    def _store(self, name: str, read: Sequence[_Read]) -> Sequence[bool]:
        """Which of the requests are believed."""
        if asked := [c for one in read if one.parsed for c in one.parsed.confirmations]:
            confirmations.keep(self._service, asked)
        told = [
            EventRequest(events=one.parsed.events if one.parsed else (), token=one.token)
            for one in read
        ]
        believed: Sequence[bool] = [True] * len(read)
        if any(one.events or one.token for one in told):
            believed = self._take(name, told)
        parsed = [one.parsed for one, holds in zip(read, believed, strict=True) if holds]
        for one in filter(None, parsed):
            for reason in one.skipped:
                self._odd(name, ReceiveOutcome.SKIPPED, reason)
            if one.ignored:
                self._counted(name, ReceiveOutcome.IGNORED, len(one.ignored))
        if any(parsed):
            self._health.heard(name, self._service.now())
        return believed

    def _odd(self, name: str, outcome: str, kind: str, count: int = 1) -> None:
        """Show the operator what was not understood or placed: in the log, /metrics and doctor."""
        logger.warning("%s: %s: %s", name, _ODD[outcome], kind)
        self._counted(name, outcome, count, kind=kind)
        self._health.odd(name, self._service.now(), kind, count)

    def _refuse(self, name: str, fault: Exception, count: int = 1) -> HTTPStatus:
        outcome = next(what for kind, what in _REFUSALS.items() if isinstance(fault, kind))
        status = _ANSWERS[outcome]
        logger.warning("%s: answered %d, %s: %s", name, status, outcome, fault)
        self._counted(name, outcome, count)
        self._health.failed(name, self._service.now(), outcome)
        return status
