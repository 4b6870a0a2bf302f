"""Buttons that open a modal: acknowledged first, opened then, and told in private where that
fails. Roles are read anew before they are forgotten."""

from __future__ import annotations

import pytest
from slack_sdk import WebClient

from bot.consent.errors import NotAllowed
from bot.consent.model import Role
from handlers.slack.roles import AHEAD, REMEMBERED, RoleLookup, Roles
from sandbox.client import PersonClient
from sandbox.first_workspace import ANA, MANAGERS, TEAM
from tests.support.slack_fixtures import Slack, card

PHONE = "+1 415 555 0106"


@pytest.mark.parametrize("button", ["Edit", "Activity Log"])
def test_a_button_is_acknowledged_before_slack_has_opened_its_modal(
    slack: Slack, ana: PersonClient, button: str
) -> None:
    card(ana, PHONE)
    slack.workspace.fault("views.open", "timeout", seconds=1.0, times=1)
    outcome = ana.press(button)

    assert outcome.error is None
    assert outcome.ms < 1_000
    assert outcome.modal is not None


def test_a_modal_that_slack_does_not_open_is_a_private_sentence(
    slack: Slack, ana: PersonClient
) -> None:
    card(ana, PHONE)
    slack.workspace.fault("views.open", "error", error="expired_trigger_id", times=1)
    outcome = ana.press("Edit")

    assert outcome.error is None
    assert outcome.modal is None
    (told,) = outcome.messages
    assert told.is_ephemeral
    assert "Slack waited too long for that. Press it again." in told.plain


class Clock:
    """Seconds that only grow."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_role_is_read_anew_before_it_is_forgotten(slack_http: Slack) -> None:
    clock = Clock()
    workspace = slack_http.workspace
    client = WebClient(token=workspace.bot_token, base_url=workspace.api_url)
    people = RoleLookup(
        client=client, team=TEAM, roles=Roles(managers=frozenset({MANAGERS})), monotonic=clock
    )
    assert people.actor(ANA, fresh=False).role is Role.AGENT
    assert not people.ask_ahead(ANA)
    workspace.set_group("optin-managers", ["Ana"])
    clock.now = AHEAD
    assert people.ask_ahead(ANA)
    assert not people.ask_ahead(ANA)  # one asks
    people.read_ahead(ANA)
    clock.now = REMEMBERED + 1

    assert people.actor(ANA, fresh=False).role is Role.MANAGER


def test_where_slack_can_not_be_asked_ahead_the_next_one_hears_of_it(slack_http: Slack) -> None:
    clock = Clock()
    workspace = slack_http.workspace
    client = WebClient(token=workspace.bot_token, base_url=workspace.api_url)
    people = RoleLookup(client=client, team=TEAM, roles=Roles(), monotonic=clock)
    people.actor(ANA, fresh=False)
    clock.now = AHEAD
    workspace.fault("users.info", "error", error="internal_error", times=2)
    assert people.ask_ahead(ANA)
    people.read_ahead(ANA)
    assert people.actor(ANA, fresh=False).role is Role.AGENT
    clock.now = REMEMBERED

    with pytest.raises(NotAllowed):
        people.actor(ANA, fresh=False)
