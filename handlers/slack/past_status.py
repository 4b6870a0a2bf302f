"""*Status on…* in the Activity Log: the contact as of a past moment, in the log's own modal."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import msgspec
from slack_bolt import Ack
from slack_sdk import WebClient

from bot.consent.errors import Invalid
from bot.consent.model import Actor
from bot.consent.use_cases import Service
from bot.consent.use_cases.time_travel import TimeBasis, profile_at
from handlers.slack import ids
from handlers.slack.blocks.modal_frame import Metadata, View
from handlers.slack.blocks.past_modal import past_modal
from handlers.slack.interaction import INCOMPLETE, Body, chosen, pressed, view_id
from handlers.slack.interaction import view as view_of
from handlers.slack.log_actions import log_view
from handlers.slack.metadata import read_metadata


def open_past(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """A day was picked in the log: it means the end of that day, where the reader is."""
    try:
        day = date.fromisoformat(str(pressed(body).get("selected_date") or ""))
    except ValueError:
        raise Invalid(INCOMPLETE) from None
    now = consent.now()
    zone = consent.times.zone or UTC
    at = datetime.combine(day, time.max, zone).astimezone(UTC)
    if day == now.astimezone(zone).date():
        at = now
    metadata = msgspec.structs.replace(read_metadata(view_of(body)), at=at.isoformat(), by="")
    _update(client, body, _past(consent, actor, metadata))
    ack()


def turn_past(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """Another moment, or the other basis."""
    metadata = read_metadata(view_of(body))
    action = pressed(body)
    if action.get("action_id") == ids.PAST_BY:
        metadata = msgspec.structs.replace(metadata, by=chosen(body))
    else:
        seconds = action.get("selected_date_time")
        if not isinstance(seconds, int):
            raise Invalid(INCOMPLETE)
        at = datetime.fromtimestamp(seconds, UTC)
        metadata = msgspec.structs.replace(metadata, at=at.isoformat())
    _update(client, body, _past(consent, actor, metadata))
    ack()


def back_to_log(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """The page of the log from which the day was picked."""
    _update(client, body, log_view(consent, actor, read_metadata(view_of(body)))())
    ack()


def _update(client: WebClient, body: Body, modal: View) -> None:
    # In the log's place: three modals may be open already, and then none goes on top.
    client.views_update(view_id=view_id(body), hash=view_of(body).get("hash"), view=modal)


def _past(consent: Service, actor: Actor, metadata: Metadata) -> View:
    try:
        at = datetime.fromisoformat(metadata.at)
        by = TimeBasis(metadata.by or TimeBasis.RECORDED)
    except ValueError:
        raise Invalid(ids.OUTDATED) from None
    if at.tzinfo is None:
        raise Invalid(ids.OUTDATED)
    return past_modal(profile_at(consent, metadata.contact, at, actor, by=by), metadata)
