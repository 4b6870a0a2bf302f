"""Managers add, edit and remove the digests of channels, on top of the settings."""

from __future__ import annotations

import logging

from slack_bolt import Ack
from slack_sdk import WebClient

from bot.consent.errors import Invalid
from bot.consent.model import Actor
from bot.consent.permissions import Action, authorize
from bot.consent.use_cases import Service
from bot.consent.use_cases.alerts.digest_settings import (
    DigestEvery,
    DigestSettings,
    all_digests,
    change_digest,
)
from handlers.slack.after_ack import AfterAck
from handlers.slack.alerts.shared import is_shared
from handlers.slack.alerts.slack_errors import ErrorKind, slack_failure
from handlers.slack.blocks.formatting import inert
from handlers.slack.blocks.small_modals import message_modal
from handlers.slack.error_handler import saved
from handlers.slack.home.digest_form import (
    CHANNEL,
    add_form,
    chosen_channel,
    chosen_digest,
    digest_time,
    edit_form,
)
from handlers.slack.home.home_settings import TITLE, settings_view
from handlers.slack.home.home_tab import HomeTabs
from handlers.slack.interaction import Body, value, view_id
from handlers.slack.interaction import view as view_of
from handlers.slack.metadata import read_metadata
from handlers.slack.response_url import SLACK_FAILED

logger = logging.getLogger(__name__)

_NO_CHANNEL = "A digest goes to a channel, not to people. Choose a channel."
_NOT_IN_IT = "Optin is not in this channel. Write /invite @Optin there, then save again."
_SHARED = (
    "This channel is shared with another organisation, or an invitation to one is open. Optin "
    "posts nothing there."
)
_ARCHIVED = "This channel is archived. Choose another one."
_UNSEEN = (
    "Optin may not ask Slack about channels, so it can't tell who reads this one. Whoever runs "
    "Optin adds the scopes channels:read and groups:read."
)


def adding(
    ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor, after: AfterAck
) -> None:
    """Opens the form for another channel."""
    authorize(actor, Action.QUIET)
    digests = all_digests(consent)
    after.show(client, body, lambda: add_form(digests, consent.alert_channel, consent.times.zone))
    ack()


def editing(
    ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor, after: AfterAck
) -> None:
    """Opens the form of a channel's digest."""
    authorize(actor, Action.QUIET)
    channel = value(body)
    digest = all_digests(consent).get(channel)
    if digest is None:
        raise Invalid("This channel has no digest any more.")
    after.show(client, body, lambda: edit_form(channel, digest, consent.times.zone))
    ack()


def saved_digest(
    ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor, home: HomeTabs
) -> None:
    """Stores what was chosen, where Optin may post in the channel, and says what holds now."""
    authorize(actor, Action.QUIET)
    view = view_of(body)
    channel = read_metadata(view).slack_channel or chosen_channel(view)
    digest = chosen_digest(view)
    if (problem := _problem(client, channel)) is not None:
        raise Invalid(problem, field=CHANNEL)
    change_digest(consent, channel, digest, actor)
    with saved():
        said = f"Saved. The digest comes to <#{inert(channel)}> {digest_time(digest)}."
        ack(response_action="update", view=message_modal(TITLE, said, markup=True))
        _redraw_settings(body, client, consent, home)


def removed(
    ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor, home: HomeTabs
) -> None:
    """Takes a channel's digest away, and says so in its form."""
    channel = value(body)
    change_digest(consent, channel, DigestSettings(every=DigestEvery.OFF), actor)
    with saved():
        said = f"Removed. <#{inert(channel)}> gets no digest any more."
        client.views_update(view_id=view_id(body), view=message_modal(TITLE, said, markup=True))
        _redraw_settings(body, client, consent, home)
    ack()


def _problem(client: WebClient, slack_channel: str) -> str | None:
    """Why this channel can't have a digest. Raises what a call to Slack raises."""
    try:
        channel = client.conversations_info(channel=slack_channel).get("channel") or {}
    except SLACK_FAILED as error:
        failed = slack_failure(error)
        if failed.word == "missing_scope":
            return _UNSEEN
        if failed.trouble is ErrorKind.CHANNEL:
            return _NOT_IN_IT
        raise
    if channel.get("is_im") or channel.get("is_mpim"):
        return _NO_CHANNEL
    if is_shared(channel):
        return _SHARED
    if channel.get("is_archived"):
        return _ARCHIVED
    return None if channel.get("is_member") else _NOT_IN_IT


def _redraw_settings(body: Body, client: WebClient, consent: Service, home: HomeTabs) -> None:
    """The list below the form; what was chosen there and not saved stays."""
    below = view_of(body).get("previous_view_id")
    if not isinstance(below, str) or not below:
        return
    try:
        client.views_update(view_id=below, view=settings_view(consent, home))
    except SLACK_FAILED as error:
        logger.info("the settings could not be drawn again: %s", slack_failure(error).word)
