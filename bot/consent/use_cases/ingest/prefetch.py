"""What events will look up, said beforehand: a storage that is some way off fetches it at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain

from bot.consent.addresses import key_of
from bot.consent.alerts import AlertKind
from bot.consent.events import Event, EventKind
from bot.consent.store import Expected, Records
from bot.consent.use_cases.alerts.enqueue import bounce_key, live_key
from bot.consent.use_cases.alerts.mutes import mutes_key
from bot.consent.use_cases.alerts.storms import storm_keys
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.known_senders import MARK as SENDERS

#: What is told of an event, if anything is. What is told rarely is looked up when it is.
_TOLD: Mapping[EventKind, tuple[AlertKind, ...]] = {
    EventKind.REPLY: (AlertKind.STOP, AlertKind.UNKNOWN),
    EventKind.UNSUBSCRIBED: (AlertKind.UNSUBSCRIBE, AlertKind.UNKNOWN),
    EventKind.COMPLAINT: (AlertKind.COMPLAINT, AlertKind.UNKNOWN),
}


def event_ids(service: Service, event: Event) -> tuple[str, str]:
    """The id under which an event is remembered, and the one of earlier versions.

    Another provider may use the same ids, and one provider may use an id twice: two addresses are
    two messages. Earlier versions did not look at the address.
    """
    former = f"{event.provider}:{event.id}"
    return f"{former}:{service.hashed(event.address)}", former


def expect(
    service: Service,
    records: Records,
    events: Sequence[Event],
    ids: Iterable[tuple[str, str]],
    now: datetime,
) -> None:
    """`ids` are the `event_ids` of these events."""
    addresses: list[str] = []
    alerts: list[str] = []
    marks = [mutes_key(service.alert_channel or ""), SENDERS]
    for event in events:
        hashed = service.hashed(event.address)
        addresses += (key_of(event.address), hashed)
        if event.only_recipient:
            addresses.append(key_of(event.only_recipient))
        told = _TOLD.get(event.kind, ())
        day = min(event.occurred_at or now, now).date()
        alerts += (live_key(kind, event.channel, hashed, day) for kind in told)
        for kind in told[:1]:  # who is nobody's joins the storm of those who are somebody's
            alert, mark = storm_keys(kind, event.channel, service.alert_channel or "")
            alerts.append(alert)
            marks.append(mark)
        if event.kind is EventKind.FAILED:
            alerts.append(bounce_key(event.channel))
    names = [*chain.from_iterable(ids)]
    records.expect(Expected(addresses=addresses, events=names, alerts=alerts, key_value=marks))
