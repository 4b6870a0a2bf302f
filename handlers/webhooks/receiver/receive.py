"""Requests of a provider: verified, read, stored together, and only then answered."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Protocol

from bot.consent.errors import StorageFailed
from bot.consent.events import Event
from bot.consent.use_cases import Service
from bot.consent.use_cases.ingest import ingest
from handlers.webhooks.provider import (
    InvalidPayload,
    InvalidSignature,
    Parsed,
    Provider,
    Request,
    VerificationUnavailable,
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


#: How a request is answered; or the error in our own code that kept it from being taken.
Answer = HTTPStatus | Exception


class ReceiveOutcome(StrEnum):
    """What becomes of a request or an event before it reaches the rules."""

    IGNORED = "ignored"
    #: Items that were signed and not understood.
    SKIPPED = "skipped"
    FORGED = "forged"
    #: The whole of a request; answered 400 only where nobody knows whose it is.
    UNREADABLE = "unreadable"
    UNVERIFIABLE = "unverifiable"
    NOT_STORED = "not_stored"


#: How each refusal is answered. Never with a body: it would tell a forger how near he came.
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
#: How the log says it.
_ODD = {
    ReceiveOutcome.UNREADABLE: "answered 200, and it was not understood",
    ReceiveOutcome.SKIPPED: "skipped what can't be read",
    "forwarded": "noted a bounce or complaint on the contact that it was sent to",
}
#: The kind of a bounce or complaint that came back from where a contact's mailbox forwards to.
FORWARDED = "a mailbox that a contact's mail is forwarded to"
_TOO_LATE = StorageFailed("What came before was not stored in time, so nothing was changed.")


class WebhookReceiver:
    """What providers tell, on its way to the use cases. Safe across threads."""

    def __init__(self, service: Service, *, counted: EventCounter, health: ProviderHealth) -> None:
        self._service = service
        self._counted = counted
        self._health = health

    def receive(self, provider: Provider, requests: Sequence[Request]) -> list[Answer]:
        """OK for those of which all that they say is on the disk, or was before.

        What they say is one transaction. Nobody loses by that: a provider repeats what is not
        answered well, and what can't be taken because of another's fault is taken alone.
        """
        read: list[Parsed | Answer] = []
        try:
            for request in requests:
                read.append(self._read(provider, request))  # noqa: PERF401 - what was read stays
            self._store(provider.name, [one for one in read if isinstance(one, Parsed)])
        except StorageFailed as fault:
            # Nobody waits for the storage once more, also those who were not read yet.
            done = {n: one for n, one in enumerate(read) if not isinstance(one, Parsed)}
            answer = self._refuse(provider.name, fault, len(requests) - len(done))
            return [done.get(n, answer) for n in range(len(requests))]
        except Exception as error:  # noqa: BLE001 - raised where the one request is answered
            if len(requests) == 1:
                return [error]
            return [answer for one in requests for answer in self.receive(provider, [one])]
        return [HTTPStatus.OK if isinstance(one, Parsed) else one for one in read]

    def too_late(self, provider: Provider, count: int) -> list[Answer]:
        """For so many that waited for longer than their provider does."""
        return [self._refuse(provider.name, _TOO_LATE, count)] * count

    def take(self, name: str, events: Iterable[Event]) -> None:
        """Events that the provider was asked for. Raises `StorageFailed`."""
        for outcome, count in ingest(self._service, events).items():
            if outcome == "forwarded":
                self._odd(name, outcome, FORWARDED, count)
            else:
                self._counted(name, outcome, count)

    def _read(self, provider: Provider, request: Request) -> Parsed | Answer:
        now = self._service.now()
        try:
            held = provider.verify(request, now)
        except (InvalidSignature, InvalidPayload, VerificationUnavailable) as fault:
            return self._refuse(provider.name, fault)
        except StorageFailed:
            raise
        except Exception as error:  # noqa: BLE001 - raised where the one request is answered
            return error
        logger.debug("%s: %s held", provider.name, held)
        try:
            return provider.parse(request, now)
        except InvalidPayload as fault:
            # The provider would send the same again for hours, and it would be no clearer then.
            self._odd(provider.name, ReceiveOutcome.UNREADABLE, str(fault))
            self._health.heard(provider.name, now)
            return HTTPStatus.OK
        except Exception as error:  # noqa: BLE001 - raised where the one request is answered
            return error

    def _store(self, name: str, told: Sequence[Parsed]) -> None:
        if asked := [one for parsed in told for one in parsed.confirmations]:
            confirmations.keep(self._service, asked)
        if events := [event for parsed in told for event in parsed.events]:
            self.take(name, events)
        for parsed in told:
            for reason in parsed.skipped:
                self._odd(name, ReceiveOutcome.SKIPPED, reason)
            if parsed.ignored:
                self._counted(name, ReceiveOutcome.IGNORED, len(parsed.ignored))
        if told:
            self._health.heard(name, self._service.now())

    def _odd(self, name: str, outcome: str, kind: str, count: int = 1) -> None:
        """What the provider did send, for the operator: in the log, in /metrics, in doctor."""
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
