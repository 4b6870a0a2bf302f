"""Clicks that could change nothing on screen: the answer stands where the person looks."""

from __future__ import annotations

from sandbox.client import PersonClient
from tests.support.slack_fixtures import Slack, card, opened, said


def log_as_third_modal(slack: Slack, ana: PersonClient) -> None:
    """A list of all matches, a contact's card out of it, and that contact's log on top."""
    for number in range(12):
        slack.add(f"Smith {number:02}", phone=f"+1212555{number + 100:04}")
    ana.command("/optin smith")
    opened(ana, ana.press("Search all"))
    opened(ana, ana.press("View"))
    opened(ana, ana.press("Activity Log"))
    assert [modal.title for modal in ana.modals] == ["Contacts", "Contact", "Activity Log"]


def test_an_export_from_a_third_modal_says_in_the_log_that_it_was_sent(
    slack: Slack, ana: PersonClient
) -> None:
    log_as_third_modal(slack, ana)

    log = opened(ana, ana.press("Export as CSV"))

    assert log.title == "Activity Log"
    assert "The log is in your direct messages with Optin, as a file." in log.plain
    assert "Contact added" in log.plain
    assert log.plain.index("Export as CSV") < log.plain.index("in your direct messages")
    assert [file["name"] for message in ana.dms() for file in message.files] == ["activity-log.csv"]


def test_a_second_export_from_there_says_so_once(slack: Slack, ana: PersonClient) -> None:
    log_as_third_modal(slack, ana)
    ana.press("Export as CSV")

    log = opened(ana, ana.press("Export as CSV"))

    assert log.plain.count("in your direct messages") == 1


def test_a_sentence_about_a_failure_in_a_third_modal_stands_in_it(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")
    log_as_third_modal(slack_http, ana)
    slack_http.workspace.fault("views.update", "error", error="hash_conflict")

    log = opened(ana, ana.choose("log_kind", "Notes"))

    assert log.title == "Activity Log"
    assert "This window has moved on meanwhile." in log.plain
    assert ana.dms() == []


def test_a_card_says_that_it_was_refreshed_though_nothing_changed(
    slack: Slack, ana: PersonClient
) -> None:
    card(ana, "ana@example.com")

    ana.overflow("Refresh")

    assert "Refreshed Nov 3, 2026, 9:02 AM" in ana.messages()[-1].plain


def test_a_card_in_a_modal_says_so_too(slack: Slack, ana: PersonClient) -> None:
    answer = ana.command("/optin ana")
    opened(ana, ana.press("View", in_=answer.messages[0]))

    modal = opened(ana, ana.overflow("Refresh"))

    assert modal.plain.count("Refreshed Nov 3, 2026, 9:02 AM") == 1


def test_the_button_for_direct_messages_changes_when_it_is_pressed(slack_http: Slack) -> None:
    lee = slack_http.person("Lee")
    pending = lee.command("/optin pending")
    assert "Send me requests" in pending.messages[0].buttons

    assert "come to your direct messages, too" in said(lee.press("Send me requests"))

    assert "Stop direct messages" in lee.messages()[-2].buttons + lee.messages()[-1].buttons
