"""Alerts inside one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from bot.consent.alerts import URGENT, Alert
from bot.consent.records import Backlog
from storage.documents import AlertDecoder, alert_document
from storage.tinydb.index import ALERTS, each
from storage.tinydb.tables import TinyDBTransaction

_alert = AlertDecoder()


class TinyDBOutbox:
    """See `bot.consent.records.Outbox`."""

    def __init__(self, transaction: TinyDBTransaction) -> None:
        self._transaction = transaction
        self._index = transaction.index

    def get(self, id: str) -> Alert | None:
        return self._transaction.get(ALERTS, id, _alert)

    def newest_for(self, key: str) -> Alert | None:
        held = each(self._index.alerts.get(key))
        return self.get(held[-1]) if held else None

    def put(self, alert: Alert) -> None:
        self._transaction.put(ALERTS, alert.id, alert_document(alert))

    def remove(self, id: str) -> None:
        self._transaction.remove(ALERTS, id)

    def due(self, now: datetime, *, limit: int, except_in: Collection[str] = ()) -> list[Alert]:
        due = [
            d
            for d in self._index.due.values()
            if (d.not_before is None or d.not_before <= now) and d.slack_channel not in except_in
        ]
        due.sort(key=lambda d: (d.kind not in URGENT, d.first_at))
        return [alert for d in due[:limit] if (alert := self.get(d.id))]

    def backlog(self, now: datetime, *, except_in: Collection[str] = ()) -> Backlog:
        index = self._index
        since = (
            max(d.last_at, d.not_before or d.last_at)
            for d in index.due.values()
            if d.slack_channel not in except_in
        )
        oldest = min(since, default=None)
        late = oldest if oldest is not None and oldest <= now else None
        return Backlog(waiting=len(index.due), oldest=late, dead=len(index.dead))

    def all(self) -> Iterator[Alert]:
        documents = self._transaction.documents[ALERTS]
        for id in sorted(documents, key=int):
            if (document := documents.get(id)) is not None:
                yield _alert.decode(document)
