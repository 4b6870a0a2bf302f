"""Stores that do something around each transaction of another one: carry a request out once, and
time it.

The token of a request goes into the transaction of the change itself, so that it costs no commit of
its own. A request that only reads may be answered again.
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.consent.errors import Refused, StorageFailed
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


class WrappedStore(ABC):
    """The same store, with other transactions."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.reading = store.reading
        self.reading_at_once = store.reading_at_once
        self.rehearsal = store.rehearsal
        self.free_bytes = store.free_bytes
        self.close = store.close
        self.back_up = store.back_up
        self.upgrade = store.upgrade
        self.outdated = store.outdated

    @abstractmethod
    def transaction(self) -> AbstractContextManager[Records]:
        """As the store's."""


class OnceStore(WrappedStore):
    """The same store for one request: its transactions are refused where another arrival of the
    same request has changed something."""

    def __init__(self, store: Store, request: RequestToken, now: Callable[[], datetime]) -> None:
        super().__init__(store)
        self._token = OnceToken(
            key=f"request:{request.key}", value=request.arrival, until=request.until
        )
        self._now = now

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


class TimedStore(WrappedStore):
    """The same store; `timing` is around each transaction, until it is on the disk, and `failed`
    hears of each that could not be stored."""

    def __init__(
        self,
        store: Store,
        timing: Callable[[], AbstractContextManager[object]],
        failed: Callable[[StorageFailed], object] = lambda _: None,
    ) -> None:
        super().__init__(store)
        self._timing = timing
        self._failed = failed

    @contextmanager
    def transaction(self) -> Iterator[Records]:
        """As the store's."""
        try:
            with self._timing(), self._store.transaction() as records:
                yield records
        except StorageFailed as error:
            self._failed(error)
            raise
