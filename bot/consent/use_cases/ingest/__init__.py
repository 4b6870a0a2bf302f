"""Ingests providers' events in any order: what each does is rules.md §4.

The events of one request are one transaction: log entries, state and alerts, under the provider's
ids. The same id twice changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from bot.consent.events import Event, EventKind, Failure
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.ingest import delivery_reports, forwarded, opt_outs
from bot.consent.use_cases.ingest.event_context import EventContext
from bot.consent.use_cases.ingest.prefetch import event_ids, expect

__all__ = ["ingest"]


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
        ids = [event_ids(service, event) for event in events]
        expect(service, records, events, ids, now)
        for event, (id, former) in zip(events, ids, strict=True):
            if records.events.seen(id, former):
                outcomes["duplicate"] += 1
                continue
            before = records.log.head()
            if event.kind is EventKind.REPLY or not event.whatsapp:
                # What becomes of a WhatsApp message says nothing of texts.
                taking = EventContext(service, records, event, now, source)
                if forwarded.note(taking):
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
