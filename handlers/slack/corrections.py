"""A manager puts right what Optin knows: an address that was taken off a provider's list, and a NO
that was recorded by mistake."""

from __future__ import annotations

from typing import Any

from slack_bolt import Ack
from slack_sdk import WebClient

from bot.consent.errors import Changed, Invalid, Refused
from bot.consent.model import Actor, Channel
from bot.consent.permissions import Action, authorize
from bot.consent.suppressions import Listing
from bot.consent.use_cases import (
    Service,
    StatusChange,
    profile,
    removed_at_provider,
    take_back,
)
from handlers.answers import answer_line, recorded
from handlers.slack import ids
from handlers.slack.after_ack import AfterAck
from handlers.slack.blocks.card_steps import steps
from handlers.slack.blocks.formatting import inert, lines
from handlers.slack.blocks.saved_modal import saved_modal
from handlers.slack.blocks.small_modals import mistake_modal
from handlers.slack.error_handler import saved
from handlers.slack.interaction import Body, pointer, say, value
from handlers.slack.metadata import read_metadata
from handlers.slack.redraw import origin, redraw
from handlers.slack.view_submissions import typed

_CHANGED = (
    "This contact changed meanwhile, and nothing was taken back. What you typed is kept: look "
    "whether it still holds, then send it again."
)


def removed(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """The address was taken off a provider's list: the entry that the card showed, and no other."""
    entry = ids.ListEntry.read(value(body))
    contact = entry.card.contact
    removed_at_provider(consent, contact, entry.name, actor, since=entry.since)
    with saved():
        found = profile(consent, contact, actor)
        provider = consent.providers.label(Listing.of(entry.name).provider)
        decision = found.decisions[Channel.EMAIL]
        missing = (step.text for step in steps(found, Channel.EMAIL))
        done = f"✓ Recorded: removed at {inert(provider)}."
        say(client, body, lines([done, answer_line(found, decision), *missing]))
        redraw(client, consent, actor, found, origin(body))
    ack()


def mistake(
    ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor, after: AfterAck
) -> None:
    """Opens the form, for whoever may send it."""
    authorize(actor, Action.TAKE_BACK)
    found = profile(consent, pointer(body).contact, actor)
    if not recorded(found.contact):
        raise Refused("No NO stands here that a person or a file recorded. Nothing was changed.")
    after.show(client, body, lambda: mistake_modal(found, origin(body)))
    ack()


def saved_mistake(
    ack: Ack, view: dict[str, Any], client: WebClient, consent: Service, actor: Actor
) -> None:
    """What was recorded by mistake is taken back; the modal says what became of it."""
    metadata = read_metadata(view)
    values = typed(view)
    if values.get("channel") not in list(Channel):
        raise Invalid(ids.OUTDATED)
    channel, reason = Channel(values["channel"]), values.get("reason", "")
    contact, newest = metadata.contact, metadata.newest
    try:
        outcome = take_back(consent, contact, channel, actor, reason=reason, newest=newest)
    except Changed:
        found = profile(consent, contact, actor)
        if not recorded(found.contact):
            raise
        again = mistake_modal(found, metadata, notice=_CHANGED, typed=values)
        ack(response_action="update", view=again)
        redraw(client, consent, actor, found, metadata)
        return
    with saved():
        found = profile(consent, contact, actor)
        changes, notice = outcome.changes, None
        if not changes:
            on = outcome.contact.consent(channel).on
            what = f"{channel.word} On"
            changes = (StatusChange(what=what, channel=channel, before=on, after=on),)
        if any(change.before == change.after for change in changes):
            notice = "The record is taken back, but something else says NO, too."
        modal = saved_modal(found, changes, metadata, notice=notice)
        ack(response_action="update", view=modal)
        redraw(client, consent, actor, found, metadata)
