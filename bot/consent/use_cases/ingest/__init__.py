"""Ingests providers' events in any order: what each does is rules.md §4.

The events of one request are one transaction: log entries, state and alerts, under the provider's
ids. The same id twice changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain

from bot.consent.addresses import key_of
from bot.consent.alerts import AlertKind
from bot.consent.events import Event, EventKind, Failure
from bot.consent.store import Expected, Records
from bot.consent.use_cases.alerts.alert_settings import settings_key
from bot.consent.use_cases.alerts.enqueue import bounce_key
from bot.consent.use_cases.alerts.storms import live_key, storm_keys
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.ingest import delivery_reports, forwarded, opt_outs
from bot.consent.use_cases.ingest.event_context import EventContext
from bot.consent.use_cases.known_senders import MARK as SENDERS

__all__ = ["ingest"]

#: What is told of an event, if anything is. What is told rarely is looked up when it is.
_TOLD: Mapping[EventKind, tuple[AlertKind, ...]] = {
    EventKind.REPLY: (AlertKind.STOP, AlertKind.UNKNOWN),
    EventKind.UNSUBSCRIBED: (AlertKind.UNSUBSCRIBE, AlertKind.UNKNOWN),
    EventKind.COMPLAINT: (AlertKind.COMPLAINT, AlertKind.UNKNOWN),
}


def ingest(
    service: Service, events: Iterable[Event], *, source: str | None = None
) -> Mapping[str, int]:
    """Ingests the events of one request. Returns the number of events by outcome: "applied",
    "duplicate", "no_effect" or "forwarded" (`forwarded.note`). Raises `StorageFailed`; then none
    of them is stored."""
    events = list(events)
    outcomes: Counter[str] = Counter()
    now = service.now()
    with service.store.transaction() as records:
        ids = [_event_ids(service, event) for event in events]
        _expect(service, records, events, ids, now)
        for event, (id, former) in zip(events, ids, strict=True):
            if records.events.seen(id, former):
                outcomes["duplicate"] += 1
                continue
            before = records.log.head()
            if event.kind is EventKind.REPLY or not event.whatsapp:
                # What becomes of a WhatsApp message says nothing of texts.
                taking = EventContext(service, records, event, now, source)
                if not taking.holders and forwarded.note(taking):
                    outcomes["forwarded"] += 1
                else:
                    _WHAT[event.kind](taking)
            changed = records.log.head() != before
            outcomes["applied" if changed else "no_effect"] += 1
            # What can do something is remembered even where it did nothing: an old START that is
            # told once more must not lift a later STOP.
            if changed or not _is_idle(event):
                records.events.remember(id)
    return dict(outcomes)


def _event_ids(service: Service, event: Event) -> tuple[str, str]:
    """The id under which an event is remembered, and the one of earlier versions.

    Another provider may use the same ids, and one provider may use an id twice: two addresses are
    two messages. Earlier versions did not look at the address.
    """
    former = f"{event.provider}:{event.id}"
    return f"{former}:{service.hashed(event.address)}", former


def _expect(
    service: Service,
    records: Records,
    events: Sequence[Event],
    ids: Iterable[tuple[str, str]],
    now: datetime,
) -> None:
    """Tells the storage which records these events will need, so that a database fetches them in
    one round trip. `ids` are the `_event_ids` of the events."""
    addresses: list[str] = []
    alerts: list[str] = []
    marks = [settings_key(service.alert_channel or ""), SENDERS]
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


def _is_idle(event: Event) -> bool:
    """Whether an event without effect need not be remembered. Delivery reports are too many to
    store, and replaying one is harmless."""
    return event.kind is EventKind.DELIVERED or event.failure in _NOT_THE_CONTACT


_NOT_THE_CONTACT = frozenset({Failure.NOT_FINAL, Failure.ROUTE, Failure.OURS})

_WHAT: Mapping[EventKind, Callable[[EventContext], None]] = {
    EventKind.REPLY: opt_outs.reply,
    EventKind.COMPLAINT: opt_outs.complain,
    EventKind.UNSUBSCRIBED: opt_outs.unsubscribe,
    EventKind.RESUBSCRIBED: opt_outs.resubscribe,
    EventKind.SUPPRESSED: opt_outs.suppress,
    EventKind.UNSUPPRESSED: opt_outs.unsuppress,
    EventKind.DELIVERED: delivery_reports.delivered,
    EventKind.FAILED: delivery_reports.failed,
    EventKind.UNPLACED: forwarded.unplaced,
}
