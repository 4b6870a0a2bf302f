"""The buttons of an alert: view, answer, mark handled, and the settings of its channel.

The worker updates the message; the person who pressed gets a private answer at once.
"""

from __future__ import annotations

import re
from typing import Any

from slack_bolt import Ack
from slack_sdk import WebClient

from bot.consent.alerts import NEW_OWNER, Alert
from bot.consent.errors import Invalid, NotFound
from bot.consent.model import Actor
from bot.consent.permissions import Action, authorize
from bot.consent.use_cases import (
    Found,
    Profile,
    Service,
    check_request,
    completed_by_another,
    profile,
)
from bot.consent.use_cases.alerts.alert_settings import alert_settings, change_alert_settings
from bot.consent.use_cases.alerts.outbox import find_alert
from bot.consent.use_cases.alerts.reviews import REFUSAL, ReviewAnswer, answer_review, mark_handled
from bot.consent.use_cases.lists.list_state import confirm_writes, read_state
from handlers.slack import ids
from handlers.slack.after_ack import AfterAck
from handlers.slack.alerts.render.alert_text import no_opt_out
from handlers.slack.alerts.settings_modal import (
    chosen_settings,
    saved_sentence,
    settings_modal,
)
from handlers.slack.blocks.formatting import date
from handlers.slack.blocks.modal_frame import Metadata, View
from handlers.slack.blocks.request_modal import request_modal
from handlers.slack.blocks.small_modals import list_modal, message_modal, profile_modal
from handlers.slack.error_handler import saved
from handlers.slack.interaction import (
    Body,
    chosen,
    pressed,
    say,
    value,
)
from handlers.slack.metadata import read_metadata
from handlers.vocabulary import person, things

_ID = re.compile("[0-9a-f]{32}")


def view(
    ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor, after: AfterAck
) -> None:
    """The card of the contact that the alert is about; of several, a list."""
    found = _contacts(consent, _alert(consent, value(body)), actor)
    opened = profile_modal(found[0], Metadata()) if len(found) == 1 else _listed(found)
    after.show(client, body, lambda: opened)
    ack()


def ask(
    ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor, after: AfterAck
) -> None:
    """Opens the request for re-opt-in of the contact that the alert is about. Several contacts come
    as a list, because each has a consent of their own."""
    alert = _alert(consent, value(body))
    found = _contacts(consent, alert, actor)
    channel = alert.subject.channel
    if len(found) == 1:
        case = found[0].cases.get(channel)
        check_request(consent, found[0].contact, channel, case)
        other = completed_by_another(consent, found[0].contact.id, channel, actor)
        opened = request_modal(found[0], channel, Metadata(), other=other)
    else:
        opened = _listed(found)
    after.show(client, body, lambda: opened)
    ack()


def handled(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """Marks the alert as handled."""
    answer = mark_handled(consent, _alert_id(value(body)), actor)
    with saved():
        say(client, body, "Marked as handled." if answer.won else _by(answer, "Handled"))
    ack()


def review(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """Stores a person's answer to a review: an opt-out, or none."""
    refusal = pressed(body).get("action_id") == ids.REVIEW_YES
    answer = answer_review(consent, _alert_id(value(body)), refusal, actor)
    channel = answer.alert.subject.channel
    with saved():
        if not answer.won:
            word = "an opt-out" if answer.alert.follow_up.answer == REFUSAL else "no opt-out"
            say(client, body, _by(answer, f"Answered already as {word}"))
        elif answer.alert.text == NEW_OWNER:
            kept = "Saved: the number has no new owner."
            gone = f"Saved: the number has a new owner, so no more {things(channel)} are sent."
            say(client, body, gone if refusal else kept)
        elif refusal:
            say(client, body, f"Saved as an opt-out: no more {things(channel)} are sent.")
        else:
            found = _contacts(consent, answer.alert, actor)
            say(client, body, no_opt_out(channel, found))
    ack()


def confirm_lists(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """Lets Optin write to a provider's suppression lists, or believe them where it only reads."""
    provider = value(body)
    if provider not in consent.providers.by_id:
        raise Invalid(ids.OUTDATED)
    before = read_state(consent, provider)
    after = confirm_writes(consent, provider, actor)
    with saved():
        label = consent.providers.label(provider)
        told = f"Optin writes to {label}'s lists from now on."
        if not after.confirmed:
            told = f"Optin believes {label}'s lists with the next read."
        if by := before.confirmed_by or before.others_confirmed_by:
            told = f"{person(by)} had confirmed it already."
        say(client, body, told)
    ack()


def menu(
    ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor, after: AfterAck
) -> None:
    """Opens the settings of the channel that the alert is in. The menus of earlier versions had
    each of them as an item of its own."""
    alert = _alert(consent, chosen(body).partition(" ")[2])
    authorize(actor, Action.QUIET)
    settings = alert_settings(consent, alert.slack_channel)
    after.show(
        client, body, lambda: settings_modal(alert.slack_channel, settings, consent.now(), alert.id)
    )
    ack()


def saved_settings(ack: Ack, view: dict[str, Any], consent: Service, actor: Actor) -> None:
    """Stores the settings of the channel, and says what holds now."""
    alert = _alert(consent, read_metadata(view).contact)
    length, kinds, thresholds, threads = chosen_settings(view)
    settings = change_alert_settings(
        consent,
        alert.slack_channel,
        actor,
        mute_for=length,
        kinds=kinds,
        thresholds=thresholds,
        threads=threads,
    )
    with saved():
        said = saved_sentence(alert.slack_channel, settings, consent.now())
        ack(response_action="update", view=message_modal("Alert settings", said, markup=True))


def _contacts(consent: Service, alert: Alert, actor: Actor) -> list[Profile]:
    found = []
    for id in alert.subject.contacts:
        try:
            found.append(profile(consent, id, actor))
        except NotFound:
            continue  # an import was undone meanwhile
    return found


def _listed(found: list[Profile]) -> View:
    if not found:
        return message_modal("Contact", "No contact has this number or address.")
    return list_modal(Found(contacts=found, count=len(found)))


def _alert(consent: Service, value: str) -> Alert:
    id = _alert_id(value)
    alert = find_alert(consent, id)
    if alert is None:
        raise NotFound("This alert is too old: it is not kept any more.")
    return alert


def _alert_id(value: str) -> str:
    if not _ID.fullmatch(value):
        raise Invalid(ids.OUTDATED)
    return value


def _by(answer: ReviewAnswer, said: str) -> str:
    follow_up = answer.alert.follow_up
    at = f", {date(follow_up.handled_at)}" if follow_up.handled_at else ""
    return f"{said} by {person(follow_up.handled_by or '')}{at}."
