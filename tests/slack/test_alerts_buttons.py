"""The buttons of alerts, pressed by people in the workspace, with the worker beside the server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.consent.model import Channel, ConsentValue
from bot.consent.use_cases.alerts.alert_settings import alert_settings
from bot.consent.use_cases.alerts.reviews import mark_handled
from bot.consent.use_cases.ingest import ingest
from sandbox.client import ShownMessage
from sandbox.first_workspace import ALERTS
from tests.support.alerts_fixtures import reply
from tests.support.consent_fixtures import MANAGER
from tests.support.slack_fixtures import Slack, opened, said, started

PHONE = "+14155550142"


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[Slack]:
    with started(tmp_path, "http", OPTIN_ALERT_CHANNEL=ALERTS) as slack:
        slack.add("Nia Canary", phone=PHONE)
        yield slack


def alerts(slack: Slack) -> list[ShownMessage]:
    return slack.person("Lee").messages("#optin-alerts")


def told(slack: Slack, text: str) -> ShownMessage:
    """The alert after a text from a contact."""
    ingest(slack.service, [reply(text, PHONE)])
    slack.workspace.wait_until(lambda: bool(alerts(slack)))
    return alerts(slack)[-1]


def shows(slack: Slack, words: str) -> bool:
    slack.workspace.wait_until(lambda: words in alerts(slack)[0].plain)
    return True


def test_view_opens_the_card_with_everything(slack: Slack) -> None:
    message = told(slack, "STOP")
    ana = slack.person("Ana")
    ana.press("View", in_=message)
    modal = ana.modal

    assert "Nia Canary" not in message.plain
    assert modal is not None
    assert "Nia Canary" in modal.plain
    assert "415-555-0142" in modal.plain


def test_view_of_a_shared_number_lists_who_has_it(slack: Slack) -> None:
    slack.add("Leo Canary", phone=PHONE)
    ana = slack.person("Ana")
    ana.press("View", in_=told(slack, "STOP"))
    modal = ana.modal

    assert modal is not None
    assert "Nia Canary" in modal.plain
    assert "Leo Canary" in modal.plain


def test_handled_is_said_in_the_message_and_in_private(slack: Slack) -> None:
    message = told(slack, "STOP")
    alert = message.button("Mark handled")[1]["value"]
    first = slack.person("Ana").press("Mark handled", in_=message)
    assert shows(slack, "Handled by")
    second = mark_handled(slack.service, alert, MANAGER)

    assert "Marked as handled." in said(first)
    assert not second.won
    assert alerts(slack)[0].buttons == ["View", "Request re-opt-in"]


def test_an_answer_changes_the_contact_the_message_and_the_log(slack: Slack) -> None:
    message = told(slack, "please take me off your list")
    outcome = slack.person("Ana").press("It was an opt-out", in_=message, confirm=True)

    assert "Saved as an opt-out" in said(outcome)
    assert slack.find(PHONE).consent(Channel.SMS).on is ConsentValue.NO
    assert shows(slack, "It was an opt-out: no more texts are sent to number ending 0142.")
    assert alerts(slack)[0].buttons == ["View", "Request re-opt-in"]
    assert slack.problems() is None


def test_it_was_not_lets_messages_go_again(slack: Slack) -> None:
    message = told(slack, "please take me off your list")
    slack.person("Ana").press("It was not", in_=message, confirm=True)

    with slack.service.store.reading() as records:
        assert records.addresses.get(PHONE).hold is None
    assert shows(slack, "It was not an opt-out: the pause for number ending 0142 is over.")


def test_a_guest_is_refused_in_private(slack: Slack) -> None:
    message = told(slack, "please take me off your list")
    slack.workspace.make_guest("Ben")
    outcome = slack.person("Ben").press("It was not", in_=message, confirm=True)

    assert "full members" in said(outcome)
    with slack.service.store.reading() as records:
        assert records.addresses.get(PHONE).hold is not None


def test_a_manager_mutes_and_chooses_kinds(slack: Slack) -> None:
    message = told(slack, "STOP")
    lee = slack.person("Lee")
    lee.overflow("Alert settings", in_=message)
    lee.choose("Mute", "For 2 hours")
    assert "are muted until" in opened(lee, lee.submit()).plain
    assert alert_settings(slack.service, ALERTS).until is not None
    lee.close(whole=True)
    lee.overflow("Alert settings", in_=message)
    lee.choose("Mute", "Unmute")
    lee.submit()
    assert alert_settings(slack.service, ALERTS).until is None
    lee.close(whole=True)
    lee.overflow("Alert settings", in_=message)
    assert lee.modal is not None
    assert len(lee.modal.fields["Kinds"]) == 7
    lee.choose("Kinds", "Bounces", "Opt-outs by text")
    lee.submit()

    assert alert_settings(slack.service, ALERTS).off == {
        "unsubscribe",
        "unstop",
        "unread",
        "drift",
        "unknown",
    }


def test_an_agent_does_not_get_the_alert_settings(slack: Slack) -> None:
    message = told(slack, "STOP")
    ana = slack.person("Ana")
    outcome = ana.overflow("Alert settings", in_=message)

    assert "Only a manager can change the alert settings of a channel." in said(outcome)
    assert all(shown.is_ephemeral for shown in outcome.messages)
    assert ana.modal is None


def test_no_button_carries_more_than_an_opaque_id(slack: Slack) -> None:
    message = told(slack, "please take me off your list")
    values = [
        element["value"]
        for block in message.blocks
        if block["type"] == "actions"
        for element in block["elements"]
    ]

    assert len(values) == 3
    assert all(len(value) == 32 and PHONE[2:] not in value for value in values)


def test_the_bot_answers_while_slack_takes_no_alerts(slack: Slack) -> None:
    """Suppression never waits for Slack."""
    slack.workspace.fault("chat.postMessage", "timeout", seconds=5)
    ingest(slack.service, [reply("STOP", PHONE)])
    slack.workspace.wait_until(
        lambda: any(c["method"] == "chat.postMessage" for c in slack.workspace.journal())
    )
    ingest(slack.service, [reply("please stop", PHONE), reply("UNSTOP", PHONE)])
    ana = slack.person("Ana")

    assert "Activity Log" in said(ana.command(f"/optin {PHONE}"))


@pytest.mark.parametrize(
    ("button", "leads_to"),
    [
        (
            "It was an opt-out",
            "No more texts are sent to number ending 0142. Only a re-opt-in that a manager approves "
            "brings them back.",
        ),
        (
            "It was not",
            "The pause for number ending 0142 ends, and texts are sent again if nothing else is in "
            "the way. The log stores that you decided this.",
        ),
    ],
)
def test_an_answer_says_what_it_leads_to_before_it_counts(
    slack: Slack, button: str, leads_to: str
) -> None:
    message = told(slack, "please take me off your list")
    confirm = message.button(button)[1]["confirm"]
    head = slack.head()
    slack.person("Ana").press(button, in_=message, confirm=False)

    assert confirm["text"]["text"] == leads_to
    assert all(len(confirm[name]["text"]) <= 24 for name in ("title", "confirm", "deny"))
    assert slack.head() == head
