"""Alerts, re-opt-in cases, writes to lists, key values and imports of a dry run. See `dry_run`."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from itertools import chain

from bot.consent.alerts import URGENT, Alert, DeliveryState
from bot.consent.cases import Case
from bot.consent.errors import Changed
from bot.consent.model import Channel, Import
from bot.consent.records import Backlog
from bot.consent.write_backs import WriteBack, WriteState
from storage.sql.tables.sql_cases import SQLCases
from storage.sql.tables.sql_key_value import SQLImports, SQLKeyValue
from storage.sql.tables.sql_outbox import SQLOutbox
from storage.sql.tables.sql_write_backs import SQLWriteBacks, by_wish


class DryRunOutbox:
    """Alerts: those that were put or removed come from `over`, the others from `under`."""

    def __init__(self, under: SQLOutbox, over: SQLOutbox) -> None:
        self._under = under
        self._over = over
        self._changed: set[str] = set()

    def get(self, id: str) -> Alert | None:
        return (self._over if id in self._changed else self._under).get(id)

    def newest_for(self, key: str) -> Alert | None:
        found = [alert for alert in self.all() if alert.key == key]
        return found[-1] if found else None

    def put(self, alert: Alert) -> None:
        self._over.put(alert)
        self._changed.add(alert.id)

    def remove(self, id: str) -> None:
        self._over.remove(id)
        self._changed.add(id)

    def due(self, now: datetime, *, limit: int, except_in: Collection[str] = ()) -> list[Alert]:
        due = [
            alert
            for alert in self.all()
            if alert.delivery.due
            and (alert.delivery.not_before is None or alert.delivery.not_before <= now)
            and alert.slack_channel not in except_in
        ]
        return sorted(due, key=lambda a: (a.kind not in URGENT, a.first_at))[: max(limit, 0)]

    def backlog(self, now: datetime, *, except_in: Collection[str] = ()) -> Backlog:
        alerts = list(self.all())
        since = min(
            (
                max(alert.last_at, alert.delivery.not_before or alert.last_at)
                for alert in alerts
                if alert.delivery.due and alert.slack_channel not in except_in
            ),
            default=None,
        )
        late = since if since is not None and since <= now else None
        dead = sum(alert.delivery.state is DeliveryState.DEAD for alert in alerts)
        waiting = sum(alert.delivery.due for alert in alerts)
        return Backlog(waiting=waiting, oldest=late, dead=dead)

    def reviews(self) -> Iterator[Alert]:
        known = (alert for alert in self._under.reviews() if alert.id not in self._changed)
        return chain(known, self._over.reviews())

    def all(self) -> Iterator[Alert]:
        known = (alert for alert in self._under.all() if alert.id not in self._changed)
        return chain(known, self._over.all())


class DryRunCases:
    """Cases: those that were put come from `over`. One case at most is open, over both."""

    def __init__(self, under: SQLCases, over: SQLCases) -> None:
        self._under = under
        self._over = over
        self._changed: set[str] = set()

    def get(self, id: str) -> Case | None:
        return (self._over if id in self._changed else self._under).get(id)

    def open_for(self, contact: str, channel: Channel) -> Case | None:
        for case in self.of(contact):
            if case.open and case.channel is channel:
                return case
        return None

    def put(self, case: Case) -> None:
        other = self.open_for(case.contact, case.channel) if case.open else None
        if other is not None and other.id != case.id:
            raise Changed
        self._over.put(case)
        self._changed.add(case.id)

    def of(self, contact: str) -> list[Case]:
        known = (case for case in self._under.of(contact) if case.id not in self._changed)
        return sorted([*known, *self._over.of(contact)], key=_by_request, reverse=True)

    def all_open(self, *, after: Case | None = None, limit: int) -> list[Case]:
        behind = _by_request(after) if after else None
        waiting = sorted((case for case in self.all() if case.open), key=_by_request)
        left = [case for case in waiting if behind is None or _by_request(case) > behind]
        return left[: max(limit, 0)]

    def due(self, now: datetime, *, limit: int) -> list[Case]:
        due = [
            (case.next_at, case.id, case)
            for case in self.all()
            if case.open and case.next_at and case.next_at <= now
        ]
        return [case for *_, case in sorted(due, key=lambda d: d[:2])[: max(limit, 0)]]

    def all(self) -> Iterator[Case]:
        known = (case for case in self._under.all() if case.id not in self._changed)
        return heapq.merge(known, self._over.all(), key=lambda case: case.id)


class DryRunWriteBacks:
    """Writes to lists: those that were put or removed come from `over`, the others from `under`."""

    def __init__(self, under: SQLWriteBacks | None, over: SQLWriteBacks) -> None:
        """`under` is None where there are none yet."""
        self._under = under
        self._over = over
        self._changed: set[str] = set()

    def get(self, id: str) -> WriteBack | None:
        if id in self._changed or self._under is None:
            return self._over.get(id)
        return self._under.get(id)

    def put(self, write: WriteBack) -> None:
        self._over.put(write)
        self._changed.add(write.id)

    def remove(self, id: str) -> None:
        self._over.remove(id)
        self._changed.add(id)

    def of(self, key: str) -> list[WriteBack]:
        known = self._under.of(key) if self._under else []
        left = [write for write in known if write.id not in self._changed]
        return sorted([*left, *self._over.of(key)], key=lambda write: write.id)

    def due(self, now: datetime, providers: Collection[str], *, limit: int) -> list[WriteBack]:
        due = [
            write
            for write in self.all()
            if write.open
            and write.provider in providers
            and (write.not_before is None or write.not_before <= now)
        ]
        return sorted(due, key=by_wish)[: max(limit, 0)]

    def waiting(self) -> Mapping[tuple[str, WriteState], int]:
        return Counter((write.provider, write.state) for write in self.all())

    def oldest(self, provider: str) -> datetime | None:
        wished = (w.wished_at for w in self.all() if w.open and w.provider == provider)
        return min(wished, default=None)

    def all(self) -> Iterator[WriteBack]:
        under = self._under.all() if self._under else iter(())
        known = (write for write in under if write.id not in self._changed)
        return heapq.merge(known, self._over.all(), key=lambda write: write.id)


class DryRunKeyValue:
    """Key values: those that were put or removed come from `over`, the others from `under`."""

    def __init__(self, under: SQLKeyValue, over: SQLKeyValue) -> None:
        self._under = under
        self._over = over
        self._changed: set[str] = set()

    def get(self, name: str) -> str | None:
        return (self._over if name in self._changed else self._under).get(name)

    def put(self, name: str, text: str | None) -> None:
        self._over.put(name, text)
        self._changed.add(name)

    def all(self) -> Iterator[tuple[str, str]]:
        known = (mark for mark in self._under.all() if mark[0] not in self._changed)
        return heapq.merge(known, self._over.all())


class DryRunImports:
    """Imports: those that were put come from `over`, the others from `under`."""

    def __init__(self, under: SQLImports, over: SQLImports) -> None:
        self._under = under
        self._over = over

    def get(self, id: str) -> Import | None:
        return self._over.get(id) or self._under.get(id)

    def put(self, record: Import) -> None:
        self._over.put(record)

    def all(self) -> list[Import]:
        new = self._over.all()
        ids = {record.id for record in new}
        known = (record for record in self._under.all() if record.id not in ids)
        return sorted([*known, *new], key=lambda i: (i.started_at, i.id), reverse=True)


def _by_request(case: Case) -> tuple[datetime, str]:
    return case.requested_at, case.id
