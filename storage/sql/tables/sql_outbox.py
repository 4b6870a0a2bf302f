"""Alerts inside one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from bot.consent.alerts import REVIEW_KEYS, Alert
from bot.consent.records import Backlog
from storage.sql.engine.database_session import Row
from storage.sql.tables import table_rows
from storage.sql.tables.document_cache import DocumentCache, decoded, unknown
from storage.sql.transaction import PendingQuery, Transaction


class SQLOutbox:
    """See `bot.consent.records.Outbox`."""

    def __init__(self, turn: Transaction) -> None:
        self._turn = turn
        self.cache = DocumentCache(
            turn, turn.sql.alerts, table_rows.alerts, table_rows.alert_row, claimed=True
        )
        #: Of a transaction that writes, and so is alone: the newest alert of a key by its id; None
        #: where there is none.
        self._newest: dict[str, str | None] = {}

    def get(self, id: str) -> Alert | None:
        return self.cache.get(id)

    def newest_for(self, key: str) -> Alert | None:
        sql, given = self._turn.sql, {"key": table_rows.plain(key)}
        if not self._turn.writes:
            found = decoded(self.cache, self._turn.rows(sql.alert_for, given))
            return found[0] if found else None
        if key not in self._newest:
            self.cache.flush()
            self._newest[key] = None
            for alert in decoded(self.cache, self._turn.rows(sql.alert_for_locked, given)):
                self.cache.learn(alert.id, alert)
                self._newest[key] = alert.id
        id = self._newest[key]
        return None if id is None else self.cache.get(id)

    def put(self, alert: Alert) -> None:
        if self.cache.at_hand(alert.id) is None:
            # It may be newer than what is known by this key, or older.
            self._newest.pop(alert.key, None)
        self.cache.put(alert.id, alert)

    def remove(self, id: str) -> None:
        self._newest.clear()
        self.cache.put(id, None)

    def due(self, now: datetime, *, limit: int, except_in: Collection[str] = ()) -> list[Alert]:
        self.cache.flush()
        channels = self._turn.many([table_rows.plain(channel) for channel in except_in])
        given = {"now": table_rows.ticks(now), "limit": max(limit, 0), "channels": channels}
        if self._turn.claim():
            found = self._turn.claimed(self._turn.sql.due_alerts_claimed, given)
        else:
            found = self._turn.rows(self._turn.sql.due_alerts, given)
        return decoded(self.cache, found)

    def backlog(self, now: datetime, *, except_in: Collection[str] = ()) -> Backlog:
        self.cache.flush()
        given = {"channels": self._turn.many([table_rows.plain(channel) for channel in except_in])}
        due, since, dead = self._turn.rows(self._turn.sql.outbox, given)[0]
        late = (
            table_rows.time(since) if since is not None and since <= table_rows.ticks(now) else None
        )
        return Backlog(waiting=due, oldest=late, dead=dead)

    def reviews(self) -> Iterator[Alert]:
        self.cache.flush()
        sql = self._turn.sql
        for page in self._turn.pages(
            sql.reviews_locked if self._turn.writes else sql.reviews, REVIEW_KEYS
        ):
            yield from (self.cache.decode(document) for _, document in page)

    def all(self) -> Iterator[Alert]:
        self.cache.flush()
        sql = self._turn.sql
        for page in self._turn.pages(
            sql.all_alerts_locked if self._turn.writes else sql.all_alerts, 0
        ):
            yield from (self.cache.decode(document) for _, document in page)

    def prefetch(self, keys: Collection[str]) -> Iterator[PendingQuery]:
        asked = unknown(keys, self._newest)

        def learn(found: list[Row]) -> None:
            self._newest |= dict.fromkeys(asked) | dict(found)

        def learn_documents(found: list[Row]) -> None:
            for alert in (self.cache.decode(document) for _, document in found):
                self.cache.learn(alert.id, alert)

        if asked and self._turn.writes:
            self.cache.flush()
            given = {"keys": self._turn.many(asked)}
            yield PendingQuery(self._turn.sql.newest_of, given, learn)
            if self._turn.sql.postgresql:
                # One that is being claimed is waited for only by whoever uses it.
                yield PendingQuery(self._turn.sql.newest_locked, given, learn_documents)
