"""Reviews: a person says whether a reply was an opt-out, or marks an alert as handled.

The first answer wins. Until there is one, the hold stops all messages (rules.md §4).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from bot.consent.addresses import key_of
from bot.consent.alerts import Alert, AlertKind, redraw, revise
from bot.consent.errors import NotFound, Refused
from bot.consent.log.entries import EntryKind
from bot.consent.model import Actor, Contact
from bot.consent.permissions import Action, authorize
from bot.consent.store import Records
from bot.consent.use_cases.alerts.readings import (
    SYSTEM,
    Reading,
    how_it_was_read,
    record_reading,
)
from bot.consent.use_cases.alerts.thread_news import put_with_news
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.record import Recorder

REFUSAL = "refusal"
NO_REFUSAL = "none"
#: Entries in which the address of a hold is looked for, at most.
_MOST_HOLDS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewAnswer:
    """An alert after somebody answered it."""

    alert: Alert
    #: Whether this answer was the first.
    won: bool


def answer_review(
    service: Service, alert_id: str, refusal: bool, actor: Actor, *, reason: str | None = None
) -> ReviewAnswer:
    """Says whether it was an opt-out. If so, the contact refused at the time of the reply, on every
    contact with the address; if not, the hold is released. The log keeps the `reason`.

    Raises `NotFound` for an alert that is there no more, `NotAllowed`, and `Refused` for one that
    asks nothing.
    """
    authorize(actor, Action.ANSWER)
    with service.store.transaction() as records:
        alert = _present(records, alert_id)
        if alert.kind is not AlertKind.REVIEW:
            raise Refused("This alert asks nothing.")
        if alert.follow_up.answer is not None:
            return ReviewAnswer(alert=alert, won=False)
        answered = _answer(service, records, alert, refusal, actor.id, actor.source, reason=reason)
        return ReviewAnswer(alert=answered, won=True)


def expire_reviews(service: Service) -> int:
    """Turns reviews without an answer into opt-outs at their deadline (rules.md §10); how many."""
    now = service.now()
    with service.store.reading() as records:
        late = [alert.id for alert in records.outbox.reviews() if _is_late(alert, now)]
    count = 0
    for id in late:
        with service.store.transaction() as records:
            alert = records.outbox.get(id)
            if alert is not None and _is_late(alert, now):
                _answer(service, records, alert, True, SYSTEM, "slack")
                count += 1
    return count


def mark_handled(service: Service, alert_id: str, actor: Actor) -> ReviewAnswer:
    """Marks an alert as handled. Raises `NotFound`, `NotAllowed`, and `Refused` for a
    review, which has to be answered."""
    authorize(actor, Action.ANSWER)
    with service.store.transaction() as records:
        alert = _present(records, alert_id)
        if alert.kind is AlertKind.REVIEW:
            raise Refused("Say whether it was an opt-out.")
        if alert.follow_up.handled_by is not None:
            return ReviewAnswer(alert=alert, won=False)
        handled = _handled(alert, actor.id, service.now())
        put_with_news(records, alert, handled, service.now())
        return ReviewAnswer(alert=handled, won=True)


def _answer(
    service: Service,
    records: Records,
    alert: Alert,
    refusal: bool,
    by: str,
    source: str,
    *,
    reason: str | None = None,
) -> Alert:
    now = service.now()
    recorder = Recorder(service=service, records=records, actor=by, source=source, now=now)
    address, former = held_address(service, records, alert)
    hold = records.addresses.get(key_of(address)).hold
    reading = Reading(
        channel=alert.subject.channel,
        refusal=refusal,
        since=alert.first_at,
        said=how_it_was_read(refusal, by, (hold.text if hold else alert.text) or "", reason),
    )
    record_reading(recorder, reading, address, alert.subject.address, former)
    answered = answered_by(alert, by, now, refusal=refusal)
    put_with_news(records, alert, answered, now)
    return answered


def held_address(service: Service, records: Records, alert: Alert) -> tuple[str, Contact | None]:
    """The address that was held, or its hash where nobody has it; and who had it then."""
    for address, contact in _candidates(records, alert):
        if service.hashed(address) == alert.subject.address:
            return address, contact
    return alert.subject.address or "", None


def _candidates(records: Records, alert: Alert) -> Iterator[tuple[str, Contact | None]]:
    for id in alert.subject.contacts:
        contact = records.contacts.get(id)
        if contact is not None:
            for address in (*contact.keys, *contact.consents):
                yield address, contact
    # A contact who appeared since took the hold over.
    for entry in records.log.entries(kinds=(EntryKind.HOLD,), limit=_MOST_HOLDS):
        if entry.address:
            yield entry.address, records.contacts.get(entry.contact) if entry.contact else None


def _present(records: Records, id: str) -> Alert:
    alert = records.outbox.get(id)
    if alert is None:
        raise NotFound("This alert is too old: it is not kept any more.")
    return alert


def _handled(alert: Alert, actor: str, now: datetime, *, answer: str | None = None) -> Alert:
    follow_up = replace(
        alert.follow_up,
        handled_by=actor,
        handled_at=now,
        answer=answer or alert.follow_up.answer,
    )
    if not alert.slack_channel:  # nobody is told
        return replace(alert, follow_up=follow_up)
    return revise(alert, follow_up=follow_up)


def answered_by(alert: Alert, by: str, now: datetime, *, refusal: bool) -> Alert:
    """The review with this answer."""
    return _handled(alert, by, now, answer=REFUSAL if refusal else NO_REFUSAL)


def _is_late(alert: Alert, now: datetime) -> bool:
    review = alert.follow_up
    return review.answer is None and review.deadline is not None and review.deadline <= now


def erase_reviews(records: Records, contact: str) -> None:
    """Erases what alerts still have of the contact, in Slack, too."""
    for alert in [a for a in records.outbox.all() if contact in a.subject.contacts]:
        left = tuple(id for id in alert.subject.contacts if id != contact)
        subject = replace(alert.subject, contacts=left, masked="")
        text = alert.text if alert.kind is not AlertKind.REVIEW else None
        bare = replace(alert, subject=subject, text=text)
        records.outbox.put(redraw(bare) if alert.slack_channel else bare)
