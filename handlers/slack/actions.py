"""Buttons, menus and selects. Each is told who presses, asks, and answers."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from slack_bolt import Ack
from slack_sdk import WebClient

from bot.consent.activity import Kind
from bot.consent.errors import Invalid
from bot.consent.model import Actor, Channel
from bot.consent.service import Service, Wish, change, profile, undo
from bot.consent.service import activity as log_page
from handlers.slack import ids
from handlers.slack.blocks import log, words
from handlers.slack.blocks.edit import edit_modal, saved_modal
from handlers.slack.blocks.frame import Metadata
from handlers.slack.blocks.modals import (
    details_modal,
    details_of,
    message_modal,
    note_modal,
    profile_modal,
    search_modal,
    why_modal,
)
from handlers.slack.blocks.text import inert
from handlers.slack.commands import RECENT, recent_page
from handlers.slack.drafts import Drafts
from handlers.slack.errors import saved
from handlers.slack.log_file import log_file
from handlers.slack.metadata import read_metadata
from handlers.slack.press import Body, pointer, pressed, show
from handlers.slack.redraw import origin, redraw
from handlers.slack.reply import SLACK_FAILED, reply

logger = logging.getLogger(__name__)


def edit(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """Opens the edit modal, in one step."""
    found = profile(consent, pointer(body).contact, actor)
    show(client, body, edit_modal(found, origin(body)))
    ack()


def view(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """From a list to the card, in a modal: the list stays."""
    found = profile(consent, pointer(body).contact, actor)
    show(client, body, profile_modal(found, Metadata()))
    ack()


def search(ack: Ack, body: Body, client: WebClient) -> None:
    """From a list that is too short to the search."""
    show(client, body, search_modal(Metadata()))
    ack()


def found(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """A contact was chosen: the search turns into the profile."""
    chosen = pressed(body).get("selected_option") or {}
    card_of = profile(consent, ids.Pointer.read(chosen.get("value")).contact, actor)
    client.views_update(
        view_id=body["view"]["id"],
        hash=body["view"]["hash"],
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
    chosen = str((pressed(body).get("selected_option") or {}).get("value", ""))
    what, _, value = chosen.partition(" ")
    at = ids.Pointer.read(value)
    where = origin(body)
    found = profile(consent, at.contact, actor)
    match what:
        case ids.REFRESH:
            if not redraw(client, found, where):
                raise Invalid("This card can't be drawn anew. Look the contact up again.")
        case ids.CLEAR_SMS | ids.CLEAR_EMAIL:
            channel = Channel.SMS if what == ids.CLEAR_SMS else Channel.EMAIL
            wish = Wish(clear_bounce=frozenset({channel}))
            outcome = change(consent, at.contact, wish, actor, version=at.version)
            with saved():
                found = profile(consent, at.contact, actor)
                notice = None
                if outcome.meanwhile:
                    notice = words.meanwhile(outcome.meanwhile, consent.now())
                show(client, body, saved_modal(found, outcome.changes, where, notice=notice))
                redraw(client, found, where)
        case ids.DETAILS:
            contact = found.contact
            where = msgspec.structs.replace(where, contact=contact.id, version=contact.version)
            show(client, body, details_modal(where, details_of(contact), adding=False))
        case ids.NOTE:
            where = msgspec.structs.replace(where, contact=found.contact.id)
            show(client, body, note_modal(where))
        case ids.WHY:
            show(client, body, why_modal(found))
        case _:
            raise Invalid(ids.OUTDATED)
    ack()


def take_back(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """Undo of one's own slip, in the modal that says what was saved."""
    channel, _, value = str(pressed(body).get("value", "")).partition(" ")
    if channel not in list(Channel):
        raise Invalid(ids.OUTDATED)
    at = ids.Pointer.read(value)
    metadata = read_metadata(body["view"])
    outcome = undo(consent, at.contact, Channel(channel), actor)
    with saved():
        found = profile(consent, at.contact, actor)
        modal = saved_modal(found, outcome.changes, metadata)
        client.views_update(view_id=body["view"]["id"], view=modal)
        redraw(client, found, metadata)
    ack()


def activity(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """Opens the Activity Log."""
    show(client, body, _log(consent, actor, Metadata(contact=pointer(body).contact)))
    ack()


def turn_log(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """Older, Newer, and the filters of the log."""
    metadata = read_metadata(body["view"])
    action = pressed(body)
    chosen = str((action.get("selected_option") or {}).get("value", ""))
    cursors = list(metadata.cursors)
    match action.get("action_id"):
        case ids.LOG_OLDER:
            cursors = [*cursors, _seq(action)][-100:]
        case ids.LOG_NEWER:
            cursors = cursors[:-1]
        case ids.LOG_CHANNEL:
            metadata = msgspec.structs.replace(metadata, channel=_filter(chosen))
            cursors = []
        case ids.LOG_KIND:
            metadata = msgspec.structs.replace(metadata, kind=_filter(chosen))
            cursors = []
    metadata = msgspec.structs.replace(metadata, cursors=cursors)
    modal = _log(consent, actor, metadata)
    client.views_update(view_id=body["view"]["id"], hash=body["view"]["hash"], view=modal)
    ack()


def export_log(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """The whole log of a contact as CSV, to one's own direct messages."""
    metadata = read_metadata(body["view"])
    contact, text = log_file(consent, metadata.contact, actor)
    waiting = message_modal("Export", "The log is on its way to your direct messages …")
    shown = client.views_push(trigger_id=body["trigger_id"], view=waiting)
    try:
        channel = client.conversations_open(users=body["user"]["id"])["channel"]["id"]
        client.files_upload_v2(
            channel=channel,
            filename="activity-log.csv",
            title="Activity Log",
            content=text,
            initial_comment=f"The Activity Log of {inert(contact.name) or 'an erased contact'}.",
        )
        said = "The log is in your direct messages with Optin, as a file."
    except SLACK_FAILED as failed:
        logger.warning("a log could not be exported: %s", type(failed).__name__)
        said = "Slack did not take the file, so nothing was sent. Try again in a minute."
    client.views_update(view_id=shown["view"]["id"], view=message_modal("Export", said))
    ack()


def turn_recent(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """The kinds and the pages of `recent`, in its own message."""
    action = pressed(body)
    before = None
    kind = str((action.get("selected_option") or {}).get("value", ""))
    if action.get("action_id") != ids.RECENT_KIND:
        before = _seq(action) or None
        kind = str(action.get("value", "")).partition(" ")[2]
    blocks = recent_page(consent, actor, kind=_filter(kind), before=before)
    if not reply(client, str(body.get("response_url") or ""), RECENT, blocks, replace=True):
        raise Invalid("This list can't be turned any more. Ask for it again.")
    ack()


def unknown(ack: Ack) -> None:
    """A button that no version of ours draws any more."""
    raise Invalid(ids.OUTDATED)


def _log(consent: Service, actor: Actor, metadata: Metadata) -> dict[str, object]:
    kinds: tuple[Kind, ...] = log.kinds(metadata.kind)
    channel = Channel(metadata.channel) if metadata.channel in list(Channel) else None
    contact, entries = log_page(
        consent,
        metadata.contact,
        actor,
        kinds=kinds,
        channel=channel,
        before=metadata.cursors[-1] if metadata.cursors else None,
        limit=log.PAGE + 1,
    )
    return log.log_modal(contact, entries[: log.PAGE], len(entries) > log.PAGE, metadata)


def _seq(action: dict[str, Any]) -> int:
    number = str(action.get("value", "")).partition(" ")[0]
    if not (number.isascii() and number.isdigit() and len(number) < 16):
        raise Invalid(ids.OUTDATED)
    return int(number)


def _filter(value: str) -> str:
    return "" if value == log.ALL else value
