"""What managers set in Slack: the alerts of the alert channel, and which channels get a digest.
What was set where Optin runs is shown beside it, with the name of its setting."""

from __future__ import annotations

from slack_bolt import Ack
from slack_sdk import WebClient

from bot.consent.errors import Invalid
from bot.consent.model import Actor
from bot.consent.permissions import Action, authorize
from bot.consent.use_cases import Service
from bot.consent.use_cases.alerts.alert_settings import alert_settings, change_alert_settings
from bot.consent.use_cases.alerts.digest_settings import all_digests
from bot.consent.use_cases.alerts.first_run import send_test_alert
from handlers.slack import ids
from handlers.slack.alerts.settings_modal import (
    chosen_settings,
    saved_sentence,
    settings_blocks,
)
from handlers.slack.blocks.formatting import Block, header, section
from handlers.slack.blocks.modal_frame import Metadata, View, modal
from handlers.slack.blocks.small_modals import message_modal
from handlers.slack.error_handler import saved
from handlers.slack.home.digest_form import digest_rows
from handlers.slack.home.home_tab import HomeTabs
from handlers.slack.interaction import Body, say, states
from handlers.slack.interaction import view as view_of

TITLE = "Settings"
#: A field of the settings in versions that had one digest.
_ONE_DIGEST = "digest"


def opened(
    ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor, home: HomeTabs
) -> None:
    """Opens the settings, for managers."""
    authorize(actor, Action.QUIET)
    home.after.show(client, body, lambda: settings_view(consent, home))
    ack()


def saved_settings(
    ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor, home: HomeTabs
) -> None:
    """Stores what was chosen, and says what holds now."""
    channel = consent.alert_channel
    if channel is None:
        raise Invalid(ids.OUTDATED)
    view = view_of(body)
    if _ONE_DIGEST in states(view):
        raise Invalid(ids.OUTDATED)
    length, kinds, thresholds, threads = chosen_settings(view)
    settings = change_alert_settings(
        consent,
        channel,
        actor,
        mute_for=length,
        kinds=kinds,
        thresholds=thresholds,
        threads=threads,
    )
    with saved():
        said = saved_sentence(channel, settings, consent.now())
        ack(response_action="update", view=message_modal(TITLE, said, markup=True))
        home.changed(body, client, consent, actor)


def tested(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """Sends an alert that is about nobody, and says where."""
    channel = send_test_alert(consent, actor)
    with saved():
        say(client, body, f"A test alert is on its way to <#{channel}>: look whether it arrives.")
    ack()


def settings_view(consent: Service, home: HomeTabs) -> View:
    """As things stand."""
    channel = consent.alert_channel
    blocks: list[Block] = []
    if channel is None:
        blocks.append(section("No channel is set for alerts, so there is nothing to choose here."))
    else:
        blocks.append(header("Alerts"))
        blocks += settings_blocks(channel, alert_settings(consent, channel), consent.now())
    blocks.append(header("Digests"))
    blocks += digest_rows(all_digests(consent), home.environment.health.paused)
    blocks.append(header("Set where Optin runs"))
    rows = (f"`{name}`  {value}" for name, value in home.environment.settings)
    blocks.append(section("Change these in its environment, then start it again.", *rows))
    submit = "Save" if channel else None
    return modal(ids.HOME_SETTINGS_MODAL, TITLE, blocks, Metadata(), submit=submit)
