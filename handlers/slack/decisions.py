"""Deciding a re-opt-in from Slack: by the role that is held once the lock is, and with a note of
whoever was refused at the door."""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.consent.errors import Invalid, NotAllowed, RoleTooOld
from bot.consent.model import Actor, Role
from bot.consent.use_cases import Decided, Service
from bot.consent.use_cases.cases.refused_tries import note_refused_try
from handlers.slack import ids
from handlers.slack.interaction import Body, pointer, view
from handlers.slack.metadata import read_metadata

#: Reads the role anew at Slack. Raises `NotAllowed`.
FreshActor = Callable[[], Actor]
#: How often the role is read anew; after that, the storage is too busy to wait for.
_TRIES = 2
_PERSON = re.compile(r"[UW][A-Z0-9]{1,20}")
_BUTTONS = {ids.APPROVE: "approve", ids.DENY: "deny"}


def with_present_role(
    decide: Callable[[Actor], Decided], actor: Actor, fresh_actor: FreshActor
) -> Decided:
    """Decides, by a role that was read right before the lock was had. Where the lock was waited
    for, the role is read anew."""
    for _ in range(_TRIES):
        try:
            return decide(actor)
        except RoleTooOld:
            actor = fresh_actor()
    return decide(actor)


def note_refused_person(service: Service, user: object, body: Body, refusal: NotAllowed) -> None:
    """Notes that somebody who may not use Optin at all tried to decide a request."""
    tried = _decision(body)
    if tried is not None and isinstance(user, str) and _PERSON.fullmatch(user):
        case, verb = tried
        actor = Actor(id=f"slack:{user}", role=Role.NOBODY, source="slack")
        note_refused_try(service, case, actor, refusal, verb=verb)


def _decision(body: Body) -> tuple[str, str] | None:
    """The case that the request decides, and the verb."""
    try:
        if body.get("type") == "view_submission":
            denies = view(body).get("callback_id") == ids.DENY_MODAL
            return (read_metadata(view(body)).contact, "deny") if denies else None
        for action in body.get("actions") or ():
            if verb := _BUTTONS.get(action.get("action_id")):
                return pointer(body).contact, verb
    except Invalid:
        pass
    return None
