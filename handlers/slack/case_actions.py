"""Re-opt-in: asked for from the card, an alert or the edit modal; decided by a button.

What a click may do is decided when it is made: the case, the role and the contact are read anew.
"""

from __future__ import annotations

import re
from datetime import timedelta

from slack_bolt import Ack
from slack_sdk import WebClient

from bot.consent.cases import Case, CaseState
from bot.consent.errors import Changed, Invalid, NotFound
from bot.consent.known_providers import KnownProviders
from bot.consent.model import Actor, Channel, Role
from bot.consent.rules import Reason
from bot.consent.use_cases import (
    CaseRequest,
    Decided,
    Service,
    all_case_details,
    approve,
    cancel,
    case_details,
    check_decider,
    check_request,
    completed_by_another,
    deny,
    find_case,
    is_subscribed_to_requests,
    profile,
    request,
    subscribe_to_requests,
)
from handlers.slack import ids
from handlers.slack.after_ack import AfterAck
from handlers.slack.alerts.render import case_progress as drawing
from handlers.slack.blocks.formatting import Block, date, spoken
from handlers.slack.blocks.modal_frame import Metadata
from handlers.slack.blocks.request_modal import (
    PAGE,
    case_modal,
    deny_modal,
    pending,
    request_modal,
    requested_modal,
)
from handlers.slack.blocks.small_modals import message_modal, profile_modal
from handlers.slack.decisions import FreshActor, with_present_role
from handlers.slack.error_handler import saved
from handlers.slack.home.home_tab import HomeTabs
from handlers.slack.interaction import Body, pointer, pressed, say, url, value, view_id
from handlers.slack.interaction import view as view_of
from handlers.slack.metadata import read_metadata
from handlers.slack.redraw import origin, redraw
from handlers.slack.response_url import reply
from handlers.slack.view_submissions import moment, typed
from handlers.vocabulary import actor as who
from handlers.vocabulary import person

_CHANGED = (
    "This contact changed meanwhile, and what you typed is kept: look whether it still holds, then "
    "send it again."
)
_ID = re.compile("[0-9a-f]{32}")
_MINUTE = timedelta(minutes=1)
_CHANNEL = {action: channel for channel, action in ids.REQUEST.items()}

#: What a case came to, after "This was already …".
_WAS: dict[CaseState, str] = {
    CaseState.APPROVED: "approved",
    CaseState.COMPLETED: "approved",
    CaseState.DENIED: "denied",
    CaseState.CANCELLED: "cancelled",
    CaseState.EXPIRED: "expired",
    CaseState.OVERTAKEN: "overtaken by a new opt-out",
}


def ask(
    ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor, after: AfterAck
) -> None:
    """Opens the request, from a card."""
    channel = _CHANNEL[pressed(body)["action_id"]]
    found = profile(consent, pointer(body).contact, actor)
    check_request(consent, found.contact, channel, found.cases.get(channel))
    other = completed_by_another(consent, found.contact.id, channel, actor)
    after.show(client, body, lambda: request_modal(found, channel, origin(body), other=other))
    ack()


def saved_request(
    ack: Ack,
    body: Body,
    client: WebClient,
    consent: Service,
    actor: Actor,
    home: HomeTabs,
) -> None:
    """The request is made; the modal says how it stands."""
    view = view_of(body)
    metadata = read_metadata(view)
    if metadata.channel not in list(Channel):
        raise Invalid(ids.OUTDATED)
    values = typed(view)
    reason = values.get("reason", "")
    wanted = CaseRequest(
        channel=Channel(metadata.channel),
        evidence=values.get("evidence", ""),
        evidence_at=moment(values.get("evidence_date", "")),
        precision=_MINUTE - timedelta(microseconds=1),
        reason=Reason[reason] if reason in Reason.__members__ else None,
        note=values.get("note") or None,
    )
    try:
        case = request(consent, metadata.contact, wanted, actor, version=metadata.version)
    except Changed:
        found = profile(consent, metadata.contact, actor)
        check_request(consent, found.contact, wanted.channel, None)
        other = completed_by_another(consent, metadata.contact, wanted.channel, actor)
        again = request_modal(
            found, wanted.channel, metadata, notice=_CHANGED, typed=values, other=other
        )
        ack(response_action="update", view=again)
        return
    with saved():
        about = case_details(consent, case.id, actor)
        steps = list(drawing.progress(about))
        opened = requested_modal(about, steps, told=about.posted, command=consent.command)
        ack(response_action="update", view=opened)
        redraw(client, consent, actor, profile(consent, metadata.contact, actor), metadata)
        home.changed(body, client, consent, actor)


def approved(  # noqa: PLR0917 - Bolt passes them by name
    ack: Ack,
    body: Body,
    client: WebClient,
    consent: Service,
    actor: Actor,
    fresh_actor: FreshActor,
    home: HomeTabs,
) -> None:
    """A manager's key."""
    case = pointer(body)
    decided = with_present_role(
        lambda by: approve(consent, case.contact, by, version=case.version), actor, fresh_actor
    )
    with saved():
        if not decided.won:
            say(client, body, _already(decided, consent.providers))
        elif decided.case.state is CaseState.COMPLETED:
            word = decided.case.channel.word
            still = drawing.still(case_details(consent, decided.case.id, actor))
            say(client, body, f"Approved: {word} On is YES. {still}".strip())
        elif decided.case.state is CaseState.APPROVED:
            missing = " and ".join(
                drawing.contact_steps(case_details(consent, decided.case.id, actor))
            )
            say(client, body, f"Approved. Still missing: {missing}.")
        else:
            say(client, body, _already(decided, consent.providers))
        _list_anew(client, consent, actor, _list_of(body))
        _modal_anew(client, body, consent, actor, decided.case.id)
        home.changed(body, client, consent, actor)
    ack()


def denying(
    ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor, after: AfterAck
) -> None:
    """Asks for the reason, unless somebody was quicker."""
    case = pointer(body)
    check_decider(consent, case.contact, actor, verb="deny")
    about = case_details(consent, case.contact, actor)
    if about.case.state is not CaseState.PENDING:
        say(client, body, _already(Decided(case=about.case, won=False), consent.providers))
    else:
        view = body.get("view")
        in_modal = isinstance(view, dict) and view.get("callback_id") == ids.CASE_MODAL
        where = view_id(body) if in_modal else ""
        after.show(client, body, lambda: deny_modal(case, about, _list_of(body), where))
    ack()


def saved_denial(  # noqa: PLR0917 - Bolt passes them by name
    ack: Ack,
    body: Body,
    client: WebClient,
    consent: Service,
    actor: Actor,
    fresh_actor: FreshActor,
    home: HomeTabs,
) -> None:
    view = view_of(body)
    metadata = read_metadata(view)
    reason = typed(view).get("reason", "")
    decided = with_present_role(
        lambda by: deny(consent, metadata.contact, reason, by, version=metadata.version),
        actor,
        fresh_actor,
    )
    with saved():
        said = _denied(decided.case, actor) if decided.won else _already(decided, consent.providers)
        ack(response_action="update", view=message_modal("Deny", said, markup=True))
        _list_anew(client, consent, actor, metadata.response_url)
        if metadata.view_id:
            about = case_details(consent, decided.case.id, actor)
            client.views_update(view_id=metadata.view_id, view=case_modal(about, Metadata()))
        home.changed(body, client, consent, actor)


def withdrawn(
    ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor, home: HomeTabs
) -> None:
    """The request is taken back."""
    decided = cancel(consent, pointer(body).contact, actor)
    with saved():
        say(
            client,
            body,
            "The request is withdrawn." if decided.won else _already(decided, consent.providers),
        )
        redraw(client, consent, actor, profile(consent, decided.case.contact, actor), origin(body))
        home.changed(body, client, consent, actor)
    ack()


def view(
    ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor, after: AfterAck
) -> None:
    """From the list to the contact's card."""
    about = case_details(consent, pointer(body).contact, actor)
    if about.contact is None:
        raise NotFound
    found = profile(consent, about.contact.id, actor)
    after.show(client, body, lambda: profile_modal(found, Metadata()))
    ack()


def more(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """The next page of what is open."""
    last = _case(consent, value(body))
    blocks = pending_page(consent, actor, after=last)
    if not reply(client, url(body), spoken(blocks), blocks, replace=True):
        raise Invalid("This list is too old. Ask for it again.")
    ack()


def by_dm(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """A manager chooses whether requests come by direct message, too."""
    wanted = value(body) == "on"
    subscribe_to_requests(consent, actor, wanted)
    with saved():
        said = "come to your direct messages, too" if wanted else "come to the channel alone"
        say(client, body, f"From now on requests {said}.")
        _list_anew(client, consent, actor, _list_of(body))
    ack()


def pending_page(consent: Service, actor: Actor, *, after: Case | None = None) -> list[Block]:
    """A page of what is open; managers may decide there."""
    found = all_case_details(consent, actor, after=after, limit=PAGE + 1)
    dm = is_subscribed_to_requests(consent, actor)
    decides = actor.role is Role.MANAGER
    return pending(found, len(found) > PAGE, reader=actor.id, decides=decides, by_dm=dm)


def _list_of(body: Body) -> str:
    """Where the list of open requests can be drawn anew, if that is what was pressed in: of all
    messages with these buttons it alone is nobody else's. Empty elsewhere."""
    return url(body) if (body.get("container") or {}).get("is_ephemeral") else ""


def _list_anew(client: WebClient, consent: Service, actor: Actor, where: str) -> None:
    """What was decided is off the list, and its buttons with it."""
    if where:
        blocks = pending_page(consent, actor)
        reply(client, where, spoken(blocks), blocks, replace=True)


def _modal_anew(client: WebClient, body: Body, consent: Service, actor: Actor, case: str) -> None:
    """The request's own modal, where the button was pressed there, and the card below it."""
    view = body.get("view")
    if not isinstance(view, dict) or view.get("callback_id") != ids.CASE_MODAL:
        return
    about, where = case_details(consent, case, actor), origin(body)
    client.views_update(view_id=view_id(body), view=case_modal(about, where))
    if about.contact is not None:
        redraw(client, consent, actor, profile(consent, about.contact.id, actor), where)


def _denied(case: Case, actor: Actor) -> str:
    """Who learns of the denial. A request from the command line has nobody in Slack."""
    if case.requested_by == actor.id or not case.requested_by.startswith("slack:"):
        return "Denied."
    return f"Denied. Optin sends {person(case.requested_by)} your reason in a direct message."


def _already(decided: Decided, providers: KnownProviders) -> str:
    case = decided.case
    said = f"This was already {_WAS.get(case.state, 'changed')}"
    by, at = case.decided_by or case.ended_by, case.decided_at or case.ended_at
    if case.state not in (CaseState.APPROVED, CaseState.COMPLETED, CaseState.DENIED):
        by, at = case.ended_by, case.ended_at
    if by:
        said += f" by {who(by, providers)}"
    return f"{said}, {date(at)}." if at else f"{said}."


def _case(consent: Service, value: str) -> Case:
    if not _ID.fullmatch(value):
        raise Invalid(ids.OUTDATED)
    return find_case(consent, value)
