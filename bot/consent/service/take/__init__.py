"""Taking in what a provider tells: what each event does (rules.md §4), whatever its order.

A request's events are one transaction: entries, state, and the alerts to be told, under the
provider's ids. The same id twice changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from bot.consent.events import Event, EventKind, Failure
from bot.consent.service.service import Service
from bot.consent.service.take import deliveries, forwarded, wishes
from bot.consent.service.take.expected import event_ids, expect
from bot.consent.service.take.taking import Taking

__all__ = ["take"]


def take(
    service: Service, events: Iterable[Event], *, source: str | None = None
) -> Mapping[str, int]:
    """Takes the events of one request in; how many there were by what became of them:
    "applied", "duplicate", "no_effect"; and "forwarded", see `forwarded.note`. Raises
    `StorageFailed`, and has taken none then."""
    events = list(events)
    outcomes: Counter[str] = Counter()
    now = service.now()
    with service.store.transaction() as records:
        ids = [event_ids(service, event) for event in events]
        expect(service, records, events, ids, now)
        for event, (id, former) in zip(events, ids, strict=True):
            if records.seen(id, former):
                outcomes["duplicate"] += 1
                continue
            before = records.head()
            if event.kind is EventKind.REPLY or not event.whatsapp:
                # What becomes of a WhatsApp message says nothing of texts.
                taking = Taking(service, records, event, now, source)
                if forwarded.note(taking):
                    outcomes["forwarded"] += 1
                else:
                    _WHAT[event.kind](taking)
            changed = records.head() != before
            outcomes["applied" if changed else "no_effect"] += 1
            # What can do something is remembered even where it did nothing: an old START that is
            # told once more must not lift a later STOP.
            if changed or not _is_idle(event):
                records.remember(id)
    return dict(outcomes)


def _is_idle(event: Event) -> bool:
    """Told of nearly every message, so too many to remember; and where it did nothing, nothing
    that begins later is undone when it is told again."""
    return event.kind is EventKind.DELIVERED or event.failure in _NOT_THE_CONTACT


_NOT_THE_CONTACT = frozenset({Failure.NOT_FINAL, Failure.ROUTE, Failure.OURS})

_WHAT: Mapping[EventKind, Callable[[Taking], None]] = {
    EventKind.REPLY: wishes.reply,
    EventKind.COMPLAINT: wishes.complain,
    EventKind.UNSUBSCRIBED: wishes.unsubscribe,
    EventKind.RESUBSCRIBED: wishes.resubscribe,
    EventKind.SUPPRESSED: wishes.suppress,
    EventKind.UNSUPPRESSED: wishes.unsuppress,
    EventKind.DELIVERED: deliveries.delivered,
    EventKind.FAILED: deliveries.failed,
    EventKind.UNPLACED: forwarded.unplaced,
}
