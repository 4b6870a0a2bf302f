"""A request that changes something once, on whichever replica it is replayed.

The token goes into the transaction of the change itself, so that it costs no commit of its own. A
request that only reads may be answered again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.consent.errors import Refused
from bot.consent.events import OnceToken
from bot.consent.store import Records, Store
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.ingest.once_tokens import take_token

_REPLAYED = (
    "This was carried out already, a moment ago. Nothing was changed now: look at the contact "
    "again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestToken:
    """One arrival of a request."""

    #: The same each time that the request comes.
    key: str = field(repr=False)
    until: datetime
    #: Another one at each arrival. A request may take several transactions.
    arrival: str = field(default_factory=lambda: secrets.token_hex(8))


class OnceStore:
    """The same store for one request: its transactions are refused where another arrival of the
    same request has changed something."""

    def __init__(self, store: Store, request: RequestToken, now: Callable[[], datetime]) -> None:
        self._store = store
        self._token = OnceToken(
            key=f"request:{request.key}", value=request.arrival, until=request.until
        )
        self._now = now
        self.reading = store.reading
        self.reading_at_once = store.reading_at_once
        self.rehearsal = store.rehearsal
        self.free_bytes = store.free_bytes
        self.close = store.close
        self.back_up = store.back_up
        self.upgrade = store.upgrade
        self.outdated = store.outdated

    @contextmanager
    def transaction(self) -> Iterator[Records]:
        """As the store's. Raises `Refused` for a replay, whose changes are undone."""
        with self._store.transaction() as records:
            yield records
            if not take_token(records.key_value, self._token, self._now()):
                raise Refused(_REPLAYED)


def once(service: Service, request: RequestToken | None) -> Service:
    """The use cases for this request; as they are where it has no token."""
    if request is None:
        return service
    return replace(service, store=OnceStore(service.store, request, service.now))
