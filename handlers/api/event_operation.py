"""`POST /events`: what a program heard of messages and replies, whoever sends them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from bot.consent.api_key import Scope
from bot.consent.errors import Invalid
from bot.consent.use_cases.stated.stated_event import EventResult, EventType, StatedEvent
from bot.consent.use_cases.stated.stated_events import (
    LONGEST_FIELD,
    LONGEST_ID,
    LONGEST_TEXT,
    MOST_EVENTS,
    contacts_of,
    take_events,
)
from handlers.api.consent_messages import Moment
from handlers.api.operations import ApiMessage, ApiReply, ApiRequest, Operation
from handlers.api.problems import TITLES, unreadable


def _at_most(length: int, description: str) -> msgspec.Meta:
    """For the document. The use case checks it, since the opt-out of a wrong event counts."""
    return msgspec.Meta(description=description, extra_json_schema={"maxLength": length})


class EventAsked(ApiMessage):
    """One event of one address."""

    type: EventType
    address: Annotated[str, msgspec.Meta(description="The contact's phone number or mailbox.")]
    id: Annotated[
        str, _at_most(LONGEST_ID, "Your id of the event, the same when you send it again.")
    ]
    occurred_at: Moment
    sender: Annotated[
        str | None,
        _at_most(LONGEST_FIELD, "Our number that it went to or came from, or a sender's id."),
    ] = None
    text: Annotated[str | None, _at_most(LONGEST_TEXT, "What the contact wrote.")] = None
    bounce: Annotated[
        Literal["hard", "soft"],
        msgspec.Meta(description="Of a bounce: hard where the address does not exist."),
    ] = msgspec.field(default="soft", name="class")
    code: Annotated[str | None, _at_most(LONGEST_FIELD, "The provider's code.")] = None
    reason: Annotated[str | None, _at_most(LONGEST_FIELD, "What the code means.")] = None
    sent_at: Annotated[
        Moment | None, msgspec.Meta(description="When the message was sent that it is about.")
    ] = None
    list: Annotated[
        str | None, _at_most(LONGEST_FIELD, "The list or topic that the contact left.")
    ] = None


class EventProblem(ApiMessage):
    """Why an event was not applied."""

    title: str
    detail: str
    pointer: str


class EventTold(ApiMessage):
    """What came of one event."""

    id: str | None
    outcome: Annotated[
        Literal["applied", "duplicate", "no_effect", "error"],
        msgspec.Meta(description="duplicate: it was applied before, and nothing was changed."),
    ]
    opted_out: Annotated[
        bool,
        msgspec.Meta(description="Of an error: the opt-out in it counts all the same, from now."),
    ] = False
    error: EventProblem | None = None


class EventsTold(ApiMessage):
    """A result for each event, in their order."""

    results: list[EventTold]


_Events = Annotated[list[EventAsked], msgspec.Meta(max_length=MOST_EVENTS)]
_Items = Annotated[list[msgspec.Raw], msgspec.Meta(max_length=MOST_EVENTS)]
_item = msgspec.json.Decoder(EventAsked)


def take_stated_events(asked: ApiRequest) -> ApiReply:
    """Records what your systems heard: opt-outs, replies, bounces, complaints, deliveries.

    A wrong event has an `error` in its place, and the others are applied. If it reports an
    opt-out, and its address can be read, the opt-out counts all the same. The same id again, of the
    same type, changes nothing; another program may use the same ids. `opt_out` with a `sender` is a
    STOP to that number, and `opt_in_keyword` an UNSTOP, which is no consent.
    """
    events = [_event(bytes(item)) for item in asked.body]
    results = take_events(asked.service, events, asked.actor)
    told = [
        _told(n, event, result)
        for n, (event, result) in enumerate(zip(events, results, strict=True))
    ]
    # An id of an event may name the contact. Only a kept answer has to know whom it is about.
    contacts = contacts_of(asked.service, events) if asked.token else ()
    return ApiReply(value={"results": told}, contacts=contacts)


def _event(item: bytes) -> StatedEvent:
    """The event, as far as it can be read."""
    fingerprint = item.decode("utf-8", "replace")
    try:
        # The bytes of an item are not looked at before.
        read = _item.decode(fingerprint)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        problem = unreadable(error) if isinstance(error, msgspec.DecodeError) else None
        said = problem.detail if problem else "This is not JSON in UTF-8."
        # Where it stands comes back as the problem's field.
        wrong = Invalid(said, field=(problem.pointer or "") if problem else "")
        return _loosely(wrong, fingerprint)
    return StatedEvent(
        type=read.type,
        address=read.address,
        id=read.id,
        occurred_at=read.occurred_at,
        sender=read.sender,
        text=read.text,
        hard=read.bounce == "hard",
        code=read.code,
        reason=read.reason,
        sent_at=read.sent_at,
        scope=read.list,
        fingerprint=fingerprint,
    )


def _loosely(problem: Invalid, fingerprint: str) -> StatedEvent:
    """What is not to be lost of an event that can't be read: its type, its address, and what the
    contact wrote."""
    try:
        found = _salvage.decode(fingerprint)
    except (msgspec.DecodeError, RecursionError):
        found = _Salvaged()
    type, address, id, text = map(_plain, (found.type, found.address, found.id, found.text))
    if isinstance(address, float) and address.is_integer():
        address = int(address)
    spelled = str(type).strip().lower().replace("-", "_")
    return StatedEvent(
        type=EventType(spelled) if spelled in set(EventType) else None,
        address=str(address) if isinstance(address, str | int) else "",
        id=id if isinstance(id, str) else "",
        text=text if isinstance(text, str) else None,
        problem=problem,
        fingerprint=fingerprint,
    )


class _Salvaged(msgspec.Struct):
    """Values that are read one by one, so that none of them spoils the others."""

    type: msgspec.Raw = msgspec.Raw(b"null")
    address: msgspec.Raw = msgspec.Raw(b"null")
    id: msgspec.Raw = msgspec.Raw(b"null")
    text: msgspec.Raw = msgspec.Raw(b"null")


_salvage = msgspec.json.Decoder(_Salvaged)


def _plain(value: msgspec.Raw) -> object:
    """None for what can't be read."""
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return None


def _told(n: int, event: StatedEvent, result: EventResult) -> dict[str, Any]:
    told: dict[str, Any] = {"id": event.id or None, "outcome": result.outcome}
    if result.problem is None:
        return told
    field = result.problem.field or ""
    field = _FIELDS.get(field, field)
    pointer = field if field.startswith("/") or not field else f"/{field}"
    error = {
        "title": TITLES["invalid"],
        "detail": result.problem.public_sentence,
        "pointer": f"/{n}{pointer}",
    }
    return told | {"opted_out": result.opted_out, "error": error}


#: Names in the body that are others than in the use case.
_FIELDS = {"scope": "list"}

EVENTS = Operation(
    method="POST",
    path="/events",
    scope=Scope.EVENTS,
    summary="Report events of messages and replies",
    run=take_stated_events,
    tag="state",
    body=_Items,
    documented_body=_Events,
    example=[
        {
            "type": "opt_out",
            "address": "+14155550100",
            "sender": "+18885550199",
            "id": "msg-1",
            "occurred_at": "2026-11-03T14:02:00Z",
        }
    ],
    answers={200: EventsTold},
    idempotent=True,
)
