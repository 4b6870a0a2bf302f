"""Who may do what in Slack, read at Slack itself; and what happens when it can't be read."""

from __future__ import annotations

from typing import Any

import pytest

from bot.consent.model import ConsentValue
from sandbox.client import PersonClient
from sandbox.first_workspace import BEN, LEE, MANAGERS
from tests.support.slack_fixtures import Slack, Start, card, opened, said

REFUSED = "full members of this workspace"
SECRETS = ("Ana Gómez", "0100", "ana@example.com")


def _be(slack: Slack, kind: str) -> PersonClient:
    """Somebody who may nothing."""
    match kind:
        case "guest":
            return slack.person("Gus")
        case "of another team":
            slack.workspace.make_stranger("Ben")
        case "made a guest":
            slack.workspace.make_guest("Ben")
    return slack.person("Ben")


KINDS = ["guest", "made a guest", "of another team"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["ana@example.com", "ana", "recent", "help", ""])
def test_outsiders_are_refused_privately_and_learn_nothing(
    slack_http: Slack, kind: str, text: str
) -> None:
    outsider = _be(slack_http, kind)

    answer = outsider.command(f"/optin {text}")

    assert REFUSED in said(answer)
    assert all(message.is_ephemeral for message in answer.messages)
    assert not any(secret in said(answer) for secret in SECRETS)
    assert outsider.modal is None


def test_a_guest_is_refused_in_both_modes(slack: Slack) -> None:
    assert REFUSED in said(slack.person("Gus").command("/optin ana@example.com"))


@pytest.mark.parametrize("change", ["make_guest", "make_stranger"])
def test_whoever_lost_the_right_a_second_ago_saves_nothing(
    slack: Slack, ana: PersonClient, change: str
) -> None:
    card(ana, "ana@example.com")
    ana.press("Edit")
    ana.choose("SMS On", "NO")
    head = slack.head()
    getattr(slack.workspace, change)("Ana")

    outcome = ana.submit()

    assert REFUSED in "".join(outcome.errors.values())
    assert slack.head() == head


def test_whoever_lost_the_right_presses_in_vain(slack: Slack, ana: PersonClient) -> None:
    card(ana, "bob.miller@example.com")
    head = slack.head()
    slack.workspace.make_guest("Ana")

    refused = ana.press("Clear SMS Bounce")

    assert REFUSED in said(refused)
    assert slack.head() == head


def test_undo_is_refused_to_whoever_lost_the_right(slack: Slack, ana: PersonClient) -> None:
    card(ana, "ana@example.com")
    ana.press("Edit")
    ana.choose("SMS On", "NO")
    ana.submit()
    slack.workspace.make_guest("Ana")

    refused = opened(ana, ana.press("Undo"))

    assert REFUSED in refused.plain
    assert slack.on("ana@example.com")[0] is ConsentValue.NO


def test_the_search_does_not_open_for_whoever_is_no_agent(start: Start) -> None:
    with start(OPTIN_AGENTS=LEE) as slack:
        lee, ana = slack.person("Lee"), slack.person("Ana")
        lee.command("/optin")
        assert lee.suggest("Find", "an")

        assert REFUSED in said(ana.command("/optin"))
        assert ana.modal is None


def test_typeahead_goes_on_with_what_slack_said_a_moment_ago(start: Start) -> None:
    with start() as slack:
        ana = slack.person("Ana")
        ana.command("/optin")
        slack.workspace.fault("users.info", "server_error", times=10)

        assert ana.suggest("Find", "an")


@pytest.mark.parametrize(
    ("settings", "refused", "allowed"),
    [
        ({"OPTIN_AGENTS": BEN}, ["Ana"], ["Ben", "Lee"]),
        ({"OPTIN_AGENTS": MANAGERS}, ["Ana", "Ben"], ["Lee", "Mia"]),
        ({"OPTIN_AGENTS": f"{BEN},{MANAGERS}"}, ["Ana", "Gus"], ["Ben", "Mia"]),
        ({}, ["Gus"], ["Ana", "Ben", "Lee", "Mia"]),
    ],
)
def test_agents_are_named_by_user_or_by_group_and_managers_are_agents_too(
    start: Start, settings: dict[str, str], refused: list[str], allowed: list[str]
) -> None:
    with start(**settings) as slack:
        for name in refused:
            assert REFUSED in said(slack.person(name).command("/optin grace@example.com")), name
        for name in allowed:
            card(slack.person(name), "grace@example.com")


@pytest.mark.parametrize("managers", [LEE, MANAGERS, f"{BEN},{MANAGERS}"])
def test_managers_are_named_by_user_or_by_group(start: Start, managers: str) -> None:
    with start(OPTIN_MANAGERS=managers) as slack:
        for name, may in (("Ana", False), ("Lee", True)):
            person = slack.person(name)
            card(person, "paula@example.com")
            buttons = person.messages()[-1].buttons
            assert ("Clear spam complaint" in buttons) is may
            if may:
                pressed = person.press("Clear spam complaint")
                assert opened(person, pressed).title == "Clear Email Bounce"


def test_a_manager_taken_out_of_the_group_a_second_ago_is_one_no_more(
    slack: Slack, lee: PersonClient
) -> None:
    card(lee, "paula@example.com")
    head = slack.head()
    slack.workspace.set_group("optin-managers", ["Mia"])

    assert "Only a manager" in said(lee.press("Clear spam complaint"))
    assert slack.head() == head


FAULTS: list[dict[str, Any]] = [
    {"kind": "server_error"},
    {"kind": "ratelimited"},
    {"kind": "error", "error": "internal_error"},
    {"kind": "error", "error": "user_not_found"},
    {"kind": "close_after_accept"},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.get("error", fault["kind"]))
def test_nobody_gets_in_while_slack_can_not_say_who_it_is(
    slack: Slack, ana: PersonClient, fault: dict[str, Any]
) -> None:
    slack.workspace.fault("users.info", times=9, **fault)

    answer = said(ana.command("/optin ana@example.com"))

    assert "Slack could not be asked who you are" in answer
    assert not any(secret in answer for secret in SECRETS)

    slack.workspace.clear_faults()
    card(ana, "ana@example.com")


@pytest.mark.parametrize("method", ["users.info", "usergroups.users.list"])
def test_nothing_is_saved_while_slack_can_not_say_who_it_is(
    slack: Slack, ana: PersonClient, method: str
) -> None:
    card(ana, "ana@example.com")
    ana.press("Edit")
    ana.choose("SMS On", "NO")
    head = slack.head()
    slack.workspace.fault(method, "server_error", times=9)

    outcome = ana.submit()

    assert "Slack could not be asked who you are" in "".join(outcome.errors.values())
    assert slack.head() == head

    slack.workspace.clear_faults()
    assert opened(ana, ana.submit()).title == "Saved"  # what was typed is still there
