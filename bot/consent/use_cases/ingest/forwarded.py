"""Mail that reached another mailbox than the one that it was sent to, or nobody knows which.

A contact's mailbox may forward to one that we have never heard of: what comes back is about that
one. The contact's consent and bounce stay as they are (rules.md §4).
"""

from __future__ import annotations

from bot.consent.events import Event, EventKind, Failure
from bot.consent.frozen import replace
from bot.consent.log.changes import Noted
from bot.consent.use_cases.ingest.event_context import EventContext, without

#: What says nothing of a mailbox says nothing of where it forwards to, either.
_NOT_THE_MAILBOX = frozenset({Failure.NOT_FINAL, Failure.ROUTE, Failure.OURS})


def note(taking: EventContext) -> bool:
    """Logs the bounce or complaint of a mailbox that nobody has on whoever has the one mailbox that
    the message was sent to. Whether anybody has."""
    event = taking.event
    if not _comes_back(event) or event.only_recipient in (None, event.address):
        return False
    assert event.only_recipient is not None
    theirs = EventContext(
        taking.service,
        taking.records,
        replace(
            event,
            address=event.only_recipient,
            # The id may have the other address in it, which is nobody's.
            id=without(event.address, event.id, taking.service.hashed(event.address)),
        ),
        taking.now,
        taking.source,
    )
    if not theirs.holders:
        return False
    theirs.record_on_each(Noted(reason=_said(event)))
    return True


def unplaced(taking: EventContext) -> None:
    """Logs on the only recipient what the provider places at no mailbox."""
    if taking.holders:
        taking.record_on_each(Noted(reason=_meaning(taking.event)))


def _comes_back(event: Event) -> bool:
    if event.kind is EventKind.COMPLAINT:
        return True
    return event.kind is EventKind.FAILED and event.failure not in _NOT_THE_MAILBOX


def _said(event: Event) -> str:
    if event.kind is EventKind.COMPLAINT:
        return "A message to this mailbox was forwarded, and reported as spam there"
    return f"A message to this mailbox was forwarded, and bounced there: {_meaning(event)}"


def _meaning(event: Event) -> str:
    code = f" ({event.provider.title()} {event.code})" if event.code else ""
    return f"{event.meaning or 'The message was not delivered.'}{code}"
