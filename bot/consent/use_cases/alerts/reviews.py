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
from bot.consent.log.changes import Act, ConsentChanged, HoldChanged
from bot.consent.log.entries import EntryKind
from bot.consent.model import UNSET, Actor, ConsentValue, Contact, Origin
from bot.consent.permissions import Action, authorize
from bot.consent.store import Records
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.record import Recorder

REFUSAL = "refusal"
NO_REFUSAL = "none"
_SYSTEM = "system"
#: In the reason of an opt-out that nobody answered in time.
BY_DEADLINE = "was not read by its deadline"
#: Entries in which the address of a hold is looked for, at most.
_MOST_HOLDS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewAnswer:
    """An alert after somebody answered it."""

    alert: Alert
    #: Whether this answer was the first.
    won: bool


def answer_review(service: Service, alert_id: str, refusal: bool, actor: Actor) -> ReviewAnswer:
    """Says whether it was an opt-out. If so, the contact refused at the time of the reply, on every
    contact with the address; if not, the hold is released.

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
        answered = _answer(service, records, alert, refusal, actor.id, actor.source)
        return ReviewAnswer(alert=answered, won=True)


def expire_reviews(service: Service) -> int:
    """Turns reviews without an answer into opt-outs at their deadline (rules.md §10); how many."""
    now = service.now()
    with service.store.reading() as records:
        late = [alert.id for alert in records.outbox.all() if _is_late(alert, now)]
    count = 0
    for id in late:
        with service.store.transaction() as records:
            alert = records.outbox.get(id)
            if alert is not None and _is_late(alert, now):
                _answer(service, records, alert, True, _SYSTEM, "slack")
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
        records.outbox.put(handled)
        return ReviewAnswer(alert=handled, won=True)


def _answer(
    service: Service, records: Records, alert: Alert, refusal: bool, actor: str, source: str
) -> Alert:
    now = service.now()
    recorder = Recorder(records=records, actor=actor, source=source, now=now)
    address, former = _held(service, records, alert)
    hold = records.addresses.get(key_of(address)).hold
    said = _reason(refusal, actor, (hold.text if hold else alert.text) or "")
    holders: list[Contact | None] = [*records.contacts.at(key_of(address))]
    for holder in holders or [former]:
        if refusal:
            _refuse(recorder, alert, holder, address, hold.since if hold else alert.first_at, said)
        if hold:
            _release(recorder, alert, holder, address, said)
    # Another reply may have come while nobody had the address.
    hashed = alert.subject.address
    if address != hashed and hashed and records.addresses.get(hashed).hold:
        if refusal:
            _refuse(recorder, alert, None, hashed, alert.first_at, said)
        _release(recorder, alert, None, hashed, said)
    answered = _handled(alert, actor, now, answer=REFUSAL if refusal else NO_REFUSAL)
    records.outbox.put(answered)
    return answered


def _refuse(
    recorder: Recorder,
    alert: Alert,
    holder: Contact | None,
    address: str,
    since: datetime,
    reason: str,
) -> None:
    before = holder.consents.get(key_of(address), UNSET) if holder else UNSET
    refused = recorder.records.addresses.get(key_of(address)).refusal
    if holder is None and refused is not None and refused.since >= since:
        return
    # Whoever had refused already has refused again: a re-opt-in has to be newer than that.
    again = holder is not None and before.on is ConsentValue.NO and before.by is Origin.CONTACT
    recorder.record(
        holder,
        ConsentChanged(
            again=again,
            by=Origin.CONTACT,
            before=before.on,
            after=ConsentValue.NO,
            reason=reason,
            # The contact's word, whoever read it: nobody can take it back.
            act=Act(of=None, name=""),
        ),
        address=address,
        channel=alert.subject.channel,
        occurred_at=since,
    )


def _release(
    recorder: Recorder, alert: Alert, holder: Contact | None, address: str, reason: str
) -> None:
    recorder.record(
        # Read again: the entry before changed the same contact.
        recorder.records.contacts.get(holder.id) if holder else None,
        HoldChanged(held=False, reason=reason),
        address=address,
        channel=alert.subject.channel,
    )


def _reason(refusal: bool, actor: str, text: str) -> str:
    quoted = f"“{text[:500]}”" if text else "The reply"
    if actor == _SYSTEM:
        return f"{quoted} {BY_DEADLINE}, so it counts as an opt-out"
    return f"{quoted} was read as {'an' if refusal else 'no'} opt-out"


def _held(service: Service, records: Records, alert: Alert) -> tuple[str, Contact | None]:
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


def answer_hold(service, contact, channel, refusal, actor):  # TEMPORARY
    raise NotImplementedError
