"""What would be, over what is: the records of a rehearsal.

Nothing is written where others write, or they would have to wait until the rehearsal is over.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from itertools import chain

from bot.consent.activity import Entry, Kind, redact
from bot.consent.alerts import URGENT, Alert, Delivery
from bot.consent.cases import Case
from bot.consent.errors import Changed
from bot.consent.model import AddressFacts, Channel, Contact, Import
from storage.sql.records import SQLRecords


class Rehearsed:
    """`under` is read, `over` takes what is changed. What was changed is in `over` alone, or, where
    it was removed, in neither."""

    def __init__(self, under: SQLRecords, over: SQLRecords) -> None:
        self._under = under
        self._over = over
        over.follow(under.head())
        self._first = under.head()[0]
        #: Keys of what was changed, by kind.
        self._contacts: set[str] = set()
        self._facts: set[str] = set()
        self._alerts: set[str] = set()
        self._cases: set[str] = set()
        self._marks: set[str] = set()
        self._redacted: set[str] = set()

    # Contacts and addresses

    def contact(self, id: str) -> Contact | None:
        return (self._over if id in self._contacts else self._under).contact(id)

    def holders(self, address: str) -> list[Contact]:
        found = self._left(self._under.holders(address))
        return sorted([*found, *self._over.holders(address)], key=_id)

    def by_external_id(self, external_id: str) -> Contact | None:
        # One that was changed may have hidden another with the same id: that is not looked for.
        known = self._under.by_external_id(external_id)
        found = self._left([known] if known else [])
        new = self._over.by_external_id(external_id)
        return min([*found, *([new] if new else [])], key=_id, default=None)

    def search(self, text: str, *, limit: int) -> list[Contact]:
        known = self._left(self._under.search(text, limit=limit + len(self._contacts)))
        return [*known, *self._over.search(text, limit=limit)][: max(limit, 0)]

    def contacts(self) -> Iterator[Contact]:
        return heapq.merge(self._left(self._under.contacts()), self._over.contacts(), key=_id)

    def count_contacts(self) -> int:
        gone = sum(
            1 for id in self._contacts if (known := self._under.contact(id)) and not known.erased
        )
        return self._under.count_contacts() - gone + self._over.count_contacts()

    def put_contact(self, contact: Contact) -> None:
        self._over.put_contact(contact)
        self._contacts.add(contact.id)

    def remove_contact(self, id: str) -> None:
        self._over.remove_contact(id)
        self._contacts.add(id)

    def facts(self, address: str) -> AddressFacts:
        return (self._over if address in self._facts else self._under).facts(address)

    def put_facts(self, facts: AddressFacts) -> None:
        self._over.put_facts(facts)
        self._facts.add(facts.address)

    def all_facts(self) -> Iterator[AddressFacts]:
        known = (facts for facts in self._under.all_facts() if facts.address not in self._facts)
        return heapq.merge(known, self._over.all_facts(), key=lambda facts: facts.address)

    def expect(self, addresses: Collection[str], external_ids: Collection[str] = ()) -> None:
        self._under.expect(addresses, external_ids)

    # The Activity Log, and events

    def append(self, entry: Entry) -> Entry:
        return self._over.append(entry)

    def adopt(self, entry: Entry) -> None:
        self._over.adopt(entry)

    def entries(
        self,
        *,
        contact: str | None = None,
        actor: str | None = None,
        kinds: Iterable[Kind] = (),
        channel: Channel | None = None,
        before: int | None = None,
        limit: int,
    ) -> list[Entry]:
        wanted = tuple(kinds)
        found: list[Entry] = []
        for records in (self._over, self._under):
            left = limit - len(found)
            found += records.entries(
                contact=contact,
                actor=actor,
                kinds=wanted,
                channel=channel,
                before=before,
                limit=left,
            )
        return [self._bare(entry) for entry in found]

    def log(self) -> Iterator[Entry]:
        return map(self._bare, chain(self._under.log(), self._over.log()))

    def head(self) -> tuple[int, str]:
        return self._over.head()

    def redact(self, contact: str) -> None:
        self._over.redact(contact)
        self._redacted.add(contact)

    def seen(self, event: str) -> bool:
        return self._over.seen(event) or self._under.seen(event)

    def remember(self, event: str) -> None:
        self._over.remember(event)

    def events(self) -> Iterator[str]:
        return heapq.merge(self._under.events(), self._over.events())

    def put_event(self, fingerprint: str) -> None:
        self._over.put_event(fingerprint)

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
            if alert.due
            and (alert.not_before is None or alert.not_before <= now)
            and alert.slack_channel not in except_in
        ]
        return sorted(due, key=lambda a: (a.kind not in URGENT, a.first_at))[: max(limit, 0)]

    def outbox(
        self, now: datetime, *, except_in: Collection[str] = ()
    ) -> tuple[int, datetime | None, int]:
        alerts = list(self.alerts())
        since = min(
            (
                max(alert.last_at, alert.not_before or alert.last_at)
                for alert in alerts
                if alert.due and alert.slack_channel not in except_in
            ),
            default=None,
        )
        late = since if since is not None and since <= now else None
        dead = sum(alert.delivery is Delivery.DEAD for alert in alerts)
        return sum(alert.due for alert in alerts), late, dead

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

    def _left(self, known: Iterable[Contact]) -> Iterator[Contact]:
        return (contact for contact in known if contact.id not in self._contacts)

    def _bare(self, entry: Entry) -> Entry:
        known = entry.seq <= self._first
        return redact(entry) if known and entry.contact in self._redacted else entry


def _id(contact: Contact) -> str:
    return contact.id


def _by_request(case: Case) -> tuple[datetime, str]:
    return case.requested_at, case.id
