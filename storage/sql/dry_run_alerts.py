"""Alerts, re-opt-in cases, marks and imports of a rehearsal. See `rehearsal`."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import chain

from bot.consent.alerts import URGENT, Alert, DeliveryState
from bot.consent.cases import Case
from bot.consent.errors import Changed
from bot.consent.model import Channel, Import
from storage.sql.sql_records import SQLRecords


class DryRunOutbox:
    def __init__(self, under: SQLRecords, over: SQLRecords) -> None:
        self._under = under
        self._over = over
        #: Keys of what was changed, by kind.
        self._alerts: set[str] = set()
        self._cases: set[str] = set()
        self._marks: set[str] = set()

    # Alerts

    def alert(self, id: str) -> Alert | None:
        return (self._over if id in self._alerts else self._under).alert(id)

    def alert_for(self, key: str) -> Alert | None:
        found = [alert for alert in self.alerts() if alert.key == key]
        return found[-1] if found else None

    def put_alert(self, alert: Alert) -> None:
        self._over.put_alert(alert)
        self._alerts.add(alert.id)

    def remove_alert(self, id: str) -> None:
        self._over.remove_alert(id)
        self._alerts.add(id)

    def due_alerts(
        self, now: datetime, *, limit: int, except_in: Collection[str] = ()
    ) -> list[Alert]:
        due = [
            alert
            for alert in self.alerts()
            if alert.delivery.due
            and (alert.delivery.not_before is None or alert.delivery.not_before <= now)
            and alert.slack_channel not in except_in
        ]
        return sorted(due, key=lambda a: (a.kind not in URGENT, a.first_at))[: max(limit, 0)]

    def outbox(
        self, now: datetime, *, except_in: Collection[str] = ()
    ) -> tuple[int, datetime | None, int]:
        alerts = list(self.alerts())
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
        return sum(alert.delivery.due for alert in alerts), late, dead

    def alerts(self) -> Iterator[Alert]:
        known = (alert for alert in self._under.alerts() if alert.id not in self._alerts)
        return chain(known, self._over.alerts())

    # Re-opt-in cases

    def case(self, id: str) -> Case | None:
        return (self._over if id in self._cases else self._under).case(id)

    def open_case(self, contact: str, channel: Channel) -> Case | None:
        for case in self.cases(contact):
            if case.open and case.channel is channel:
                return case
        return None

    def put_case(self, case: Case) -> None:
        other = self.open_case(case.contact, case.channel) if case.open else None
        if other is not None and other.id != case.id:
            raise Changed
        self._over.put_case(case)
        self._cases.add(case.id)

    def cases(self, contact: str) -> list[Case]:
        known = (case for case in self._under.cases(contact) if case.id not in self._cases)
        return sorted([*known, *self._over.cases(contact)], key=_by_request, reverse=True)

    def open_cases(self, *, after: Case | None = None, limit: int) -> list[Case]:
        behind = _by_request(after) if after else None
        waiting = sorted((case for case in self.all_cases() if case.open), key=_by_request)
        left = [case for case in waiting if behind is None or _by_request(case) > behind]
        return left[: max(limit, 0)]

    def due_cases(self, now: datetime, *, limit: int) -> list[Case]:
        due = [
            (case.next_at, case.id, case)
            for case in self.all_cases()
            if case.open and case.next_at and case.next_at <= now
        ]
        return [case for *_, case in sorted(due, key=lambda d: d[:2])[: max(limit, 0)]]

    def all_cases(self) -> Iterator[Case]:
        known = (case for case in self._under.all_cases() if case.id not in self._cases)
        return heapq.merge(known, self._over.all_cases(), key=lambda case: case.id)

    # Marks, and imports

    def mark(self, name: str) -> str | None:
        return (self._over if name in self._marks else self._under).mark(name)

    def put_mark(self, name: str, text: str | None) -> None:
        self._over.put_mark(name, text)
        self._marks.add(name)

    def marks(self) -> Iterator[tuple[str, str]]:
        known = (mark for mark in self._under.marks() if mark[0] not in self._marks)
        return heapq.merge(known, self._over.marks())

    def import_(self, id: str) -> Import | None:
        return self._over.import_(id) or self._under.import_(id)

    def put_import(self, record: Import) -> None:
        self._over.put_import(record)

    def imports(self) -> list[Import]:
        new = self._over.imports()
        ids = {record.id for record in new}
        known = (record for record in self._under.imports() if record.id not in ids)
        return sorted([*known, *new], key=lambda i: (i.started_at, i.id), reverse=True)


def _by_request(case: Case) -> tuple[datetime, str]:
    return case.requested_at, case.id
