"""Buttons of the Activity Log: its pages, and its exports as files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec
from slack_bolt import Ack
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.consent.errors import Invalid
from bot.consent.model import Actor, Channel
from bot.consent.permissions import Action, authorize
from bot.consent.use_cases import Service, contact_log, profile
from handlers.slack import error_handler, ids
from handlers.slack.after_ack import AfterAck
from handlers.slack.alerts.slack_errors import slack_failure
from handlers.slack.blocks import activity_page
from handlers.slack.blocks.modal_frame import Metadata, View
from handlers.slack.blocks.small_modals import message_modal
from handlers.slack.commands import recent_page
from handlers.slack.evidence_export import evidence_kind
from handlers.slack.file_export import Export, ExportKind
from handlers.slack.interaction import (
    Body,
    chosen,
    pointer,
    pressed,
    show,
    user,
    view_id,
)
from handlers.slack.interaction import view as view_of
from handlers.slack.log_export import LOG
from handlers.slack.metadata import read_metadata
from handlers.slack.noted_view import note_below, pressed_block
from handlers.slack.response_url import reply

#: What Slack says where three modals are open.
_FULL = "push_limit_reached"
_ON_ITS_WAY = "{file} is on its way to your direct messages …"


def activity(
    ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor, after: AfterAck
) -> None:
    """Opens the Activity Log."""
    after.show(client, body, log_view(consent, actor, Metadata(contact=pointer(body).contact)))
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
    modal = log_view(consent, actor, metadata)()
    client.views_update(view_id=view_id(body), hash=view_of(body).get("hash"), view=modal)
    ack()


def export_log(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """The whole log of a contact as CSV, to one's own direct messages: acknowledged first."""
    contact = read_metadata(view_of(body)).contact
    profile(consent, contact, actor)
    start_export(body, export_of(body, client, consent, actor, LOG, contact=contact))
    ack()


def export_again(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """The same once more, by somebody who has looked."""
    contact = read_metadata(view_of(body)).contact
    profile(consent, contact, actor)
    _again(body, export_of(body, client, consent, actor, LOG, contact=contact))
    ack()


def evidence_again(
    ack: Ack,
    body: Body,
    client: WebClient,
    consent: Service,
    actor: Actor,
    after: AfterAck,
) -> None:
    """The same for an evidence pack."""
    authorize(actor, Action.EVIDENCE)
    contact = pointer(body).contact
    profile(consent, contact, actor)
    kind = evidence_kind(after.environment.witnesses)
    pack = export_of(body, client, consent, actor, kind, contact=contact)
    after.later(lambda: _again(body, pack), error_handler.tell, body, client)
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


def start_export(body: Body, export: Export) -> None:
    """In a modal of its own, or in the one that was pressed in where no other fits on top."""
    try:
        export = replace(export, view_id=show(export.client, body, _progress(export)))
    except SlackApiError as error:
        if slack_failure(error).word != _FULL:
            raise
        export = _in_the_modal(body, export)
    export.start()


def _again(body: Body, export: Export) -> None:
    export = replace(export, view_id=view_id(body), anyway=True)
    if view_of(body).get("callback_id") == ids.WHY_MODAL:
        export.client.views_update(view_id=export.view_id, view=_progress(export))
    else:
        export = _in_the_modal(body, export)
    export.start()


def _progress(export: Export) -> dict[str, object]:
    return message_modal(export.kind.title, _ON_ITS_WAY.format(file=export.kind.file))


def _in_the_modal(body: Body, export: Export) -> Export:
    """The export, which says in the modal itself how far it is: no other one fits on top."""
    note_below(export.client, body, _ON_ITS_WAY.format(file=export.kind.file))
    below = pressed_block(body)
    return replace(export, view_id=view_id(body), under=view_of(body), below=below)


def export_of(
    body: Body,
    client: WebClient,
    consent: Service,
    actor: Actor,
    kind: ExportKind,
    *,
    contact: str,
) -> Export:
    return Export(
        kind=kind,
        client=client,
        consent=consent,
        actor=actor,
        user=user(body),
        contact=contact,
        view_id="",
    )


def log_view(consent: Service, actor: Actor, metadata: Metadata) -> Callable[[], View]:
    """The page is read at once; what is returned draws it."""
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
    return partial(activity_page.log_modal, contact, page, metadata, consent.providers)


def _seq(action: dict[str, Any]) -> int:
    number = str(action.get("value", "")).partition(" ")[0]
    if not (number.isascii() and number.isdigit() and len(number) < 16):
        raise Invalid(ids.OUTDATED)
    return int(number)


def _filter(value: str) -> str:
    return "" if value == activity_page.ALL else value
