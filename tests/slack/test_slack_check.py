"""`/optin check`: a list of addresses, each with its answer."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from slack_sdk import WebClient

from bot.consent.errors import Invalid
from handlers.slack.rich_text import lines
from handlers.slack.uploaded_file import Unfetched, fetch, is_slacks
from sandbox.client import PersonClient
from tests.support.slack_fixtures import Slack, opened

ADDRESSES = "Phone numbers and e-mail addresses"


def _pasted(person: PersonClient, text: str) -> None:
    opened(person, person.command("/optin check"))
    person.type(ADDRESSES, text)


def test_a_pasted_list_gets_an_answer_and_a_reason_for_each(
    slack: Slack, ana: PersonClient
) -> None:
    _pasted(ana, "+1 415 555 0100\nana@example.com, +1 212 555 0177\nnothing at all")

    shown = opened(ana, ana.submit()).plain

    assert "1 can't be read" in shown
    assert "+1 415-555-0100" in shown
    assert "ana@example.com" in shown
    assert "No contact has this number." in shown
    assert "This is no phone number and no e-mail address." in shown


def test_the_same_comes_as_a_file_with_each_next_step(slack: Slack, ana: PersonClient) -> None:
    _pasted(ana, "+12125550177\nana@example.com\nnothing at all")

    shown = opened(ana, ana.submit()).plain

    assert "is in your direct messages" in shown
    content = ana.download(ana.dms()[-1].files[0]).decode()
    rows = list(csv.DictReader(io.StringIO(content)))
    assert [row["given"] for row in rows] == ["+12125550177", "ana@example.com", "nothing at all"]
    assert rows[0]["next_step"].startswith("Agent: Ask the contact")
    assert slack.person("Ben").dms() == []


def test_a_list_changes_and_keeps_nothing(slack: Slack, ana: PersonClient) -> None:
    before = slack.head()
    _pasted(ana, "+12125550177")
    opened(ana, ana.submit())

    assert slack.head() == before
    assert b"2125550177" not in slack.storage.read_bytes()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (" \n ", "Paste at least one phone number or e-mail address."),
        ("+12125550177\n" * 501, "These are 501 addresses, and 500 fit."),
    ],
)
def test_a_list_that_is_empty_or_too_long_says_so_at_its_field(
    slack_http: Slack, text: str, said: str
) -> None:
    ana = slack_http.person("Ana")
    _pasted(ana, text)

    assert said in str(ana.submit().errors)


def test_a_long_list_is_shown_in_part_and_sent_whole(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")
    _pasted(ana, "\n".join(f"+1212555{number:04}" for number in range(100, 600)))

    shown = opened(ana, ana.submit()).plain

    assert "… and 450 more, in the file." in shown
    content = ana.download(ana.dms()[-1].files[0]).decode()
    assert len(content.splitlines()) == 501


def test_a_file_that_slack_does_not_take_says_so(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")
    slack_http.workspace.fault("files.getUploadURLExternal", "error", error="internal_error")
    _pasted(ana, "+12125550177")

    shown = opened(ana, ana.submit()).plain

    assert "Slack did not take the file" in shown
    assert "Never asked" in shown


def test_rich_text_is_read_line_by_line_whatever_slack_made_of_it() -> None:
    section = {
        "type": "rich_text_section",
        "elements": [
            {"type": "text", "text": "Ana <"},
            {"type": "link", "url": "mailto:ana@example.com"},
            {"type": "text", "text": ">\n"},
            {"type": "link", "url": "tel:+14155550100", "text": "call"},
        ],
    }
    items = {"type": "rich_text_list", "elements": [section, section]}

    found = lines({"type": "rich_text", "elements": [items, None, {"type": "user"}]})

    assert found == ["Ana <ana@example.com>", "+14155550100"] * 2


def _uploaded(person: PersonClient, name: str, content: bytes) -> None:
    opened(person, person.command("/optin check"))
    person.attach("Or a file", name, content)


def test_an_uploaded_file_gets_an_answer_for_each_address(slack: Slack, ana: PersonClient) -> None:
    _uploaded(ana, "list.csv", b"Name,Phone,E-mail\nAna,+12125550177,ana@example.com\n")

    shown = opened(ana, ana.submit()).plain

    assert "+1 212-555-0177" in shown
    assert "ana@example.com" in shown
    assert "is in your direct messages" in shown


def test_a_file_that_holds_no_address_says_so(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")
    _uploaded(ana, "list.csv", b"Colour\nred\n")

    shown = opened(ana, ana.submit()).plain

    assert "address" in shown
    assert "Something broke" not in shown


def test_only_ones_own_file_is_read_and_only_just_after_its_upload(slack_http: Slack) -> None:
    ben = slack_http.person("Ben")
    _uploaded(ben, "list.csv", b"Phone\n+12125550177\n")
    shown = ben.modal
    assert shown is not None
    file = shown.values["file"]["file"][0]["id"]
    workspace, now = slack_http.workspace, datetime.now(UTC)
    client = WebClient(token=workspace.bot_token, base_url=workspace.api_url)

    fetch(client, file, ben.id, into := io.BytesIO(), most=1_000, now=now)
    assert into.getvalue() == b"Phone\n+12125550177\n"
    with pytest.raises(Invalid, match="no file that you have just uploaded"):
        fetch(client, file, "U0OTHER", io.BytesIO(), most=1_000, now=now)
    with pytest.raises(Invalid, match="no file that you have just uploaded"):
        fetch(client, file, ben.id, io.BytesIO(), most=1_000, now=now + timedelta(hours=2))
    with pytest.raises(Invalid, match="larger"):
        fetch(client, file, ben.id, io.BytesIO(), most=3, now=now)
    with pytest.raises(Unfetched):
        fetch(client, file, ben.id, io.BytesIO(), most=1_000, now=now, longest=-1)


@pytest.mark.parametrize(
    "url",
    [
        "https://files.slack.com.example.com/x",
        "http://files.slack.com/x",
        "https://example.com/files.slack.com/x",
        "https://user@files.slack.com/x",
        "file:///etc/passwd",
        "",
    ],
)
def test_a_file_is_fetched_from_slacks_own_host_alone(url: str) -> None:
    assert not is_slacks(url, "https://slack.com/api/")


def test_slacks_own_hosts_are_known() -> None:
    assert is_slacks("https://files.slack.com/files-pri/T-F/list.csv", "https://slack.com/api/")
    assert is_slacks("http://localhost:3000/files/F1", "http://localhost:3000/api/")
