"""The records inside one transaction."""

from __future__ import annotations

from bot.consent.store import Expected
from storage.sql.sql_cases import SQLCases
from storage.sql.sql_contacts import SQLAddresses, SQLContacts
from storage.sql.sql_key_value import SQLImports, SQLKeyValue
from storage.sql.sql_log import SQLEvents, SQLLog
from storage.sql.sql_outbox import SQLOutbox
from storage.sql.transaction import Transaction


class SQLRecords:
    """See `bot.consent.store.Records`."""

    def __init__(self, turn: Transaction) -> None:
        self._turn = turn
        self.addresses = SQLAddresses(turn)
        self.cases = SQLCases(turn)
        self.contacts = SQLContacts(turn, self.addresses, self.cases)
        self.log = SQLLog(turn)
        self.events = SQLEvents(turn)
        self.outbox = SQLOutbox(turn)
        self.key_value = SQLKeyValue(turn)
        self.imports = SQLImports(turn)
        self._caches = (
            self.contacts.cache,
            self.addresses.cache,
            self.cases.cache,
            self.outbox.cache,
            self.key_value.cache,
            self.imports.cache,
        )

    def expect(self, what: Expected) -> None:
        """Fetches all of it in one round trip.

        A STOP asks ten questions, and while it does nobody else can write. What was not expected
        is read when it is needed, so nothing is wrong where this fetches too little.
        """
        if not self._turn.writes:  # only whoever is alone may know anything beforehand
            return
        self._turn.ask(
            [
                *self.contacts.prefetch_at(what.addresses),
                *self.contacts.prefetch_external_ids(what.external_ids),
                *self.events.prefetch(what.events),
                *self.outbox.prefetch(what.alerts),
                *self.key_value.prefetch(what.key_value),
                *self.addresses.prefetch(what.addresses),
            ]
        )

    def flush(self) -> None:
        """Writes what was not written yet: contacts, cases and the rest, the log's head last."""
        for cache in self._caches:
            cache.flush()
        self.events.flush()
        self.log.flush()

    @property
    def changed(self) -> bool:
        """Whether `flush` has anything to do."""
        caches = any(cache.changed for cache in self._caches)
        return self.events.changed or self.log.changed or caches
