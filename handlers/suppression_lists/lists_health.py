"""How the providers' lists stand, for /metrics."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from bot.consent.use_cases import Service
from bot.consent.use_cases.lists.look_at_lists import ListsStatus, lists_status


class ListsHealth:
    """Looked at from time to time, and read by any thread."""

    def __init__(self, service: Service, providers: Collection[str]) -> None:
        """`providers` are those whose lists are on."""
        self._service = service
        self._providers = providers
        #: A list that was never read is as old as this process.
        self.since: datetime = service.now()
        self.status = ListsStatus(writes={}, states={})

    def look(self) -> None:
        """Reads the storage anew. Raises `StorageFailed`."""
        if self._providers:
            self.status = lists_status(self._service, self._providers)
