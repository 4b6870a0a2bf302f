"""Requests for re-opt-in: listed, made and taken back by programs, decided by people in Slack."""

from __future__ import annotations

from typing import Annotated

import msgspec

from bot.consent.api_key import Scope
from bot.consent.model import Channel
from bot.consent.use_cases import cancel
from bot.consent.use_cases.stated.stated_cases import MOST_CASES, list_cases, state_request
from handlers.api.case_messages import CaseTold
from handlers.api.consent_messages import EVIDENCE_POINTERS, EvidenceAsked
from handlers.api.operations import ApiMessage, ApiReply, ApiRequest, Operation
from handlers.api.problems import Problem
from handlers.json_shapes import case_shape

_Id = Annotated[str, msgspec.Meta(max_length=64)]


class CasesAsked(ApiMessage):
    """A page of the open requests, or of all requests of a contact."""

    contact: _Id | None = None
    after: Annotated[_Id | None, msgspec.Meta(description="The next of the page before.")] = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_CASES)] = MOST_CASES


class CasesPage(ApiMessage):
    """The open requests, the oldest first; of a contact all, the newest first."""

    cases: list[CaseTold]
    next: Annotated[
        str | None, msgspec.Meta(description="Ask for what is after this; null at the end.")
    ]


class CaseAsked(ApiMessage):
    """A request for somebody who opted out."""

    contact: _Id
    channel: Channel
    evidence: EvidenceAsked


def list_requests(asked: ApiRequest) -> ApiReply:
    """Returns the open requests for re-opt-in; with `contact`, all requests of that contact."""
    query: CasesAsked = asked.query
    cases = list_cases(
        asked.service, asked.actor, contact=query.contact, after=query.after, limit=query.limit
    )
    next = cases[-1].id if len(cases) == query.limit else None
    return ApiReply(value={"cases": [case_shape(case) for case in cases], "next": next})


def open_request(asked: ApiRequest) -> ApiReply:
    """Asks for re-opt-in, with evidence that is newer than the opt-out. A manager decides it in
    Slack: requests of programs arrive there as one message an hour."""
    body: CaseAsked = asked.body
    case = state_request(
        asked.service, body.contact, body.channel, body.evidence.stated(), asked.actor
    )
    return ApiReply(value=case_shape(case), status=201, contacts=(case.contact,))


def cancel_request(asked: ApiRequest) -> ApiReply:
    """Cancels a request that this key made."""
    done = cancel(asked.service, asked.path["id"], asked.actor)
    if not done.won:
        raise Problem(
            "refused",
            409,
            f"This request has ended already: {done.case.state}.",
            more={"case": case_shape(done.case)},
        )
    return ApiReply(value=case_shape(done.case), contacts=(done.case.contact,))


CASES = (
    Operation(
        method="GET",
        path="/cases",
        scope=Scope.READ,
        summary="Requests for re-opt-in",
        run=list_requests,
        tag="read",
        query=CasesAsked,
        answers={200: CasesPage},
    ),
    Operation(
        method="POST",
        path="/cases",
        scope=Scope.WRITE,
        summary="Ask for re-opt-in",
        run=open_request,
        tag="state",
        body=CaseAsked,
        example={
            "contact": "0199c1f2e0a100000000000a5b3c7d91",
            "channel": "email",
            "evidence": {
                "source": "checkout",
                "text": "Ticked: send me offers",
                "occurred_at": "2026-11-03T14:02:00Z",
            },
        },
        answers={201: CaseTold},
        links={"cancel_request": ("id", "/id")},
        pointers=EVIDENCE_POINTERS,
        problems=(409,),
        idempotent=True,
    ),
    Operation(
        method="POST",
        path="/cases/{id}/cancel",
        scope=Scope.WRITE,
        summary="Cancel a request",
        run=cancel_request,
        tag="state",
        answers={200: CaseTold},
        problems=(409,),
        idempotent=True,
    ),
)
