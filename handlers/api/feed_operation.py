"""`GET /changes`: the feed, for whoever follows what changes."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from bot.consent.api_key import Scope
from bot.consent.use_cases.feed import FeedType, changes, newest_changes, newest_place
from handlers import json_shapes
from handlers.api.operations import ApiMessage, ApiReply, ApiRequest, Instant, Operation
from handlers.api.problems import Problem
from handlers.api.read_messages import PageSize, Place

#: Seconds that a request waits at most: proxies hang up after thirty and more.
LONGEST_WAIT = 25


class ChangesAsked(ApiMessage):
    """A page of the feed."""

    after: Place = 0
    limit: PageSize = 100
    wait: Annotated[
        int,
        msgspec.Meta(
            ge=0, le=LONGEST_WAIT, description="Seconds to wait while there is nothing new."
        ),
    ] = 0
    order: Annotated[
        Literal["asc", "desc"],
        msgspec.Meta(description="desc returns the newest rows, without after and wait."),
    ] = "asc"


class AnswersTold(ApiMessage):
    """Answers at one moment: yes, no or unverified."""

    answer: Annotated[str | None, msgspec.Meta(description="That of the row's channel.")]
    sms: Annotated[str | None, msgspec.Meta(description="Null where the row does not concern it.")]
    email: str | None


class ChangeTold(ApiMessage):
    """One change of one contact. A webhook's body holds the same as its data."""

    id: str
    seq: Annotated[int, msgspec.Meta(description="The place in the feed. It only grows.")]
    type: FeedType
    contact: str | None
    external_id: str | None
    version: Annotated[int, msgspec.Meta(description="The contact's version after the change.")]
    channel: Annotated[
        str | None, msgspec.Meta(description="Null where it is about no single one.")
    ]
    sender: str | None
    before: AnswersTold
    after: AnswersTold
    erased: bool
    occurred_at: Instant
    recorded_at: Instant


class ChangesPage(ApiMessage):
    """Rows of the feed."""

    changes: list[ChangeTold]
    next: Annotated[int, msgspec.Meta(description="Ask for what is after this.")]
    more: bool


def list_changes(asked: ApiRequest) -> ApiReply:
    """Returns what changed for whom, the oldest first. Start with `after=0`, or with the `as_of` of
    a check, and go on with `next`. Nothing is left out and nothing comes twice.

    With `wait`, the answer comes as soon as there is something new. With `order=desc`, it returns
    the newest rows, the newest first, for programs that poll and remember the ids that they have
    seen.
    """
    query: ChangesAsked = asked.query
    if query.order == "desc":
        if query.after or query.wait:
            raise Problem("invalid", 400, "order=desc allows neither after nor wait.")
        page = newest_changes(asked.service, limit=query.limit)
    else:
        page = changes(asked.service, query.after, limit=query.limit)
        if query.after > page.next or (not page.rows and query.after > newest_place(asked.service)):
            raise Problem(
                "invalid",
                400,
                "The feed ends before the place in after. If an older backup was restored, read "
                "the suppressions again and follow the feed from its end.",
            )
    return ApiReply(
        value={
            "changes": [json_shapes.change(row) for row in page.rows],
            "next": page.next,
            "more": page.more,
        }
    )


CHANGES = Operation(
    method="GET",
    path="/changes",
    scope=Scope.READ,
    summary="What changed for whom",
    run=list_changes,
    tag="follow",
    query=ChangesAsked,
    answers={200: ChangesPage},
    has_nothing_new=lambda reply: not reply.value["changes"],
)
