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
from bot.consent.events import Event, EventKind, EventRequest, Failure, OnceToken
from bot.consent.known_providers import PROGRAM
from bot.consent.store import Expected, Records
from bot.consent.use_cases.alerts.alert_settings import settings_key
from bot.consent.use_cases.alerts.enqueue import bounce_key
from bot.consent.use_cases.alerts.storms import live_key, storm_keys
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.ingest import delivery_reports, forwarded, opt_outs
from bot.consent.use_cases.ingest.event_context import EventContext
from bot.consent.use_cases.ingest.once_tokens import mark_of, take_token
from bot.consent.use_cases.known_senders import MARK as SENDERS

__all__ = ["ingest", "ingest_each", "ingest_in", "ingest_requests"]

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
    "duplicate" or "no_effect", and besides "forwarded" (`forwarded.note`). Raises `StorageFailed`;
    then none of them is stored."""
    counts, _ = _ingest_counted(service, [EventRequest(events=tuple(events))], source)
    return counts


def ingest_requests(
    service: Service, requests: Sequence[EventRequest]
) -> tuple[Mapping[str, int], Sequence[bool]]:
    """The same for several requests in one transaction, and which of them are believed: the events
    of a request whose token stands for another content are not ingested."""
    return _ingest_counted(service, requests, None)


def ingest_each(service: Service, events: Sequence[Event]) -> list[str]:
    """The same. Returns what came of each event, in their order: "applied", "duplicate" or
    "no_effect"."""
    (outcomes,) = _ingest(service, [EventRequest(events=tuple(events))], None)
    return [outcome for outcome, _ in outcomes or ()]


def _ingest_counted(
    service: Service, requests: Sequence[EventRequest], source: str | None
) -> tuple[Mapping[str, int], Sequence[bool]]:
    counts: Counter[str] = Counter()
    told = _ingest(service, requests, source)
    for outcome, is_forwarded in chain.from_iterable(outcomes or () for outcomes in told):
        counts[outcome] += 1
        if is_forwarded:
            counts["forwarded"] += 1
    return dict(counts), [outcomes is not None for outcomes in told]


#: What came of an event, and whether it is of mail that was forwarded.
_Outcome = tuple[str, bool]


def _ingest(
    service: Service, requests: Sequence[EventRequest], source: str | None
) -> list[list[_Outcome] | None]:
    """What came of each request's events; None where the request is not believed."""
    now = service.now()
    with service.store.transaction() as records:
        return _ingest_in(service, records, requests, source, now)


def ingest_in(
    service: Service, records: Records, events: Sequence[Event], now: datetime
) -> list[_Outcome]:
    """Ingests events inside a transaction. What came of each, and whether it is of mail that was
    forwarded."""
    requests = [EventRequest(events=tuple(events))]
    (outcomes,) = _ingest_in(service, records, requests, None, now)
    return outcomes or []


def _ingest_in(
    service: Service,
    records: Records,
    requests: Sequence[EventRequest],
    source: str | None,
    now: datetime,
) -> list[list[_Outcome] | None]:
    told: list[list[_Outcome] | None] = []
    ids = [[_event_ids(service, event) for event in one.events] for one in requests]
    _expect(service, records, requests, chain.from_iterable(ids), now)
    for request, its_ids in zip(requests, ids, strict=True):
        if request.token and not take_token(records.key_value, request.token, now):
            told.append(None)
            continue
        told.append(
            [
                _ingest_one(service, records, event, id, source, now)
                for event, id in zip(request.events, its_ids, strict=True)
            ]
        )
    return told


def _ingest_one(
    service: Service,
    records: Records,
    event: Event,
    ids: tuple[str, str],
    source: str | None,
    now: datetime,
) -> _Outcome:
    id, former = ids
    if records.events.seen(id, former):
        return "duplicate", False
    before = records.log.head()
    is_forwarded = False
    if event.kind is EventKind.REPLY or not event.whatsapp:
        # What becomes of a WhatsApp message says nothing of texts.
        taking = EventContext(service, records, event, now, source)
        is_forwarded = not taking.holders and forwarded.note(taking)
        if not is_forwarded:
            _WHAT[event.kind](taking)
    changed = records.log.head() != before
    # What can do something is remembered even where it did nothing: an old START that is told once
    # more must not lift a later STOP.
    if changed or not _is_idle(event):
        records.events.remember(id)
    return "applied" if changed else "no_effect", is_forwarded


def _event_ids(service: Service, event: Event) -> tuple[str, str]:
    """The id under which an event is remembered, and the one of earlier versions.

    Another provider may use the same ids, and one provider may use an id twice: two addresses are
    two messages. Earlier versions did not look at the address. A program may give what becomes of a
    message the id of the message, so each type of its events has ids of its own.
    """
    former = f"{event.provider}:{event.id}"
    id = f"{former}:{service.hashed(event.address)}"
    if event.provider.startswith(PROGRAM):
        id = f"{id}:{event.kind}:{event.marker or ''}"
    return id, former


def _expect(
    service: Service,
    records: Records,
    requests: Sequence[EventRequest],
    ids: Iterable[tuple[str, str]],
    now: datetime,
) -> None:
    """Tells the storage which records these requests will need, so that a database fetches them in
    one round trip. `ids` are the `_event_ids` of their events."""
    addresses: list[str] = []
    alerts: list[str] = []
    marks = [settings_key(service.alert_channel or ""), SENDERS]
    tokens: set[OnceToken] = {one.token for one in requests if one.token}
    marks += {mark_of(token) for token in tokens}
    for event in chain.from_iterable(one.events for one in requests):
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
    EventKind.REASSIGNED: opt_outs.reassigned,
}
