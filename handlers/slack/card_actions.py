"""The buttons beside a card's steps, and its Opt out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from slack_bolt import Ack
from slack_sdk import WebClient

from bot.consent.errors import Changed, Invalid, NotFound
from bot.consent.model import Actor, Bounce, Channel, ConsentValue, Origin
from bot.consent.permissions import Action, authorize
from bot.consent.use_cases import (
    Profile,
    Service,
    StatusUpdate,
    UpdateResult,
    case_details,
    change,
    check_clear_bounce,
    profile,
)
from bot.consent.use_cases.alerts.held_replies import answer_hold
from handlers import vocabulary
from handlers.answers import answer_line
from handlers.entry_lines import meanwhile
from handlers.slack import ids
from handlers.slack.after_ack import AfterAck
from handlers.slack.alerts.render.alert_text import no_opt_out
from handlers.slack.blocks.details_modal import details_view
from handlers.slack.blocks.edit_modal import edit_modal
from handlers.slack.blocks.formatting import date, lines
from handlers.slack.blocks.modal_frame import Metadata, View
from handlers.slack.blocks.request_modal import case_modal
from handlers.slack.blocks.saved_modal import saved_modal
from handlers.slack.blocks.small_modals import (
    clear_modal,
    details_modal,
    details_of,
    do_not_contact_modal,
)
from handlers.slack.error_handler import saved
from handlers.slack.interaction import Body, chosen, pointer, pressed, say, value, view_id
from handlers.slack.interaction import view as view_of
from handlers.slack.metadata import read_metadata
from handlers.slack.redraw import origin, redraw
from handlers.slack.view_submissions import typed

_BY_ACTION = {ids.CLEAR[channel]: channel for channel in Channel} | {
    ids.RECORD[channel]: channel for channel in Channel
}


def opt_out(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """The contact asked for it: at once, on the card that was pressed."""
    what, _, about = chosen(body).partition(" ")
    if what not in (*Channel, "both"):
        raise Invalid(ids.OUTDATED)
    at = ids.Pointer.read(about)
    contact = profile(consent, at.contact, actor).contact
    # An address that is gone meanwhile does not hold up the other opt-out.
    there = [c for c in Channel if what in (c, "both") and (what == c or contact.address(c))]
    no = ConsentValue.NO
    wish = StatusUpdate(
        sms=no if Channel.SMS in there else None,
        email=no if Channel.EMAIL in there else None,
        by=Origin.CONTACT,
    )
    outcome = change(consent, at.contact, wish, actor)
    with saved():
        _shown(client, body, consent, actor, profile(consent, at.contact, actor), outcome)
    ack()


def _shown(
    client: WebClient,
    body: Body,
    consent: Service,
    actor: Actor,
    found: Profile,
    outcome: UpdateResult,
) -> None:
    """On the card; where that can't be drawn anew, in a private sentence."""
    if redraw(client, consent, actor, found, origin(body)):
        return
    made = [f"✓ {one.what}: {one.before} → {one.after}" for one in outcome.changes]
    answers = (answer_line(found, decision) for decision in found.decisions.values())
    say(client, body, lines([*(made or ["Nothing was changed: it is so already."]), *answers]))


def clear(
    ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor, after: AfterAck
) -> None:
    """Asks for the reason and the evidence."""
    channel, contact = _BY_ACTION[pressed(body)["action_id"]], pointer(body).contact
    check_clear_bounce(consent, contact, channel, actor)
    found = profile(consent, contact, actor)
    after.show(client, body, lambda: clear_modal(found, channel, origin(body)))
    ack()


def saved_clear(
    ack: Ack, view: dict[str, Any], client: WebClient, consent: Service, actor: Actor
) -> None:
    metadata = read_metadata(view)
    if metadata.channel not in list(Channel):
        raise Invalid(ids.OUTDATED)
    values = typed(view)
    channel = Channel(metadata.channel)
    wish = StatusUpdate(
        clear_bounce=frozenset({channel}),
        reason=values.get("reason") or None,
        evidence=values.get("evidence") or None,
    )
    _save(
        ack,
        client,
        consent,
        actor,
        metadata,
        wish,
        again=lambda found, notice: clear_modal(
            found, channel, metadata, notice=notice, typed=values
        ),
    )


def do_not_contact(
    ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor, after: AfterAck
) -> None:
    """Asks a manager why it is lifted."""
    authorize(actor, Action.LIFT_DO_NOT_CONTACT)
    found = profile(consent, pointer(body).contact, actor)
    if not found.contact.do_not_contact:
        redraw(client, consent, actor, found, origin(body))
        raise Changed("Do not contact was lifted meanwhile. Nothing was changed.")
    after.show(client, body, lambda: do_not_contact_modal(found, origin(body)))
    ack()


def saved_do_not_contact(
    ack: Ack, view: dict[str, Any], client: WebClient, consent: Service, actor: Actor
) -> None:
    metadata = read_metadata(view)
    reason = typed(view).get("reason") or None
    wish = StatusUpdate(do_not_contact=metadata.kind == ids.FORBID, reason=reason)
    _save(
        ack,
        client,
        consent,
        actor,
        metadata,
        wish,
        again=lambda found, notice: do_not_contact_modal(
            found, metadata, notice=notice, reason=reason or ""
        ),
    )


def _save(
    ack: Ack,
    client: WebClient,
    consent: Service,
    actor: Actor,
    metadata: Metadata,
    wish: StatusUpdate,
    *,
    again: Callable[[Profile, str], View],
) -> None:
    """Saves a form of one card; `again` draws it for somebody who was overtaken, with what they
    typed."""
    outcome = change(consent, metadata.contact, wish, actor, version=metadata.version)
    with saved():
        found = profile(consent, metadata.contact, actor)
        notice = None
        if outcome.meanwhile and outcome.left:
            notice = meanwhile(outcome.meanwhile, consent.now(), consent.providers)
        if notice and _still_asked(found, wish):
            kept = "What you typed is kept below: look, then send it again."
            modal = again(found, f"{notice} {kept}")
        else:
            modal = saved_modal(found, outcome.changes, metadata, notice=notice)
        ack(response_action="update", view=modal)
        redraw(client, consent, actor, found, metadata)


def _still_asked(found: Profile, wish: StatusUpdate) -> bool:
    """Whether what was not done can be done yet."""
    if wish.do_not_contact is not None:
        return found.contact.do_not_contact != wish.do_not_contact
    facts = (found.facts.get(channel) for channel in wish.clear_bounce)
    return any(one is not None and one.bounce is Bounce.YES for one in facts)


def record(
    ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor, after: AfterAck
) -> None:
    """The edit modal with YES chosen: the evidence is what is missing."""
    channel = _BY_ACTION[pressed(body)["action_id"]]
    found = profile(consent, pointer(body).contact, actor)
    after.show(
        client, body, lambda: edit_modal(found, origin(body), typed={f"{channel}_on": "YES"})
    )
    ack()


def put_in(
    ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor, after: AfterAck
) -> None:
    """The contact's details, for a number or an address that works."""
    contact = profile(consent, pointer(body).contact, actor).contact
    where = origin(body)
    where = msgspec.structs.replace(where, contact=contact.id, version=contact.version)
    after.show(client, body, lambda: details_modal(where, details_of(contact), adding=False))
    ack()


def hold(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """Stores a person's reading of the reply that holds the messages."""
    held = ids.HoldPointer.read(value(body))
    contact, channel = held.card.contact, held.channel
    refusal = pressed(body).get("action_id") == ids.HOLD_YES
    answer = answer_hold(consent, contact, channel, refusal, actor, since=held.since)
    with saved():
        found = profile(consent, contact, actor)
        where = origin(body)
        redrawn = redraw(client, consent, actor, found, where)
        view = body.get("view")
        if isinstance(view, dict) and view.get("callback_id") == ids.WHY_MODAL:
            client.views_update(view_id=view_id(body), view=details_view(found, where))
        if not answer.won:
            word = "an opt-out" if answer.refusal else "no opt-out"
            by = vocabulary.actor(answer.by, consent.providers)
            say(client, body, f"Answered already as {word} by {by}, {date(answer.at)}.")
        elif not redrawn:
            things = vocabulary.things(channel)
            said = f"Saved as an opt-out: no more {things} are sent."
            say(client, body, said if refusal else no_opt_out(channel, [found]))
    ack()


def decide(
    ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor, after: AfterAck
) -> None:
    """Opens the request with Approve and Deny, for whoever may decide it."""
    authorize(actor, Action.DECIDE)
    about = case_details(consent, pointer(body).contact, actor)
    if about.contact is None:
        raise NotFound
    after.show(client, body, lambda: case_modal(about, origin(body)))
    ack()


def touched(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """A dropdown of the edit modal was changed: the form asks for what that needs, and keeps what
    was typed."""
    view = view_of(body)
    metadata = read_metadata(view)
    found = profile(consent, metadata.contact, actor)
    modal = edit_modal(found, metadata, typed=typed(view), keep=True)
    # Without the hash: of two quick choices the second was made on the first one's form, and what
    # stands in the fields stays by their ids.
    client.views_update(view_id=view_id(body), view=modal)
    ack()
