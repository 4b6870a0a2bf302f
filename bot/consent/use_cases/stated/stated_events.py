"""Provider-neutral events: what a program heard of messages and replies.

They become the events that a provider's webhook would have brought, so the same rules apply to
them. The key of the program stands before each event's id: two programs may use the same ids.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.consent.addresses import key_of
from bot.consent.errors import Invalid
from bot.consent.events import Event, EventKind, Failure, Marker
from bot.consent.model import Actor, Channel
from bot.consent.parsing import blank, read_phone, storable
from bot.consent.permissions import Action, authorize
from bot.consent.replies import Refusal, read_reply
from bot.consent.senders import Senders, kind_of
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.ingest import ingest_each
from bot.consent.use_cases.known_senders import senders as read_senders
from bot.consent.use_cases.stated.stated_event import EventResult, EventType, StatedEvent
from bot.consent.use_cases.stated.statement import past

#: Events of one request.
MOST_EVENTS = 1_000
#: How far the clock of another machine may be ahead. Such a time counts as now.
_CLOCKS_DIFFER = timedelta(minutes=5)
LONGEST_ID, LONGEST_TEXT, LONGEST_FIELD = 255, 5_000, 300


#: What is not lost in an event that is otherwise wrong.
_OPT_OUTS = frozenset({EventType.OPT_OUT, EventType.UNSUBSCRIBE, EventType.COMPLAINT})


def take_events(service: Service, events: Sequence[StatedEvent], actor: Actor) -> list[EventResult]:
    """Takes the events in one transaction. Returns a result for each, in their order.

    One that is wrong is an error in its place, and the others are taken. If it tells of an opt-out
    of an address that can be read, or is a reply that refuses, that opt-out counts from now on all
    the same: an opt-out is never lost by a wrong field beside it.
    """
    authorize(actor, Action.STATE)
    senders = read_senders(service)
    read: list[tuple[Event | None, Invalid | None]] = []
    for stated in events:
        try:
            if stated.problem is not None:
                raise stated.problem
            read.append((_event(service, senders, stated, actor.id), None))
        except Invalid as wrong:
            read.append((_opt_out_alone(service, stated, actor.id), wrong))
    outcomes = iter(ingest_each(service, [event for event, _ in read if event is not None]))
    results = []
    for event, problem in read:
        outcome = next(outcomes) if event is not None else "error"
        if problem is None:
            results.append(EventResult(outcome=outcome))
        else:
            results.append(
                EventResult(outcome="error", problem=problem, opted_out=event is not None)
            )
    return results


def contacts_of(service: Service, events: Sequence[StatedEvent]) -> tuple[str, ...]:
    """The ids of the contacts whom these events are about."""
    found: dict[str, None] = {}
    with service.store.reading() as records:
        for stated in events:
            try:
                address, _ = _address(service, stated.address)
            except Invalid:
                continue
            found |= {holder.id: None for holder in records.contacts.at(key_of(address))}
    return tuple(found)


def _event(service: Service, senders: Senders, stated: StatedEvent, provider: str) -> Event:
    """Raises `Invalid` with the field that is wrong."""
    if stated.type is None:
        raise Invalid(f"The type has to be one of {', '.join(EventType)}.", field="type")
    address, channel = _address(service, stated.address)
    for field, longest in _LIMITS.items():
        if len(getattr(stated, field) or "") > longest:
            raise Invalid(f"That is too long: at most {longest:,} characters.", field=field)
    if blank(stated.id):
        raise Invalid("Give each event an id, the same when it is sent again.", field="id")
    kind, marker, failure = _meaning(stated, channel)
    if stated.occurred_at is None:
        raise Invalid("Say when it happened, as in 2026-11-03T14:02:00Z.", field="occurred_at")
    number, carrier_service = _sender(service, senders, stated.sender, channel)
    return Event(
        provider=provider,
        id=_kept_id(service, storable(stated.id), address),
        kind=kind,
        channel=channel,
        address=address,
        occurred_at=_past(service, stated.occurred_at, "occurred_at"),
        sender=number,
        service=carrier_service,
        scope=storable(stated.scope or "") or None,
        text=storable(stated.text) if stated.text is not None else None,
        marker=marker,
        failure=failure,
        code=storable(stated.code or "") or None,
        meaning=storable(stated.reason or "") or None,
        sent_at=_past(service, stated.sent_at, "sent_at") if stated.sent_at else None,
    )


_LIMITS = {
    "id": LONGEST_ID,
    "text": LONGEST_TEXT,
    "sender": LONGEST_FIELD,
    "code": LONGEST_FIELD,
    "reason": LONGEST_FIELD,
    "scope": LONGEST_FIELD,
}


def _meaning(
    stated: StatedEvent, channel: Channel
) -> tuple[EventKind, Marker | None, Failure | None]:
    """What it is among a provider's events. Raises `Invalid` where a part of it is missing."""
    assert stated.type is not None
    sms = channel is Channel.SMS
    kind = _KINDS.get((stated.type, channel))
    if kind is None:
        only = "an e-mail address" if sms else "a phone number"
        raise Invalid(f"An event of the type {stated.type} is about {only}.", field="address")
    if stated.type is EventType.OPT_OUT and sms and (stated.sender or not blank(stated.text)):
        return EventKind.REPLY, Marker.STOP, None
    if stated.type is EventType.OPT_IN_KEYWORD and blank(stated.sender):
        raise Invalid("Say which number of ours the contact texted.", field="sender")
    if stated.type is EventType.REPLY and stated.text is None:
        raise Invalid("Say what the contact wrote.", field="text")
    marker = Marker.START if stated.type is EventType.OPT_IN_KEYWORD else None
    failure = Failure.HARD if stated.hard else Failure.SOFT
    return kind, marker, failure if kind is EventKind.FAILED else None


_KINDS = {
    (EventType.OPT_OUT, Channel.SMS): EventKind.UNSUBSCRIBED,
    (EventType.OPT_OUT, Channel.EMAIL): EventKind.UNSUBSCRIBED,
    (EventType.OPT_IN_KEYWORD, Channel.SMS): EventKind.REPLY,
    (EventType.REPLY, Channel.SMS): EventKind.REPLY,
    (EventType.UNSUBSCRIBE, Channel.SMS): EventKind.UNSUBSCRIBED,
    (EventType.UNSUBSCRIBE, Channel.EMAIL): EventKind.UNSUBSCRIBED,
    (EventType.BOUNCE, Channel.SMS): EventKind.FAILED,
    (EventType.BOUNCE, Channel.EMAIL): EventKind.FAILED,
    (EventType.COMPLAINT, Channel.EMAIL): EventKind.COMPLAINT,
    (EventType.DELIVERED, Channel.SMS): EventKind.DELIVERED,
    (EventType.DELIVERED, Channel.EMAIL): EventKind.DELIVERED,
}


def _kept_id(service: Service, id: str, address: str) -> str:
    """The id, or its hash where it holds the address: it stays in the log after an erasure."""
    if "@" in address:
        return service.hashed(id) if address in id.lower() else id
    digits = re.sub(r"[^0-9]", "", id)
    return service.hashed(id) if address[-_TELLING_DIGITS:].strip("+") in digits else id


#: Of a phone number, so many tell whose it is, with or without the country's.
_TELLING_DIGITS = 9


def _opt_out_alone(service: Service, stated: StatedEvent, provider: str) -> Event | None:
    """The opt-out in an event that is wrong otherwise, if its address can be read. What else it
    says is left out, and it counts from now on. None for any other event."""
    try:
        address, channel = _address(service, stated.address)
    except Invalid:
        return None
    kind, text = EventKind.UNSUBSCRIBED, None
    if stated.type is EventType.REPLY and channel is Channel.SMS:
        kind, text = EventKind.REPLY, storable(stated.text or "")[:LONGEST_TEXT]
        if read_reply(text, None, service.languages).refusal is Refusal.NONE:
            return None
    elif stated.type not in _OPT_OUTS:
        return None
    # Without an id of its own that can be kept, the same item is known by what it says.
    whole = f"{stated.type}:{key_of(address)}:{stated.id}:{stated.fingerprint}"
    digest = hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()
    return Event(
        provider=provider,
        id=f"unreadable:{digest}",
        kind=kind,
        channel=channel,
        address=address,
        text=text,
    )


def _address(service: Service, text: str) -> tuple[str, Channel]:
    """Raises `Invalid`."""
    try:
        if "@" in text:
            return service.read_email(text).lower(), Channel.EMAIL
        return read_phone(text, service.region)[0], Channel.SMS
    except Invalid as problem:
        raise Invalid(problem.sentence, field="address") from None


def _sender(
    service: Service, senders: Senders, text: str | None, channel: Channel
) -> tuple[str | None, str | None]:
    """Our number and its service. The text may be a number, a service, or the id of a sender."""
    if channel is Channel.EMAIL or text is None or blank(text):
        return None, None
    text = storable(text.strip())
    group = next((group for group in senders.groups if text in (group.id, group.service)), None)
    if group is not None and kind_of(text) is None:
        return (group.number if group.numbers else None), group.service or (
            None if group.numbers else group.id
        )
    try:
        return read_phone(text, service.region)[0], None
    except Invalid:
        # A short code is a number; anything else is a messaging service that events tell of.
        return (text, None) if kind_of(text) is not None else (None, text)


def _past(service: Service, at: datetime, field: str) -> datetime:
    return past(at, service.now(), field=field, ahead=_CLOCKS_DIFFER)
