"""What events will look up, said beforehand: a storage that is some way off fetches it at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.consent.alerts import AlertKind
from bot.consent.events import Event, EventKind
from bot.consent.service.quiet import quiet_mark
from bot.consent.service.service import Service
from bot.consent.service.storms import storm_keys
from bot.consent.service.tell import bounce_key, live_key
from bot.consent.store import Expected, Records

#: What is told of an event, if anything is. What is told rarely is looked up when it is.
_TOLD: Mapping[EventKind, tuple[AlertKind, ...]] = {
    EventKind.REPLY: (AlertKind.STOP, AlertKind.UNKNOWN),
    EventKind.UNSUBSCRIBED: (AlertKind.UNSUBSCRIBE, AlertKind.UNKNOWN),
    EventKind.COMPLAINT: (AlertKind.COMPLAINT, AlertKind.UNKNOWN),
}


def event_id(event: Event) -> str:
    """Under which it is remembered: another provider may use the same ids."""
    return f"{event.provider}:{event.id}"


def expect(service: Service, records: Records, events: Sequence[Event], now: datetime) -> None:
    addresses: list[str] = []
    alerts: list[str] = []
    marks = [quiet_mark(service.alert_channel or "")]
    for event in events:
        hashed = service.hashed(event.address)
        addresses += (event.address, hashed)
        told = _TOLD.get(event.kind, ())
        day = min(event.occurred_at or now, now).date()
        alerts += (live_key(kind, event.channel, hashed, day) for kind in told)
        for kind in told[:1]:  # who is nobody's joins the storm of those who are somebody's
            alert, mark = storm_keys(kind, event.channel, service.alert_channel or "")
            alerts.append(alert)
            marks.append(mark)
        if event.kind is EventKind.FAILED:
            alerts.append(bounce_key(event.channel))
    ids = [*map(event_id, events)]
    records.expect(Expected(addresses=addresses, events=ids, alerts=alerts, marks=marks))
