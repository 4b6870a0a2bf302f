"""Held replies: what waits for a person's reading, and the answer for a contact.

A reply that may be a refusal holds its address (rules.md §5). An alert says so, and is stored where
no Slack channel is told, too. Without that alert, the hold alone can be answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from bot.consent.addresses import key_of
from bot.consent.alerts import Alert, AlertKind
from bot.consent.errors import Changed, NotFound, Refused
from bot.consent.log.entries import READ_AS_NO_OPT_OUT, READ_AS_OPT_OUT, Entry, EntryKind
from bot.consent.model import Actor, Channel, Contact
from bot.consent.parsing import masked
from bot.consent.permissions import Action, authorize
from bot.consent.store import Records
from bot.consent.use_cases.alerts.readings import (
    BY_DEADLINE,
    Reading,
    how_it_was_read,
    record_reading,
)
from bot.consent.use_cases.alerts.reviews import REFUSAL, answered_by, held_address
from bot.consent.use_cases.alerts.thread_news import put_with_news
from bot.consent.use_cases.context import Service, present
from bot.consent.use_cases.record import Recorder

#: Entries about the holds of a contact in which the newest answer is looked for, at most.
_MOST_ANSWERS = 50
_NONE = "No reply of this contact waits for an answer."


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldReply:
    """A reply that may be a refusal, with the answer once there is one."""

    #: Of its review; None of a hold that has none.
    id: str | None
    channel: Channel
    #: Who has the address, or had it then; None where nobody did.
    contact: Contact | None
    #: What may be shown of the address: "ending 0100"; empty once it was erased.
    masked: str
    #: What was written; empty once it was erased.
    text: str
    since: datetime
    #: When it counts as an opt-out, if nobody answers; without a review, it never does.
    deadline: datetime | None
    #: Whether it was read as an opt-out; None while it waits.
    refusal: bool | None = None
    answered_by: str | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldAnswer:
    """The answer to a held reply: this one, or an earlier one that won."""

    won: bool
    refusal: bool
    #: Who gave it: `slack:U…`, `cli:<user>`, or `system` at the deadline.
    by: str
    at: datetime


def held_replies(
    service: Service, actor: Actor, *, after: str | None = None, limit: int = 10
) -> list[HeldReply]:
    """Replies that wait for an answer, the oldest first; those behind the one with the id `after`.

    Of the outbox, only reviews are read. They are removed after `outbox.KEEP`, once answered.
    Raises `NotFound` if `after` is no review.
    """
    authorize(actor, Action.ANSWER)
    with service.store.reading() as records:
        last = _review(records, after) if after is not None else None
        waiting = sorted(
            (
                review
                for review in records.outbox.reviews()
                if review.follow_up.answer is None
                and (last is None or _by_time(review) > _by_time(last))
            ),
            key=_by_time,
        )
        found: list[HeldReply] = []
        for review in waiting:
            if len(found) >= limit:
                break
            reply = _reply_of(service, records, review)
            if reply.contact or reply.masked:  # else it was erased
                found.append(reply)
        return found


def held_reply(service: Service, id: str, actor: Actor) -> HeldReply:
    """One of them by its id, answered ones too. Raises `NotFound`."""
    authorize(actor, Action.ANSWER)
    with service.store.reading() as records:
        return _reply_of(service, records, _review(records, id))


def held_replies_that_begin(service: Service, id: str, actor: Actor) -> list[HeldReply]:
    """Those whose id begins so, answered ones too; two at most, since one alone is of use."""
    authorize(actor, Action.ANSWER)
    with service.store.reading() as records:
        fit = (review for review in records.outbox.reviews() if review.id.startswith(id))
        return [_reply_of(service, records, review) for review in islice(fit, 2)]


def held_reply_of(service: Service, contact_id: str, channel: Channel, actor: Actor) -> HeldReply:
    """The reply that holds this contact's address. Raises `NotFound`, and `Refused` where none
    does."""
    authorize(actor, Action.ANSWER)
    with service.store.reading() as records:
        contact = present(records.contacts, contact_id)
        key = contact.key(channel)
        reviews = _waiting_at(service, records, key) if key else []
        if reviews:
            return _reply_of(service, records, reviews[0])
        hold = records.addresses.get(key).hold if key else None
        if key is None or hold is None:
            raise Refused(_NONE)
        return HeldReply(
            id=None,
            channel=channel,
            contact=contact,
            masked=masked(key),
            text=hold.text,
            since=hold.since,
            deadline=None,
        )


def answer_hold(
    service: Service,
    contact_id: str,
    channel: Channel,
    refusal: bool,
    actor: Actor,
    *,
    since: datetime | None = None,
    reason: str | None = None,
) -> HoldAnswer:
    """Says whether the reply that holds this contact's address was an opt-out, as `answer_review`
    does. All reviews of the address are answered with it.

    The first answer wins; a later one learns of it and changes nothing. `since` is that of the hold
    that the person saw. Raises `NotFound`, `NotAllowed`, `Changed` if another reply holds the
    address now, and `Refused` if none ever did.
    """
    authorize(actor, Action.ANSWER)
    now = service.now()
    with service.store.transaction() as records:
        contact = present(records.contacts, contact_id)
        key = contact.key(channel)
        if key is None:
            raise Refused(_NONE)
        hold = records.addresses.get(key).hold
        reviews = _waiting_at(service, records, key)
        if hold is None and not reviews:
            return _earlier_answer(records, contact, channel, key)
        if hold is not None and since is not None and hold.since != since:
            raise Changed("Another reply waits now. Read it before you answer.")
        at = hold.since if hold else reviews[0].first_at
        text = hold.text if hold else next((r.text for r in reviews if r.text), None)
        recorder = Recorder(
            service=service, records=records, actor=actor.id, source=actor.source, now=now
        )
        said = how_it_was_read(refusal, actor.id, text or "", reason)
        reading = Reading(channel=channel, refusal=refusal, since=at, said=said)
        record_reading(recorder, reading, key, service.hashed(key))
        for review in reviews:
            after = answered_by(review, actor.id, now, refusal=refusal)
            put_with_news(records, review, after, now)
        return HoldAnswer(won=True, refusal=refusal, by=actor.id, at=now)


def _waiting_at(service: Service, records: Records, key: str) -> list[Alert]:
    """The reviews of this address that nobody answered, the oldest first."""
    hashes = service.hashes(key)
    waiting = (
        review
        for review in records.outbox.reviews()
        if review.follow_up.answer is None and review.subject.address in hashes
    )
    return sorted(waiting, key=_by_time)


def _earlier_answer(records: Records, contact: Contact, channel: Channel, key: str) -> HoldAnswer:
    holds = records.log.entries(
        contact=contact.id, kinds=(EntryKind.HOLD,), channel=channel, limit=_MOST_ANSWERS
    )
    answer = next((entry for entry in holds if _releases(entry, key)), None)
    if answer is None:
        raise Refused(_NONE)
    refusal = not (answer.reason or "").endswith(READ_AS_NO_OPT_OUT)
    return HoldAnswer(won=False, refusal=refusal, by=answer.actor, at=answer.recorded_at)


def _releases(entry: Entry, key: str) -> bool:
    reason = entry.reason or ""
    answered = reason.endswith((READ_AS_OPT_OUT, READ_AS_NO_OPT_OUT)) or BY_DEADLINE in reason
    return answered and entry.after == "released" and key_of(entry.address or "") == key


def _review(records: Records, id: str) -> Alert:
    review = records.outbox.get(id)
    if review is None or review.kind is not AlertKind.REVIEW:
        raise NotFound("There is no such reply.")
    return review


def _by_time(review: Alert) -> tuple[datetime, str]:
    return review.first_at, review.id


def _reply_of(service: Service, records: Records, review: Alert) -> HeldReply:
    answer = review.follow_up.answer
    contact, shown = _whose(service, records, review)
    return HeldReply(
        id=review.id,
        channel=review.subject.channel,
        contact=contact,
        masked=shown,
        text=review.text or "",
        since=review.first_at,
        deadline=review.follow_up.deadline,
        refusal=None if answer is None else answer == REFUSAL,
        answered_by=review.follow_up.handled_by,
        answered_at=review.follow_up.handled_at,
    )


def _whose(service: Service, records: Records, review: Alert) -> tuple[Contact | None, str]:
    """Who wrote, and what may be shown of the address."""
    subject = review.subject
    for id in subject.contacts:
        contact = records.contacts.get(id)
        if contact is not None and not contact.erased:
            address = contact.address(subject.channel)
            return contact, subject.masked or (masked(address) if address else "")
    waits = review.follow_up.answer is None and subject.masked
    if waits and not (subject.address and records.addresses.get(subject.address).hold):
        # A contact who appeared since took the hold over.
        return held_address(service, records, review)[1], subject.masked
    return None, subject.masked
