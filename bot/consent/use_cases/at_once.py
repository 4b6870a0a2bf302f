"""Use cases that only read, for whoever must not wait: the web server's loop."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import cast

from bot.consent.frozen import replace
from bot.consent.store import Records, Store, WouldWait
from bot.consent.use_cases.context import Service

__all__ = ["WouldWait", "at_once"]


class _AtOnce:
    """A store that is read at once, or not at all."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def reading(self) -> AbstractContextManager[Records]:
        return self._store.reading_at_once()


def at_once(service: Service) -> Service:
    """The same service. What reads there raises `store.WouldWait` instead of waiting, and nothing
    can be written."""
    return replace(service, store=cast("Store", _AtOnce(service.store)))
