"""`/optin import` while Slack fails: nothing is lost, and nothing false is said."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx

from bot.consent.model import ConsentValue
from bot.consent.use_cases.imports.import_jobs import LEASE
from sandbox.client import PersonClient, ShownMessage
from tests.support.slack_fixtures import NOW, Slack, opened

CONTACTS = b"name,phone,sms_on\nNina Roth,+12125550177,yes\nWrong Row,12,yes\n"
#: Calls; more than any test makes.
ALWAYS = 1_000


def uploaded(person: PersonClient, content: bytes = CONTACTS) -> None:
    opened(person, person.command("/optin import"))
    person.attach("File", "people.csv", content)
    opened(person, person.submit())


def message(
    person: PersonClient,
    said: str,
    meanwhile: Callable[[], object] = lambda: None,
    within: float = 60.0,
) -> ShownMessage:
    """The newest message that says this, once there is one."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        for one in reversed(person.dms()):
            if said in one.plain:
                return one
        meanwhile()
        time.sleep(0.1)  # the worker looks once a second
    raise AssertionError([one.plain for one in person.dms()])


def test_the_bot_outlives_a_failed_import_that_slack_does_not_let_it_tell(
    slack_http: Slack,
) -> None:
    lee, workspace = slack_http.person("Lee"), slack_http.workspace
    uploaded(lee)
    ready = message(lee, "The import would bring")
    workspace.fault("files.info", "error", error="missing_scope", times=ALWAYS)
    workspace.fault("chat.update", "error", error="internal_error", times=3)
    lee.press("Import", in_=ready, confirm=True)

    message(lee, "Nothing was imported.", lambda: slack_http.clock.advance(LEASE))

    assert "415-555-0100" in str(lee.command("/optin +14155550100").messages)


def test_a_file_that_makes_no_sense_leaves_one_message(slack_http: Slack) -> None:
    lee = slack_http.person("Lee")
    uploaded(lee, b"colour\nred\n")

    message(lee, "Nothing was imported.")

    assert len(lee.dms()) == 1


def test_a_refused_file_names_no_option_of_the_command_line(slack_http: Slack) -> None:
    lee = slack_http.person("Lee")
    uploaded(lee, b"grace@example.com\ndana@example.com\n")

    refusal = message(lee, "Nothing was imported.")

    assert "suppression list" in refusal.plain
    assert "--" not in refusal.plain


def test_an_import_whose_message_was_deleted_gets_a_new_one(slack_http: Slack) -> None:
    lee = slack_http.person("Lee")
    uploaded(lee)
    ready = message(lee, "The import would bring")
    workspace = slack_http.workspace
    workspace.fault("chat.update", "error", error="message_not_found", times=2)
    lee.press("Import", in_=ready, confirm=True)

    assert "Undo this import" in message(lee, "Imported.").buttons


def test_rejected_rows_that_slack_does_not_take_hide_no_import(slack_http: Slack) -> None:
    lee = slack_http.person("Lee")
    uploaded(lee)
    refused = {"error": "file_uploads_disabled", "times": ALWAYS}
    slack_http.workspace.fault("files.getUploadURLExternal", "error", **refused)
    lee.press("Import", in_=message(lee, "The import would bring"), confirm=True)

    told = message(lee, "could not be sent", lambda: slack_http.clock.advance(LEASE))

    assert "Imported." in told.plain
    assert slack_http.on("+12125550177")[0] is ConsentValue.YES
    assert lee.press("Undo this import", in_=told, confirm=True).error is None
    message(lee, "The import is undone")


def test_whoever_thinks_about_a_column_for_hours_can_go_on(slack_http: Slack) -> None:
    lee = slack_http.person("Lee")
    slack_http.clock.advance(datetime.now(UTC) - NOW)
    uploaded(lee, b"name,phone,Texting consent\nNina Roth,+12125550177,perhaps\n")
    asking = message(lee, "does not understand")
    slack_http.clock.advance(timedelta(hours=5))
    lee.choose("import_meaning_0", "Leave this column out", in_=asking)
    lee.press("Go on", in_=message(lee, "does not understand"))

    assert "1 contact added" in message(lee, "The import would bring").plain


def test_a_file_that_changed_since_the_manager_saw_it_is_not_imported(slack_http: Slack) -> None:
    lee = slack_http.person("Lee")
    uploaded(lee)
    ready = message(lee, "The import would bring")
    workspace = slack_http.workspace
    file = workspace.journal("files.info")[-1]["args"]["file"]
    another = CONTACTS.replace(b"2125550177", b"2125550188")
    httpx.post(f"{workspace.api_url.removesuffix('api/')}upload/{file}", content=another)
    lee.press("Import", in_=ready, confirm=True)

    message(lee, "The file at Slack is another one now")
    with slack_http.service.store.reading() as records:
        assert not records.contacts.at("+12125550177")
        assert not records.contacts.at("+12125550188")
