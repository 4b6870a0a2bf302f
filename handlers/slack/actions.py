"""Buttons, menus and selects. Each is told who presses, asks, and answers."""

from __future__ import annotations

import msgspec
from slack_bolt import Ack
from slack_sdk import WebClient

from bot.consent.errors import Invalid
from bot.consent.model import Actor, Channel
from bot.consent.permissions import Action, authorize
from bot.consent.use_cases import Service, profile, undo
from bot.consent.use_cases.context import LookUp
from handlers.slack import error_handler, ids
from handlers.slack.after_ack import AfterAck
from handlers.slack.blocks.details_modal import details_view
from handlers.slack.blocks.edit_modal import edit_modal
from handlers.slack.blocks.formatting import date
from handlers.slack.blocks.saved_modal import saved_modal
from handlers.slack.blocks.small_modals import (
    details_modal,
    details_of,
    do_not_contact_modal,
    note_modal,
    profile_modal,
)
from handlers.slack.error_handler import saved
from handlers.slack.evidence_export import evidence_kind
from handlers.slack.home.home_tab import HomeTabs
from handlers.slack.interaction import (
    Body,
    at_home,
    chosen,
    pointer,
    pressed,
    say,
    value,
    view_id,
)
from handlers.slack.log_actions import export_of, start_export
from handlers.slack.metadata import read_metadata
from handlers.slack.redraw import opened_from, origin, redraw
from handlers.slack.sealed_values import Drafts


def edit(
    ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor, after: AfterAck
) -> None:
    """Opens the edit modal, in one step."""
    found = profile(consent, pointer(body).contact, actor)
    after.show(client, body, lambda: edit_modal(found, origin(body)))
    ack()


def view(
    ack: Ack,
    body: Body,
    client: WebClient,
    consent: Service,
    actor: Actor,
    home: HomeTabs,
) -> None:
    """From a list to the card, in a modal: the list stays."""
    found = profile(consent, pointer(body).contact, actor)
    home.after.show(client, body, lambda: profile_modal(found, opened_from(body, value(body))))
    consent.look_ups.append(LookUp(actor.id, found.contact.id))
    if at_home(body):
        home.changed(body, client, consent, actor)
    ack()


def add(ack: Ack, body: Body, client: WebClient, drafts: Drafts, after: AfterAck) -> None:
    """The form for a new contact, with the address that was asked for."""
    values = drafts.open(str(pressed(body).get("value", "")))
    after.show(client, body, lambda: details_modal(origin(body), values, adding=True))
    ack()


def more(
    ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor, after: AfterAck
) -> None:
    """The overflow menu of a card."""
    what, _, about = chosen(body).partition(" ")
    at = ids.Pointer.read(about)
    where = origin(body)
    found = profile(consent, at.contact, actor)
    match what:
        case ids.REFRESH:
            note = f"Refreshed {date(consent.now())}"
            if not redraw(client, consent, actor, found, where, note=note):
                raise Invalid("This card can't be drawn anew. Look the contact up again.")
        case ids.DETAILS:
            contact = found.contact
            where = msgspec.structs.replace(where, contact=contact.id, version=contact.version)
            after.show(
                client, body, lambda: details_modal(where, details_of(contact), adding=False)
            )
        case ids.NOTE:
            where = msgspec.structs.replace(where, contact=found.contact.id)
            after.show(client, body, lambda: note_modal(where))
        case ids.WHY:
            after.show(client, body, lambda: details_view(found, where))
        case ids.EVIDENCE:
            authorize(actor, Action.EVIDENCE)
            kind = evidence_kind(after.environment.witnesses)
            pack = export_of(body, client, consent, actor, kind, contact=found.contact.id)
            after.later(lambda: start_export(body, pack), error_handler.tell, body, client)
        case ids.FORBID:
            if found.contact.do_not_contact:
                redraw(client, consent, actor, found, where)
                raise Invalid("The contact is marked Do not contact already.")
            after.show(client, body, lambda: do_not_contact_modal(found, where))
        case _:
            raise Invalid(ids.OUTDATED)
    ack()


def details(
    ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor, after: AfterAck
) -> None:
    """Everything that the card leaves out."""
    found = profile(consent, pointer(body).contact, actor)
    after.show(client, body, lambda: details_view(found, origin(body)))
    ack()


def take_back(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """Undo of one's own slip, on the card or in the modal that says what was saved."""
    channel, _, about = value(body).partition(" ")
    if channel not in list(Channel):
        raise Invalid(ids.OUTDATED)
    at = ids.Pointer.read(about)
    outcome = undo(consent, at.contact, Channel(channel), actor)
    with saved():
        found = profile(consent, at.contact, actor)
        view = body.get("view")
        if isinstance(view, dict) and view.get("callback_id") == ids.SAVED_MODAL:
            metadata = read_metadata(view)
            modal = saved_modal(found, outcome.changes, metadata)
            client.views_update(view_id=view_id(body), view=modal)
            redraw(client, consent, actor, found, metadata)
        elif not redraw(client, consent, actor, found, origin(body)):
            say(client, body, f"Taken back: {Channel(channel).word} On is as it was.")
    ack()


def unknown(ack: Ack) -> None:
    """A button that no version of ours draws any more."""
    raise Invalid(ids.OUTDATED)
