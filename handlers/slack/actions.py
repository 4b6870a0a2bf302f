"""Buttons, menus and selects. Each is told who presses, asks, and answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
from slack_bolt import Ack
from slack_sdk import WebClient

from bot.consent.errors import Invalid
from bot.consent.model import Actor, Channel
from bot.consent.use_cases import Service, StatusUpdate, change, contact_log, profile, undo
from handlers.entry_lines import meanwhile
from handlers.slack import ids, log_export
from handlers.slack.blocks import activity_page
from handlers.slack.blocks.edit_modal import edit_modal, saved_modal
from handlers.slack.blocks.modal_frame import Metadata
from handlers.slack.blocks.small_modals import (
    details_modal,
    details_of,
    message_modal,
    note_modal,
    profile_modal,
    search_modal,
    why_modal,
)
from handlers.slack.commands import recent_page
from handlers.slack.corrections import ask_what_was_wrong
from handlers.slack.error_handler import saved
from handlers.slack.interaction import Body, chosen, pointer, pressed, show, user, value, view_id
from handlers.slack.interaction import view as view_of
from handlers.slack.metadata import read_metadata
from handlers.slack.redraw import opened_from, origin, redraw
from handlers.slack.response_url import reply
from handlers.slack.sealed_values import Drafts


def edit(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """Opens the edit modal, in one step."""
    found = profile(consent, pointer(body).contact, actor)
    show(client, body, edit_modal(found, origin(body)))
    ack()


def view(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """From a list to the card, in a modal: the list stays."""
    found = profile(consent, pointer(body).contact, actor)
    show(client, body, profile_modal(found, opened_from(body, value(body))))
    ack()


def search(ack: Ack, body: Body, client: WebClient) -> None:
    """From a list that is too short to the search."""
    show(client, body, search_modal(Metadata()))
    ack()


def found(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """A contact was chosen: the search turns into the profile."""
    card_of = profile(consent, ids.Pointer.read(chosen(body)).contact, actor)
    client.views_update(
        view_id=view_id(body),
        hash=view_of(body).get("hash"),
        view=profile_modal(card_of, Metadata()),
    )
    ack()


def add(ack: Ack, body: Body, client: WebClient, drafts: Drafts) -> None:
    """The form for a new contact, with the address that was asked for."""
    values = drafts.open(str(pressed(body).get("value", "")))
    show(client, body, details_modal(origin(body), values, adding=True))
    ack()


def more(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """The overflow menu of a card."""
    what, _, about = chosen(body).partition(" ")
    at = ids.Pointer.read(about)
    where = origin(body)
    found = profile(consent, at.contact, actor)
    match what:
        case ids.REFRESH:
            if not redraw(client, consent, actor, found, where):
                raise Invalid("This card can't be drawn anew. Look the contact up again.")
        case ids.CLEAR_SMS | ids.CLEAR_EMAIL:
            channel = Channel.SMS if what == ids.CLEAR_SMS else Channel.EMAIL
            wish = StatusUpdate(clear_bounce=frozenset({channel}))
            outcome = change(consent, at.contact, wish, actor, version=at.version)
            with saved():
                found = profile(consent, at.contact, actor)
                notice = None
                if outcome.meanwhile:
                    notice = meanwhile(outcome.meanwhile, consent.now(), consent.providers)
                show(client, body, saved_modal(found, outcome.changes, where, notice=notice))
                redraw(client, consent, actor, found, where)
        case ids.DETAILS:
            contact = found.contact
            where = msgspec.structs.replace(where, contact=contact.id, version=contact.version)
            show(client, body, details_modal(where, details_of(contact), adding=False))
        case ids.NOTE:
            where = msgspec.structs.replace(where, contact=found.contact.id)
            show(client, body, note_modal(where))
        case ids.WHY:
            show(client, body, why_modal(found))
        case ids.MISTAKE:
            ask_what_was_wrong(client, body, found, actor)
        case _:
            raise Invalid(ids.OUTDATED)
    ack()


def take_back(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """Undo of one's own slip, in the modal that says what was saved."""
    channel, _, about = value(body).partition(" ")
    if channel not in list(Channel):
        raise Invalid(ids.OUTDATED)
    at = ids.Pointer.read(about)
    metadata = read_metadata(view_of(body))
    outcome = undo(consent, at.contact, Channel(channel), actor)
    with saved():
        found = profile(consent, at.contact, actor)
        modal = saved_modal(found, outcome.changes, metadata)
        client.views_update(view_id=view_id(body), view=modal)
        redraw(client, consent, actor, found, metadata)
    ack()


def activity(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """Opens the Activity Log."""
    show(client, body, _log(consent, actor, Metadata(contact=pointer(body).contact)))
    ack()


def turn_log(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """Older, Newer, and the filters of the log."""
    metadata = read_metadata(view_of(body))
    action = pressed(body)
    wanted = chosen(body)
    cursors = list(metadata.cursors)
    match action.get("action_id"):
        case ids.LOG_OLDER:
            cursors = [*cursors, _seq(action)][-100:]
        case ids.LOG_NEWER:
            cursors = cursors[:-1]
        case ids.LOG_CHANNEL:
            metadata = msgspec.structs.replace(metadata, channel=_filter(wanted))
            cursors = []
        case ids.LOG_KIND:
            metadata = msgspec.structs.replace(metadata, kind=_filter(wanted))
            cursors = []
    metadata = msgspec.structs.replace(metadata, cursors=cursors)
    modal = _log(consent, actor, metadata)
    client.views_update(view_id=view_id(body), hash=view_of(body).get("hash"), view=modal)
    ack()


def export_log(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """The whole log of a contact as CSV, to one's own direct messages: acknowledged first."""
    contact = read_metadata(view_of(body)).contact
    profile(consent, contact, actor)
    shown = show(client, body, _exporting())
    _export(body, client, consent, actor, contact=contact, view_id=shown).start()
    ack()


def export_again(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """The same once more, by somebody who has looked."""
    contact = read_metadata(view_of(body)).contact
    profile(consent, contact, actor)
    client.views_update(view_id=view_id(body), view=_exporting())
    export = _export(body, client, consent, actor, contact=contact, view_id=view_id(body))
    replace(export, anyway=True).start()
    ack()


def turn_recent(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """The kinds and the pages of `recent`, in its own message."""
    action = pressed(body)
    before = None
    kind = chosen(body)
    if action.get("action_id") != ids.RECENT_KIND:
        before = _seq(action) or None
        kind = str(action.get("value", "")).partition(" ")[2]
    text, blocks = recent_page(consent, actor, kind=_filter(kind), before=before)
    if not reply(client, str(body.get("response_url") or ""), text, blocks, replace=True):
        raise Invalid("This list can't be turned any more. Ask for it again.")
    ack()


def unknown(ack: Ack) -> None:
    """A button that no version of ours draws any more."""
    raise Invalid(ids.OUTDATED)


def _exporting() -> dict[str, object]:
    return message_modal(log_export.TITLE, "The log is on its way to your direct messages …")


def _export(
    body: Body, client: WebClient, consent: Service, actor: Actor, *, contact: str, view_id: str
) -> log_export.Export:
    return log_export.Export(
        client=client,
        consent=consent,
        actor=actor,
        user=user(body),
        contact=contact,
        view_id=view_id,
    )


def _log(consent: Service, actor: Actor, metadata: Metadata) -> dict[str, object]:
    channel = Channel(metadata.channel) if metadata.channel in list(Channel) else None
    contact, page = contact_log(
        consent,
        metadata.contact,
        actor,
        kinds=activity_page.kinds(metadata.kind),
        channel=channel,
        before=metadata.cursors[-1] if metadata.cursors else None,
        limit=activity_page.PAGE,
        every=activity_page.wants_every(metadata.kind),
    )
    return activity_page.log_modal(contact, page, metadata, consent.providers)


def _seq(action: dict[str, Any]) -> int:
    number = str(action.get("value", "")).partition(" ")[0]
    if not (number.isascii() and number.isdigit() and len(number) < 16):
        raise Invalid(ids.OUTDATED)
    return int(number)


def _filter(value: str) -> str:
    return "" if value == activity_page.ALL else value
