"""`POST /check`: may this be sent? ApiRequest by whoever sends, before each message or list."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from bot.consent.api_key import Scope
from bot.consent.errors import Invalid
from bot.consent.model import Channel
from bot.consent.rules import RULES_VERSION
from bot.consent.use_cases import CheckedAddress, Recipient, check_recipients
from bot.consent.use_cases.time_travel import TimeBasis, check_past
from handlers.api.operations import ApiMessage, ApiReply, ApiRequest, Instant, Operation
from handlers.api.problems import TITLES, Problem, problem_of
from handlers.json_shapes import gate_shape, instant
from handlers.past_times import read_past_time

MOST_RECIPIENTS = 1_000
#: Recipients with `at` in one request: each is computed from the Activity Log.
MOST_PAST = 100
_Text = Annotated[str, msgspec.Meta(max_length=512)]
_At = Annotated[
    _Text | None,
    msgspec.Meta(
        description="As of when: a time in the past, in UTC where it names no zone, or a date, "
        "which means its end. At most 100 recipients of a list have one."
    ),
]
_By = Annotated[
    TimeBasis | None,
    msgspec.Meta(
        description="With at. recorded, the default: what Optin had recorded by then. "
        "happened: what had happened by then, also where Optin learned of it later."
    ),
]


class RecipientAsked(ApiMessage):
    """Whom a message is about to go to."""

    to: Annotated[str, msgspec.Meta(max_length=512, description="A phone number or a mailbox.")]
    channel: Channel | None = None
    sender: Annotated[
        _Text | None,
        msgspec.Meta(description="One of our senders: its id, a number of it, or its service."),
    ] = None
    at: _At = None
    by: _By = None
    ref: Annotated[_Text | None, msgspec.Meta(description="Comes back with the answer.")] = None


class CheckAsked(ApiMessage):
    """One recipient by `to`, or a list of them by `recipients`."""

    to: Annotated[_Text | None, msgspec.Meta(description="A phone number or a mailbox.")] = None
    channel: Channel | None = None
    sender: _Text | None = None
    at: _At = None
    by: _By = None
    ref: _Text | None = None
    recipients: (
        Annotated[
            list[RecipientAsked | _Text], msgspec.Meta(min_length=1, max_length=MOST_RECIPIENTS)
        ]
        | None
    ) = None


class GateTold(ApiMessage):
    """One reason why nothing may be sent."""

    code: str
    owner: str
    remedy: str
    sender: str | None = None
    sender_id: str | None = None


class RecipientProblem(ApiMessage):
    """Why there is no answer for one recipient of a list."""

    title: str
    detail: str
    pointer: str


class RecipientAnswer(ApiMessage):
    """Whether a message may be sent to one recipient. `unverified` is not yes."""

    to: str
    answer: str | None = None
    channel: Channel | None = None
    gates: list[GateTold] = msgspec.field(default_factory=list)
    contact: Annotated[
        str | None, msgspec.Meta(description="The contact's id; null where nobody is known.")
    ] = None
    version: int = 0
    ref: str | None = None
    error: RecipientProblem | None = None
    as_of: Annotated[
        int | None, msgspec.Meta(description="The place in the feed that this is as of.")
    ] = None
    at: Annotated[Instant | None, msgspec.Meta(description="As of when, where that was asked.")] = (
        None
    )
    by: TimeBasis | None = None
    rules_version: Annotated[
        int | None,
        msgspec.Meta(description="With at: the version of the rules, today's, that were applied."),
    ] = None


class CheckAnswer(ApiMessage):
    """The answers, in the order asked."""

    results: list[RecipientAnswer]
    as_of: int


def check(asked: ApiRequest) -> ApiReply:
    """Says for each recipient whether a message may be sent, why not, and who can change that.

    A recipient that can't be read has an `error` in its place, and the others are answered.
    Only the answer `yes` lets a message go. With `at`, the answer is about the past, by today's
    rules: it lets nothing go now.
    """
    body: CheckAsked = asked.body
    if body.recipients is None:
        return _one(asked, body)
    if body.to is not None or body.channel or body.sender or body.at or body.by or body.ref:
        raise Problem("invalid", 400, "Send either to, or recipients.", pointer="/recipients")
    wanted = [RecipientAsked(to=one) if isinstance(one, str) else one for one in body.recipients]
    if sum(one.at is not None for one in wanted) > MOST_PAST:
        raise Problem(
            "invalid", 400, f"Only {MOST_PAST} recipients may have at.", pointer="/recipients"
        )
    recipients = [_recipient(asked, one, f"/recipients/{n}") for n, one in enumerate(wanted)]
    answers, as_of = check_recipients(asked.service, recipients, asked.actor)
    results = [
        _told(one, recipient, answer, f"/recipients/{n}")
        for n, (one, recipient, answer) in enumerate(zip(wanted, recipients, answers, strict=True))
    ]
    return ApiReply(value={"results": results, "as_of": as_of})


def _one(asked: ApiRequest, body: CheckAsked) -> ApiReply:
    if body.to is None:
        raise Problem("invalid", 400, "The field to is missing.", pointer="/to")
    one = RecipientAsked(
        to=body.to, channel=body.channel, sender=body.sender, at=body.at, by=body.by, ref=body.ref
    )
    recipient = _recipient(asked, one, "")
    (answer,), as_of = check_recipients(asked.service, [recipient], asked.actor)
    if answer.problem:
        raise problem_of(Invalid(answer.problem, field="it"), {"it": f"/{answer.field}"})
    return ApiReply(value=_told(one, recipient, answer, "") | {"as_of": as_of})


def _recipient(asked: ApiRequest, wanted: RecipientAsked, pointer: str) -> Recipient:
    """Raises `Problem` for a time that can't be."""
    if wanted.at is None:
        if wanted.by is not None:
            raise Problem("invalid", 400, "by needs at.", pointer=f"{pointer}/by")
        return Recipient(to=wanted.to, channel=wanted.channel, sender=wanted.sender)
    try:
        at = read_past_time(wanted.at, asked.service.now())
        check_past(asked.service, at)
    except Invalid as wrong:
        raise problem_of(wrong, {"at": f"{pointer}/at"}) from None
    by = wanted.by or TimeBasis.RECORDED
    return Recipient(to=wanted.to, channel=wanted.channel, sender=wanted.sender, at=at, by=by)


def _told(
    wanted: RecipientAsked, recipient: Recipient, answer: CheckedAddress, pointer: str
) -> dict[str, Any]:
    told: dict[str, Any] = {"to": wanted.to}
    if wanted.ref is not None:
        told["ref"] = wanted.ref
    if recipient.at is not None:
        told |= {"at": instant(recipient.at), "by": recipient.by, "rules_version": RULES_VERSION}
    if answer.decision is None:
        return told | {
            "error": {
                "title": TITLES["invalid"],
                "detail": answer.problem,
                "pointer": f"{pointer}/{answer.field}",
            }
        }
    contact = answer.contact
    return told | {
        "channel": answer.channel,
        "answer": answer.decision.answer,
        "gates": [gate_shape(gate) for gate in answer.decision.gates],
        "contact": contact.id if contact else None,
        "version": contact.version if contact else 0,
    }


CHECK = Operation(
    method="POST",
    path="/check",
    scope=Scope.CHECK,
    summary="May a message be sent?",
    run=check,
    tag="ask",
    quick=lambda body: body.recipients is None and body.at is None,
    body=CheckAsked,
    example={"recipients": ["+14155550100", {"to": "ana@example.com", "ref": "42"}]},
    answers={200: (RecipientAnswer, CheckAnswer)},
)
