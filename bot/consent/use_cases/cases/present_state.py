"""What has become of the subject of an alert: its message says that first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.consent.alerts import OPT_OUTS, Alert, AlertKind
from bot.consent.cases import Case
from bot.consent.model import Bounce
from bot.consent.store import Records
from bot.consent.use_cases.cases.details import CaseDetails, details_of
from bot.consent.use_cases.context import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentState:
    """What is true of an alert's contacts when its message is drawn."""

    #: The re-opt-in that was requested since the alert: an open one, or else the newest.
    case: CaseDetails | None = None
    #: How many of the contacts whose messages bounced are no longer marked as bounced.
    cleared: int = 0


NOTHING_SINCE = PresentState()


def present_state(service: Service, alert: Alert) -> PresentState:
    """Reads it. Alerts of other kinds, and alerts about nobody's address, have no such state."""
    if not alert.subject.contacts:
        return NOTHING_SINCE
    if alert.kind is AlertKind.BOUNCE:
        with service.store.reading() as records:
            return PresentState(cleared=_cleared(service, records, alert))
    if alert.kind not in OPT_OUTS:
        return NOTHING_SINCE
    with service.store.reading() as records:
        cases = _cases_since(records, alert)
        if not cases:
            return NOTHING_SINCE
        newest = max(cases, key=lambda case: (case.open, case.requested_at))
        return PresentState(case=details_of(service, records, newest))


def _cases_since(records: Records, alert: Alert) -> Sequence[Case]:
    return [
        case
        for contact in alert.subject.contacts
        for case in records.cases.of(contact)
        if case.channel is alert.subject.channel and case.requested_at >= alert.first_at
    ]


def _cleared(service: Service, records: Records, alert: Alert) -> int:
    """Contacts who have an address that the alert is about, and whose bounce is cleared."""
    cleared = 0
    for id in alert.subject.contacts:
        contact = records.contacts.get(id)
        key = contact.key(alert.subject.channel) if contact else None
        # Of several contacts the alert knows no address of each.
        alone = len(alert.subject.contacts) == 1
        if key is None or (alone and service.hashed(key) != alert.subject.address):
            continue
        if records.addresses.get(key).bounce is not Bounce.YES:
            cleared += 1
    return cleared
