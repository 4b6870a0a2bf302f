"""Alerts, re-opt-in cases, marks and imports inside one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from bot.consent.alerts import Alert
from bot.consent.cases import Case
from bot.consent.errors import Changed
from bot.consent.model import Channel, Import
from storage.sql import table_rows
from storage.sql.compiler import MOST_OPEN_CASES
from storage.sql.document_cache import DocumentCache, decoded
from storage.sql.transaction import Transaction

#: Before any time, and any id.
_NEVER = -(2**62)


class OutboxRecords:
    def __init__(self, turn: Transaction) -> None:
        self._turn = turn
        sql = turn.sql
        self._alerts = DocumentCache(
            turn, sql.alerts, table_rows.alerts, table_rows.alert_row, claimed=True
        )
        self._cases = DocumentCache(turn, sql.cases, table_rows.cases, table_rows.case_row)
        self._marks = DocumentCache(
            turn, sql.marks, table_rows.marks, table_rows.mark_row, claimed=True
        )
        self._imports = DocumentCache(turn, sql.imports, table_rows.imports, table_rows.import_row)
        #: Of a transaction that writes, and so is alone: the newest alert of a key, and the open
        #: case of a contact and channel, each by its id; None where there is none.
        self._newest: dict[str, str | None] = {}
        self._open: dict[tuple[str, Channel], str | None] = {}
        self._open_known = False
        self._open_asked = 0

    # Alerts

    def alert(self, id: str) -> Alert | None:
        return self._alerts.get(id)

    def alert_for(self, key: str) -> Alert | None:
        sql, given = self._turn.sql, {"key": table_rows.plain(key)}
        if not self._turn.writes:
            found = decoded(self._alerts, self._turn.rows(sql.alert_for, given))
            return found[0] if found else None
        if key not in self._newest:
            self._alerts.flush()
            self._newest[key] = None
            for alert in decoded(self._alerts, self._turn.rows(sql.alert_for_locked, given)):
                self._alerts.learn(alert.id, alert)
                self._newest[key] = alert.id
        id = self._newest[key]
        return None if id is None else self._alerts.get(id)

    def put_alert(self, alert: Alert) -> None:
        if self._alerts.at_hand(alert.id) is None:
            # It may be newer than what is known by this key, or older.
            self._newest.pop(alert.key, None)
        self._alerts.put(alert.id, alert)

    def remove_alert(self, id: str) -> None:
        self._newest.clear()
        self._alerts.put(id, None)

    def due_alerts(
        self, now: datetime, *, limit: int, except_in: Collection[str] = ()
    ) -> list[Alert]:
        self._alerts.flush()
        channels = self._turn.many([table_rows.plain(channel) for channel in except_in])
        given = {"now": table_rows.ticks(now), "limit": max(limit, 0), "channels": channels}
        if self._turn.claim():
            found = self._turn.claimed(self._turn.sql.due_alerts_claimed, given)
        else:
            found = self._turn.rows(self._turn.sql.due_alerts, given)
        return decoded(self._alerts, found)

    def outbox(
        self, now: datetime, *, except_in: Collection[str] = ()
    ) -> tuple[int, datetime | None, int]:
        self._alerts.flush()
        given = {"channels": self._turn.many([table_rows.plain(channel) for channel in except_in])}
        due, since, dead = self._turn.rows(self._turn.sql.outbox, given)[0]
        late = (
            table_rows.time(since) if since is not None and since <= table_rows.ticks(now) else None
        )
        return due, late, dead

    def alerts(self) -> Iterator[Alert]:
        self._alerts.flush()
        sql = self._turn.sql
        for page in self._turn.pages(
            sql.all_alerts_locked if self._turn.writes else sql.all_alerts, 0
        ):
            yield from (self._alerts.decode(document) for _, document in page)

    # Re-opt-in cases

    def case(self, id: str) -> Case | None:
        return self._cases.get(id)

    def open_case(self, contact: str, channel: Channel) -> Case | None:
        if not self._turn.writes:
            found = self._find_open(contact, channel)
            return found[0] if found else None
        if (contact, channel) not in self._open and not self._open_known:
            self._look_for_open(contact, channel)
        id = self._open.setdefault((contact, channel), None)
        case = None if id is None else self._cases.get(id)
        stands = (
            case is not None and case.open and (case.contact, case.channel) == (contact, channel)
        )
        return case if stands else None

    def put_case(self, case: Case) -> None:
        other = self.open_case(case.contact, case.channel) if case.open else None
        if other is not None and other.id != case.id:
            raise Changed
        if case.open:
            self._open[case.contact, case.channel] = case.id
        self._cases.put(case.id, case)

    def cases(self, contact: str) -> list[Case]:
        self._cases.flush()
        found = self._turn.rows(self._turn.sql.cases_of, {"contact": table_rows.plain(contact)})
        return decoded(self._cases, found)

    def open_cases(self, *, after: Case | None = None, limit: int) -> list[Case]:
        self._cases.flush()
        at, id = (
            (table_rows.ticks(after.requested_at), table_rows.plain(after.id))
            if after
            else (_NEVER, "")
        )
        given = {"at": at, "id": id, "limit": max(limit, 0)}
        return decoded(self._cases, self._turn.rows(self._turn.sql.open_cases, given))

    def due_cases(self, now: datetime, *, limit: int) -> list[Case]:
        self._cases.flush()
        given = {"now": table_rows.ticks(now), "limit": max(limit, 0)}
        return decoded(self._cases, self._turn.rows(self._turn.sql.due_cases, given))

    def all_cases(self) -> Iterator[Case]:
        for page in self._cases.all():
            yield from (case for _, case in page)

    def _look_for_open(self, contact: str, channel: Channel) -> None:
        """One is looked for alone. Whoever looks for another may look for a thousand: mostly few
        are open, and then all of them are fetched."""
        self._open_asked += 1
        if self._open_asked == 2:
            some = decoded(self._cases, self._turn.rows(self._turn.sql.some_open_cases))
            self._open_known = len(some) <= MOST_OPEN_CASES
            self._learn_open(some)
        if not self._open_known:
            self._learn_open(self._find_open(contact, channel))

    def _find_open(self, contact: str, channel: Channel) -> list[Case]:
        given = {"contact": table_rows.plain(contact), "channel": channel.value}
        return decoded(self._cases, self._turn.rows(self._turn.sql.open_case, given))

    def _learn_open(self, found: Iterable[Case]) -> None:
        """As the database has them; what the transaction made of them, it goes on knowing."""
        for case in found:
            self._cases.learn(case.id, case)
            self._open.setdefault((case.contact, case.channel), case.id)

    # Marks

    def mark(self, name: str) -> str | None:
        return self._marks.get(name, claimed=True)

    def put_mark(self, name: str, text: str | None) -> None:
        self._marks.put(name, text)

    def marks(self) -> Iterator[tuple[str, str]]:
        for page in self._marks.all():
            yield from page

    # Imports

    def import_(self, id: str) -> Import | None:
        return self._imports.get(id)

    def put_import(self, record: Import) -> None:
        self._imports.put(record.id, record)

    def imports(self) -> list[Import]:
        self._imports.flush()
        return decoded(self._imports, self._turn.rows(self._turn.sql.all_imports))
