"""`/optin import`: a manager uploads a file, looks at what it would bring, and presses Import."""

from __future__ import annotations

import time

import pytest

from bot.consent.model import ConsentValue
from sandbox.client import PersonClient, ShownMessage
from tests.support.slack_fixtures import Slack, opened

CONTACTS = (
    b"name,phone,email,sms_on,email_on\n"
    b"Nina Roth,+12125550177,nina@example.com,yes,no\n"
    b"Omar Said,+12125550178,omar@example.com,no,yes\n"
    b"Wrong Row,12,,yes,yes\n"
)


def _upload(person: PersonClient, content: bytes, name: str = "people.csv") -> None:
    opened(person, person.command("/optin import"))
    person.attach("File", name, content)
    opened(person, person.submit())


def _message(person: PersonClient, said: str, within: float = 40.0) -> ShownMessage:
    """The import's message, once it says this."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        for message in person.dms():
            if said in message.plain:
                return message
        time.sleep(0.05)  # the worker looks once a second
    raise AssertionError([message.plain for message in person.dms()])


def test_a_file_is_looked_at_imported_and_undone(slack: Slack, lee: PersonClient) -> None:
    _upload(lee, CONTACTS)

    ready = _message(lee, "The import would bring")
    assert "2 contacts added" in ready.plain
    assert "Line 4" in ready.plain
    assert lee.press("Import", in_=ready, confirm=True).error is None

    done = _message(lee, "Imported.")
    assert slack.on("+12125550177") == (ConsentValue.YES, ConsentValue.NO)
    assert slack.on("+12125550178") == (ConsentValue.NO, ConsentValue.YES)
    rejected = _message(lee, "The rejected rows, with the line")
    assert b"Wrong Row,12" in lee.download(rejected.files[0])
    assert slack.problems() is None

    assert lee.press("Undo this import", in_=done, confirm=True).error is None
    undone = _message(lee, "The import is undone")
    assert "Opt-outs stay" in undone.plain


def test_nothing_changes_before_import_is_pressed_nor_after_cancel(
    slack_http: Slack,
) -> None:
    lee = slack_http.person("Lee")
    before = slack_http.head()
    _upload(lee, CONTACTS)

    ready = _message(lee, "The import would bring")
    assert lee.press("Cancel", in_=ready).error is None

    cancelled = _message(lee, "Nothing was imported")
    assert "Import" not in cancelled.buttons
    assert slack_http.head() == before


def test_a_column_that_is_not_understood_gets_a_select(slack_http: Slack) -> None:
    lee = slack_http.person("Lee")
    content = b"name,phone,Texting consent\nNina Roth,+12125550177,perhaps\n"
    _upload(lee, content)

    asking = _message(lee, "does not understand")
    assert "Texting consent" in asking.plain
    lee.choose("import_meaning_0", "Leave this column out", in_=asking)
    assert lee.press("Go on", in_=_message(lee, "does not understand")).error is None

    ready = _message(lee, "The import would bring")
    assert "1 contact added" in ready.plain


def test_go_on_takes_a_meaning_for_every_column(slack_http: Slack) -> None:
    lee = slack_http.person("Lee")
    _upload(lee, b"name,phone,Texting consent\nNina Roth,+12125550177,perhaps\n")

    pressed = lee.press("Go on", in_=_message(lee, "does not understand"))

    assert "Choose for each column" in str([m.plain for m in pressed.messages])


def test_a_list_of_opt_outs_needs_no_names(slack_http: Slack) -> None:
    lee = slack_http.person("Lee")
    opened(lee, lee.command("/optin import"))
    lee.attach("File", "stops.csv", b"+14155550100\n+12125550179\n")
    lee.choose("What the file is", "A list of opt-outs")
    opened(lee, lee.submit())

    lee.press("Import", in_=_message(lee, "The import would bring"), confirm=True)

    _message(lee, "Imported.")
    assert slack_http.on("+14155550100")[0] is ConsentValue.NO


def test_agents_may_not_import(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")

    refused = ana.command("/optin import")

    assert ana.modal is None or "Only a manager can import" in ana.modal.plain
    assert "Only a manager can import" in str([m.plain for m in refused.messages])


@pytest.mark.parametrize("content", [b"", b"colour\nred\n"])
def test_a_file_that_makes_no_sense_says_so(slack_http: Slack, content: bytes) -> None:
    lee = slack_http.person("Lee")
    _upload(lee, content)

    assert "Nothing was imported." in _message(lee, "Nothing was imported.").plain
