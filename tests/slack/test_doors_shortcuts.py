"""The shortcuts *Check opt-in* of a message and *Find a contact* of the composer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.client import PersonClient, ShownMessage
from tests.support.slack_fixtures import MANIFEST, Slack, opened, started

CHECK, FIND = "check_message", "find_contact"


@pytest.fixture(params=["socket", "http"])
def slack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Slack]:
    with started(tmp_path, request.param, manifest=MANIFEST) as slack:
        yield slack


@pytest.fixture
def slack_http(tmp_path: Path) -> Iterator[Slack]:
    with started(tmp_path, "http", manifest=MANIFEST) as slack:
        yield slack


def written(person: PersonClient, text: str, thread: ShownMessage | None = None) -> ShownMessage:
    """A message of theirs in #support."""
    person.say(text, thread_ts=thread.raw["ts"] if thread else None)
    return person.messages()[-1]


def check(slack: Slack, person: PersonClient, message: ShownMessage) -> str:
    """What the modal says that comes after the acknowledgement."""
    outcome = person.shortcut(CHECK, message)
    assert outcome.error is None, outcome.notice
    slack.workspace.wait_until(lambda: person.modal is not None)
    return opened(person, outcome).plain


def test_one_number_in_a_message_opens_the_card(slack: Slack) -> None:
    ana, ben = slack.person("Ana"), slack.person("Ben")
    message = written(ben, "Why does (415) 555-0106 get nothing?")

    plain = check(slack, ana, message)

    assert "Grace Lee" in plain
    assert "+1 415-555-0106" in plain
    assert "Edit" in opened(ana, ana.press("Edit")).title


def test_it_works_in_a_thread_and_on_a_message_of_another_app(slack: Slack) -> None:
    ana = slack.person("Ana")
    first = written(ana, "A ticket")
    reply = written(ana, "from grace@example.com", thread=first)

    assert "Grace Lee" in check(slack, ana, reply)


def test_a_number_and_an_address_of_one_contact_are_one(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")
    message = written(ana, "Grace, +1 415 555 0106, grace@example.com, once more (415) 555-0106")

    assert "Grace Lee" in check(slack_http, ana, message)
    assert opened(ana, ana.press("Activity Log")).title == "Activity Log"


def test_several_are_a_list_with_each_answer_and_a_way_to_the_card(slack: Slack) -> None:
    ana = slack.person("Ana")
    message = written(ana, "+1 415 555 0106 and +1 415 555 0100, and new.one@example.com")

    plain = check(slack, ana, message)

    assert "3 contacts and addresses are in this message." in plain
    assert "Grace Lee" in plain
    assert "SMS 🔴" in plain
    assert "555-0106" not in plain
    assert "new.one@example.com · no contact has it" in plain
    assert opened(ana, ana.press("View")).plain.startswith("Contact\nGrace Lee")
    ana.close()
    form = opened(ana, ana.press("Add contact"))
    assert form.fields["Email"] == "new.one@example.com"


def test_the_list_is_drawn_anew_after_a_change_on_a_card_of_it(slack: Slack) -> None:
    ana = slack.person("Ana")
    check(slack, ana, written(ana, "grace@example.com, +1 415 555 0100 and new.one@example.com"))
    opened(ana, ana.press("View"))
    opened(ana, ana.press("Edit"))
    ana.choose("Email On", "NO")
    assert opened(ana, ana.submit()).title == "Saved"
    ana.close()
    ana.close()

    again = ana.modal
    assert again is not None
    assert again.title == "Check opt-in"
    assert "SMS 🔴 Opted out · Email 🔴 Opted out" in again.plain
    assert "new.one@example.com · no contact has it" in again.plain


def test_two_hundred_are_read_page_by_page_and_the_rest_is_counted(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")
    numbers = [f"+1 212 555 {number:04}" for number in range(1000, 1230)]
    message = written(ana, "\n".join([*numbers, *numbers[:3]]))

    first = check(slack_http, ana, message)
    assert "200 contacts and addresses are in this message." in first
    assert "1 to 10" in first
    assert "30 more addresses were left out." in first

    for _ in range(19):
        ana.press("Next")
    last = ana.modal
    assert last is not None
    assert "191 to 200" in last.plain
    assert "+1 212-555-1199" in last.plain
    assert "Next" not in last.buttons
    assert "181 to 190" in opened(ana, ana.press("Previous")).plain


def test_an_unknown_address_alone_is_offered_to_be_added(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")

    plain = check(slack_http, ana, written(ana, "from new.one@example.com"))

    assert "No contact fits “new.one@example.com”" in plain
    assert opened(ana, ana.press("Add contact")).fields["Email"] == "new.one@example.com"


@pytest.mark.parametrize(
    "text", ["Nothing in here", "*_~`", "order 12345, 2026-11-03", "<!channel>", "x" * 40_000]
)
def test_a_message_without_any_says_what_was_looked_for(slack_http: Slack, text: str) -> None:
    ana = slack_http.person("Ana")

    plain = check(slack_http, ana, written(ana, text))

    assert "There is no phone number and no e-mail address in this message." in plain
    assert "(201) 555-0123" in plain


def test_guests_deactivated_people_and_strangers_read_why_not(slack: Slack) -> None:
    message = written(slack.person("Ana"), "grace@example.com")
    gus = slack.person("Gus")

    plain = check(slack, gus, message)

    assert "Optin is for full members of this workspace" in plain
    assert "Grace" not in plain


def test_in_a_shared_channel_our_own_people_see_the_card_and_others_do_not(
    slack_http: Slack,
) -> None:
    slack_http.workspace.share("#support")
    ana, ben = slack_http.person("Ana"), slack_http.person("Ben")
    message = written(ana, "grace@example.com")
    slack_http.workspace.make_stranger("Ben")

    assert "Grace Lee" in check(slack_http, ana, message)
    assert "Optin is for full members" in check(slack_http, ben, message)
    assert [one.plain for one in ana.messages()] == [message.plain]


def test_the_composers_shortcut_opens_the_search(slack: Slack) -> None:
    ana = slack.person("Ana")
    outcome = ana.shortcut(FIND)
    assert outcome.error is None
    slack.workspace.wait_until(lambda: ana.modal is not None)

    assert opened(ana, outcome).title == "Find a contact"
    assert opened(ana, ana.pick("Find", "Ana Gómez", typed="ana")).plain.startswith("Contact\nAna")


def test_what_breaks_after_the_acknowledgement_is_said(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")
    message = written(ana, "grace@example.com")
    slack_http.workspace.fault("users.info", "error", error="internal_error")

    plain = check(slack_http, ana, message)

    assert "Slack could not be asked who you are" in plain


def test_a_trigger_that_slack_no_longer_takes_is_said_in_a_message(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")
    message = written(ana, "grace@example.com")
    slack_http.workspace.fault("views.open", "error", error="expired_trigger_id", times=2)
    ana.shortcut(CHECK, message)
    slack_http.workspace.wait_until(lambda: ana.messages()[-1].is_ephemeral)

    assert "Slack waited too long for that. Press it again." in ana.messages()[-1].plain
