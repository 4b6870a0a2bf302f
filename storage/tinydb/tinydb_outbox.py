"""Alerts and re-opt-in cases inside one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

import msgspec

from bot.consent.alerts import URGENT, Alert
from bot.consent.cases import Case
from bot.consent.errors import Changed
from bot.consent.model import Channel
from bot.consent.records import Backlog
from storage.alert_documents import AlertDecoder, alert_document
from storage.tinydb.index import ALERTS, CASES, Waiting, each
from storage.tinydb.tinydb_transaction import TinyDBTransaction

_alert = AlertDecoder()
_case = msgspec.json.Decoder(Case)


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


class TinyDBCases:
    """See `bot.consent.records.Cases`."""

    def __init__(self, transaction: TinyDBTransaction) -> None:
        self._transaction = transaction
        self._index = transaction.index

    def get(self, id: str) -> Case | None:
        return self._transaction.get(CASES, id, _case)

    def open_for(self, contact: str, channel: Channel) -> Case | None:
        for id in each(self._index.cases.get(contact)):
            waiting = self._index.open.get(id)
            if waiting is not None and waiting.channel == channel:
                return self.get(id)
        return None

    def put(self, case: Case) -> None:
        other = self.open_for(case.contact, case.channel) if case.open else None
        if other is not None and other.id != case.id:
            raise Changed
        self._transaction.put(CASES, case.id, case)

    def of(self, contact: str) -> list[Case]:
        ids = each(self._index.cases.get(contact))
        found = [case for id in ids if (case := self.get(id))]
        return sorted(found, key=_by_request, reverse=True)

    def all_open(self, *, after: Case | None = None, limit: int) -> list[Case]:
        behind = _by_request(after) if after else None
        waiting = sorted(self._index.open.values(), key=_by_request)
        ids = [w.id for w in waiting if behind is None or _by_request(w) > behind]
        return [case for id in ids[: max(limit, 0)] if (case := self.get(id))]

    def due(self, now: datetime, *, limit: int) -> list[Case]:
        due = [(w.next_at, w.id) for w in self._index.open.values() if w.next_at]
        ids = [id for at, id in sorted(due) if at <= now]
        return [case for id in ids[: max(limit, 0)] if (case := self.get(id))]

    def all(self) -> Iterator[Case]:
        return self._transaction.all(CASES, _case)


def _by_request(case: Case | Waiting) -> tuple[datetime, str]:
    return case.requested_at, case.id
