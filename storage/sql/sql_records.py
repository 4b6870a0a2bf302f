"""The records inside one transaction."""

from __future__ import annotations

from storage.sql.prefetched import PrefetchedRecords
from storage.sql.sql_contacts import ContactRecords
from storage.sql.sql_log import LogRecords
from storage.sql.sql_outbox import OutboxRecords
from storage.sql.transaction import Transaction


class SQLRecords(PrefetchedRecords):
    """See `bot.consent.store.Records`."""

    def __init__(self, turn: Transaction) -> None:
        ContactRecords.__init__(self, turn)
        LogRecords.__init__(self, turn)
        OutboxRecords.__init__(self, turn)

    def flush(self) -> None:
        """Writes what was not written yet: contacts, cases and the rest, the log's head last."""
        for shelf in (
            self._contacts,
            self._facts,
            self._cases,
            self._alerts,
            self._marks,
            self._imports,
        ):
            shelf.flush()
        self._flush_events()
        self._flush_log()

    @property
    def changed(self) -> bool:
        """Whether `flush` has anything to do."""
        shelves = (
            self._contacts,
            self._facts,
            self._cases,
            self._alerts,
            self._marks,
            self._imports,
        )
        return bool(self._events or self._sealed or any(shelf.changed for shelf in shelves))
