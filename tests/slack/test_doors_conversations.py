"""Mentions of the app in channels and threads, and direct messages to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.client import PersonClient, ShownMessage
from sandbox.first_workspace import ANA, BOT
from tests.support.slack_fixtures import MANIFEST, Slack, opened, started
from tests.support.slack_requests import last_sent, post_event

DIRECT = "directmessage"


@pytest.fixture(params=["socket", "http"])
def slack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Slack]:
    with started(tmp_path, request.param, manifest=MANIFEST) as slack:
        yield slack


@pytest.fixture
def slack_http(tmp_path: Path) -> Iterator[Slack]:
    with started(tmp_path, "http", manifest=MANIFEST) as slack:
        yield slack


def answers(person: PersonClient, channel: str) -> list[ShownMessage]:
    return [one for one in person.messages(channel) if one.user == "U0OPTINBOT"]


def asked(
    slack: Slack,
    person: PersonClient,
    text: str,
    *,
    channel: str = "#support",
    answered_in: str | None = None,
    thread: ShownMessage | None = None,
) -> ShownMessage:
    """The app's next answer to what this person writes."""
    where = answered_in or channel
    before = len(answers(person, where))
    outcome = person.say(text, channel, thread_ts=thread.raw["ts"] if thread else None)
    assert outcome.error is None
    slack.workspace.wait_until(lambda: len(answers(person, where)) > before)
    return answers(person, where)[-1]


def test_a_mention_is_answered_to_nobody_but_whoever_asked(slack: Slack) -> None:
    ana, ben = slack.person("Ana"), slack.person("Ben")

    answer = asked(slack, ana, "@optin +1 415 555 0106")

    assert answer.is_ephemeral
    assert answer.plain.startswith("Grace Lee")
    assert answers(ben, "#support") == []
    assert slack.workspace.pings() == []


def test_a_mention_in_a_thread_is_answered_in_it_and_its_buttons_work(slack: Slack) -> None:
    ana = slack.person("Ana")
    ana.say("A ticket")
    ticket = ana.messages()[-1]

    answer = asked(slack, ana, "@optin why does grace@example.com get no texts?", thread=ticket)
    assert answer.raw["thread_ts"] == ticket.raw["ts"]
    assert answer.plain.startswith("Grace Lee")

    assert opened(ana, ana.press("Edit", in_=answer)).title == "Edit"
    ana.choose("Email On", "NO")
    assert opened(ana, ana.submit()).title == "Saved"
    ana.close(whole=True)
    assert "Email 🔴" in answers(ana, "#support")[-1].plain
    assert len(answers(ana, "#support")) == 1


def test_a_mention_alone_reads_the_first_message_of_its_thread(slack: Slack) -> None:
    ana = slack.person("Ana")
    ana.say("Ticket 4711 of (415) 555-0106: no texts")
    ticket = ana.messages()[-1]
    ana.say("and mine is ana@example.com", thread_ts=ticket.raw["ts"])

    assert asked(slack, ana, "@optin", thread=ticket).plain.startswith("Grace Lee")


def test_a_thread_that_begins_with_no_number_and_one_that_may_not_be_read_say_so(
    slack_http: Slack,
) -> None:
    ana = slack_http.person("Ana")
    ana.say("A ticket")
    ticket = ana.messages()[-1]

    answer = asked(slack_http, ana, "@optin", thread=ticket)
    assert "no e-mail address in the thread's first message" in answer.plain

    slack_http.workspace.fault("conversations.replies", "error", error="missing_scope")
    answer = asked(slack_http, ana, "@optin", thread=ticket)
    assert "Optin may not read this thread." in answer.plain


@pytest.mark.parametrize("text", ["@optin", "@optin *_~`", "@optin @ben …"])
def test_a_mention_with_nothing_to_look_for_says_how(slack_http: Slack, text: str) -> None:
    answer = asked(slack_http, slack_http.person("Ana"), text)

    assert answer.is_ephemeral
    assert "Type a phone number, an e-mail address or a name" in answer.plain


def test_several_hits_are_lines_as_in_the_command(slack: Slack) -> None:
    ana = slack.person("Ana")

    by_name = asked(slack, ana, "@optin ana")
    assert "3 contacts match" in by_name.plain
    assert opened(ana, ana.press("View", in_=by_name)).title == "Contact"
    ana.close()

    by_number = asked(slack, ana, "@optin +14155550106, +14155550100 and x.y@example.com")
    assert "3 contacts and addresses are in this message." in by_number.plain
    assert "x.y@example.com · no contact has it" in by_number.plain


def test_the_lines_are_drawn_anew_after_a_change_on_a_card_of_them(slack: Slack) -> None:
    ana = slack.person("Ana")
    lines = asked(slack, ana, "@optin grace@example.com, +1 415 555 0100")
    opened(ana, ana.press("View", in_=lines))
    opened(ana, ana.press("Edit"))
    ana.choose("Email On", "NO")
    ana.submit()
    ana.close(whole=True)

    (again,) = answers(ana, "#support")
    assert "SMS 🔴 Opted out · Email 🔴 Opted out" in again.plain


@pytest.mark.parametrize(
    ("word", "answered"),
    [
        ("help", "Why does this customer get no messages"),
        ("Recent?", "The last changes of all contacts"),
        ("pending", "request"),
        ("stats", "SMS"),
        ("check", "This opens a window. Type /optin check for it"),
    ],
)
def test_the_commands_words_work_in_direct_messages(
    slack_http: Slack, word: str, answered: str
) -> None:
    answer = asked(slack_http, slack_http.person("Ana"), word, channel=DIRECT)

    assert answered in answer.plain
    assert not answer.is_ephemeral


def test_a_direct_message_is_answered_where_it_was_written(slack: Slack) -> None:
    ana = slack.person("Ana")

    answer = asked(slack, ana, "grace lee", channel=DIRECT)
    assert answer.plain.startswith("Grace Lee")

    ana.press("Edit", in_=answer)
    ana.choose("Email On", "NO")
    ana.submit()
    ana.close(whole=True)
    (again,) = answers(ana, DIRECT)
    assert "Email 🔴" in again.plain


def test_direct_messages_page_through_the_recent_changes(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")
    answer = asked(slack_http, ana, "recent", channel=DIRECT)

    ana.press("Older", in_=answer)

    (again,) = answers(ana, DIRECT)
    assert again.plain != answer.plain


@pytest.mark.parametrize("how", ["make_guest", "make_stranger"])
def test_guests_and_people_of_other_organisations_are_refused_in_private(
    slack_http: Slack, how: str
) -> None:
    ben = slack_http.person("Ben")
    getattr(slack_http.workspace, how)("Ben")

    answer = asked(slack_http, ben, "@optin +1 415 555 0106")
    assert answer.is_ephemeral
    assert "Optin is for full members of this workspace" in answer.plain

    answer = asked(slack_http, ben, "+1 415 555 0106", channel=DIRECT)
    assert "Optin is for full members of this workspace" in answer.plain


def test_nothing_is_shown_in_a_channel_that_another_organisation_reads(slack: Slack) -> None:
    ana = slack.person("Ana")
    slack.workspace.share("#support")

    answer = asked(slack, ana, "@optin +1 415 555 0106")

    assert answer.is_ephemeral
    assert "People of another organisation are in this channel" in answer.plain
    assert "Grace" not in answer.plain


def test_an_invitation_to_another_organisation_is_enough(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")
    slack_http.workspace.accept_invitation("#support")

    answer = asked(slack_http, ana, "@optin grace lee")

    assert "People of another organisation are in this channel" in answer.plain


def event_of(slack: Slack, person: PersonClient, text: str = "@optin grace lee") -> dict[str, Any]:
    """A mention as Slack sent it, with an id of its own."""
    asked(slack, person, text)
    payload = last_sent(slack, "app_mention")
    return payload | {"event_id": "Ev0NEW"}


@pytest.mark.parametrize("word", ["not_in_channel", "channel_not_found", "user_not_in_channel"])
def test_where_optin_is_not_in_the_channel_the_answer_is_a_direct_message(
    slack_http: Slack, word: str
) -> None:
    ana = slack_http.person("Ana")
    slack_http.workspace.fault("chat.postEphemeral", "error", error=word)

    answer = asked(slack_http, ana, "@optin +1 415 555 0106", answered_in=DIRECT)

    assert answer.plain.startswith("Grace Lee")
    assert answers(ana, "#support") == []


def test_a_channel_that_optin_may_not_ask_about_is_answered_in_direct_messages(
    slack_http: Slack,
) -> None:
    ana = slack_http.person("Ana")
    slack_http.workspace.fault("conversations.info", "error", error="channel_not_found")

    assert asked(slack_http, ana, "@optin grace lee", answered_in=DIRECT).plain.startswith("Grace")


def test_an_event_that_slack_repeats_is_answered_once(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")
    payload = event_of(slack_http, ana)
    assert post_event(slack_http, payload) == (200, "")
    slack_http.workspace.wait_until(lambda: len(answers(ana, "#support")) == 2)

    for retry in (1, 2, 3):
        assert post_event(slack_http, payload, retry=retry) == (200, "")
    asked(slack_http, ana, "@optin help")

    assert len(answers(ana, "#support")) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"bot_id": BOT},
        {"user": "U0OPTINBOT"},
        {"edited": {"user": ANA, "ts": "1.0"}},
        {"subtype": "bot_message"},
        {"subtype": "message_changed"},
        {"subtype": "channel_join"},
        {"user": None},
    ],
)
def test_bots_edits_and_joins_get_no_answer(slack_http: Slack, change: dict[str, object]) -> None:
    ana = slack_http.person("Ana")
    payload = event_of(slack_http, ana)
    payload["event"] |= change

    assert post_event(slack_http, payload) == (200, "")
    asked(slack_http, ana, "@optin help")

    assert len(answers(ana, "#support")) == 2


def test_a_message_with_a_file_is_answered(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")
    payload = event_of(slack_http, ana)
    payload["event"] |= {"subtype": "file_share", "files": [{"id": "F1"}]}

    post_event(slack_http, payload)

    slack_http.workspace.wait_until(lambda: len(answers(ana, "#support")) == 2)


def test_a_deactivated_person_gets_nothing(slack_http: Slack) -> None:
    ana, ben = slack_http.person("Ana"), slack_http.person("Ben")
    payload = event_of(slack_http, ben)
    payload["event"] |= {"user": ana.id}
    slack_http.workspace.deactivate("Ana")

    assert post_event(slack_http, payload) == (200, "")
    asked(slack_http, ben, "@optin help")

    told = slack_http.workspace.journal("chat.postEphemeral")
    assert all("Grace" not in json.dumps(call["args"]) for call in told if ana.id in str(call))


def test_forty_thousand_characters_are_answered_with_a_sentence(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")

    answer = asked(slack_http, ana, "@optin " + "tell me about her " * 2_200)
    assert "That is too long to be a name, number or address" in answer.plain

    answer = asked(slack_http, ana, "@optin " + "(415) 555-0106 and so on, " * 1_500)
    assert answer.plain.startswith("Grace Lee")


def test_two_hundred_numbers_in_a_mention_say_how_many_are_left_out(slack_http: Slack) -> None:
    numbers = " ".join(f"+1212555{number:04}" for number in range(1000, 1230))

    answer = asked(slack_http, slack_http.person("Ana"), f"@optin {numbers}")

    assert "200 contacts and addresses are in this message." in answer.plain
    assert "220 more addresses were left out." in answer.plain


def test_a_mention_is_acknowledged_before_slack_is_asked_anything(slack: Slack) -> None:
    ana = slack.person("Ana")
    for method in ("users.info", "conversations.info", "chat.postEphemeral"):
        slack.workspace.fault(method, "timeout", seconds=1.0)

    outcome = ana.say("@optin grace lee")

    assert outcome.error is None
    assert outcome.ms < 900
    slack.workspace.wait_until(lambda: len(answers(ana, "#support")) == 1)


def test_a_fault_of_slacks_is_said_in_private(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")
    slack_http.workspace.fault("conversations.info", "server_error")

    answer = asked(slack_http, ana, "@optin grace lee")

    assert answer.is_ephemeral
    assert "Slack did not answer, so nothing was changed. Try again in a minute." in answer.plain


def test_a_mention_where_optin_is_not_in_the_channel_stays_slacks_business(
    slack_http: Slack,
) -> None:
    ana = slack_http.person("Ana")
    slack_http.workspace.remove_app("#support")
    ana.say("@optin grace lee")

    assert slack_http.workspace.journal("app_mention") == []
    assert [one.plain for one in ana.messages()] == ["@optin grace lee"]
