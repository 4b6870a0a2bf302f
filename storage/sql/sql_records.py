"""The records inside one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from bot.consent.store import Expected
from storage.sql.tables.document_cache import DocumentCache
from storage.sql.tables.sql_cases import SQLCases
from storage.sql.tables.sql_contacts import SQLAddresses, SQLContacts
from storage.sql.tables.sql_key_value import SQLImports, SQLKeyValue
from storage.sql.tables.sql_log import SQLEvents, SQLLog
from storage.sql.tables.sql_outbox import SQLOutbox
from storage.sql.tables.sql_write_backs import SQLWriteBacks
from storage.sql.transaction import Transaction

Owner = TypeVar("Owner")
Made = TypeVar("Made")


class on_first_use(Generic[Owner, Made]):
    """An attribute that is made when it is first read.

    `functools.cached_property` without its lock, which in Python 3.11 costs more than the part
    of the records that is made. For objects that one thread has."""

    def __init__(self, make: Callable[[Owner], Made]) -> None:
        self._make = make
        self._name = make.__name__

    def __get__(self, owner: Owner, _: type[Owner]) -> Made:
        made = owner.__dict__[self._name] = self._make(owner)
        return made


class SQLRecords:
    """See `bot.consent.store.Records`."""

    def __init__(self, turn: Transaction) -> None:
        self._turn = turn
        self.log = SQLLog(turn)
        self.events = SQLEvents(turn)

    @on_first_use
    def contacts(self) -> SQLContacts:
        return SQLContacts(self._turn, self.addresses, self.cases)

    @on_first_use
    def addresses(self) -> SQLAddresses:
        return SQLAddresses(self._turn)

    @on_first_use
    def outbox(self) -> SQLOutbox:
        return SQLOutbox(self._turn)

    @on_first_use
    def cases(self) -> SQLCases:
        return SQLCases(self._turn)

    @on_first_use
    def write_backs(self) -> SQLWriteBacks:
        return SQLWriteBacks(self._turn)

    @on_first_use
    def key_value(self) -> SQLKeyValue:
        return SQLKeyValue(self._turn)

    @on_first_use
    def imports(self) -> SQLImports:
        return SQLImports(self._turn)

    def expect(self, what: Expected) -> None:
        """Fetches all of it in one round trip.

        A STOP asks ten questions, and while it does nobody else can write; a card asks nine. What
        was not expected is read when it is needed, so nothing is wrong where this fetches too
        little.
        """
        if not self._turn.writes:
            if not self._turn.sql.postgresql:  # SQLite is never far
                return
            self._turn.remembers = True
        asks = [
            *self.contacts.prefetch(what.contacts),
            *self.contacts.prefetch_search(what.search),
            *self.log.prefetch(what.newest_of),
            *self.contacts.prefetch_at(what.addresses),
            *self.contacts.prefetch_external_ids(what.external_ids),
            *self.events.prefetch(what.events),
            *self.outbox.prefetch(what.alerts),
            *self.key_value.prefetch(what.key_value),
            *self.addresses.prefetch(what.addresses),
        ]
        if asks or self._turn.writes:
            self._turn.ask(asks)

    def flush(self) -> None:
        """Writes what was not written yet: contacts, cases and the rest, the log's head last."""
        for cache in self._caches():
            cache.flush()
        self.events.flush()
        self.log.flush()

    @property
    def changed(self) -> bool:
        """Whether `flush` has anything to do."""
        caches = any(cache.changed for cache in self._caches())
        return self.events.changed or self.log.changed or caches

    def _caches(self) -> Iterator[DocumentCache[Any]]:
        """Those of the parts that were used."""
        used = self.__dict__
        return (used[name].cache for name in _WITH_CACHE if name in used)


#: In the order in which they are written.
_WITH_CACHE = ("contacts", "addresses", "cases", "outbox", "write_backs", "key_value", "imports")
