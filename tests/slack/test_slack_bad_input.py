"""What nobody should send, through the real app: odd text, tampered and forged requests."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from sandbox.client import PersonClient
from sandbox.first_workspace import BEN, BOT_USER, GUS
from tests.support.slack_fixtures import Slack, Start, card, opened, said
from tests.support.slack_requests import command, last_sent, post

ODD = {
    "long": "a" * 10_000,
    "long words": "word " * 2_000,
    "long number": "+1" + "5" * 5_000,
    "right to left": "\u202eمرحبا\u202c \u2067שלום\u2069",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈 :skull: 🔴✅",
    "broadcast": "<!channel> <!here> <!everyone> @channel",
    "mention": "<@U0BENOKAF1> <#C0SUPPORT1> <!subteam^S0MANAGERS>",
    "link": "<https://evil.example|bank> https://evil.example",
    "escaped": "&lt;!channel&gt; &amp;amp; &amp;lt;!here&amp;gt;",
    "half a number": "+1 415",
    "a digit": "5",
    "a plus": "+",
    "digits": "٤١٥",
    "number with extension": "415-555-0100 x12",
    "half an address": "ana@",
    "two addresses": "a@b.c d@e.f",
    "sql": "'; DROP TABLE contacts; -- \" OR 1=1",
    "json": '{"payload": {"type": "block_actions"}, "a": [1, 2, {}]}',
    "form": "payload=%7B%22type%22%3A%22x%22%7D&ssl_check=1&token=x",
    "template": "{0} %s %(name)s {name} ${HOME} `id` $(id)",
    "markup": "*bold* _it_ ~no~ `code` ```pre``` > quote",
    "towers": "Z" + "\u0351" * 500,
    "invisible": "\u200b\u200c\u200d\ufeff\u2060",
    "controls": "a\x01\x02\x1b[31mred\x7f",
    "lines": "one\ntwo\r\nthree\u2028four",
    "regex": "(a+)+$ [[[ \\ .*",
    "wrapped": "<tel:|> <mailto:|> <tel:+1415|",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_text_of_any_kind_gets_a_helpful_private_answer(
    slack_http: Slack, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    ana = slack_http.person("Ana")
    head = slack_http.head()

    answer = ana.command(f"/optin {text}")

    if answer.messages:
        assert all(message.is_ephemeral for message in answer.messages)
        assert "Something broke" not in said(answer)
    else:
        assert opened(ana, answer).title == "Find a contact"
    assert slack_http.workspace.pings() == []
    assert slack_http.head() == head
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.parametrize("name", ["\x00", "a\x00b", "\ufffe\uffff"])
def test_text_that_no_keyboard_makes_is_answered_too(slack_http: Slack, name: str) -> None:
    status, body = post(slack_http, command(slack_http) | {"text": name})

    assert status == 200
    assert "Something broke" not in body


@pytest.mark.parametrize("name", ["\ud800", "x\udfff\ud800y"])
def test_half_a_character_is_no_text_over_http(slack_http: Slack, name: str) -> None:
    assert post(slack_http, command(slack_http) | {"text": name})[0] == 400


def test_control_characters_in_a_form_are_left_out_and_a_nul_is_repaired(
    slack: Slack, ana: PersonClient
) -> None:
    ana.command("/optin +12125550177")
    ana.press("Add contact")
    ana.type("Name", "Ni\x00na\x1b[31m New")

    assert "Ni\ufffdna[31m New" in opened(ana, ana.submit()).plain
    assert slack.problems() is None


def test_markup_in_a_name_pings_nobody_on_any_surface(slack: Slack, ana: PersonClient) -> None:
    hostile = "<!channel> <@U0BENOKAF1> *x* :skull: <https://evil.example|bank> &lt;!here&gt;"
    slack.add(hostile, phone="+12125550188", company="<!everyone>")

    ana.command("/optin +12125550188")
    ana.press("Edit")
    ana.choose("SMS On", "YES")
    ana.type("Evidence", hostile)
    ana.type("Note", hostile)
    ana.submit()
    ana.close(whole=True)
    ana.press("Activity")
    ana.press("Export as CSV")
    ana.close(whole=True)
    ana.overflow("Details", in_=ana.messages()[-1])
    ana.command("/optin recent")
    ana.command(f"/optin {hostile[:10]}")

    # She alone reads that she made the last change.
    assert set(slack.workspace.pings()) <= {f"@{ana.id}"}


# Tampered, with the right secret


def test_tampered_buttons_are_refused_with_a_sentence(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")
    card(ana, "ana@example.com")
    ana.press("Edit")
    pressed = last_sent(slack_http, "block_actions edit")
    head = slack_http.head()

    for action_id in ("edit", "activity", "view", "more", "undo", "add", "search_all", "log_older"):
        for value in (
            "",
            "x",
            "../etc:1",
            "a" * 5_000,
            "id:1:2",
            "\x00:1",
            None,
            7,
            ["x"],
            {"a": 1},
        ):
            tampered = deepcopy(pressed)
            tampered["actions"][0] |= {
                "action_id": action_id,
                "value": value,
                "selected_option": {"value": value},
            }
            status, body = post(slack_http, tampered)
            assert status == 200, (action_id, value, body)
            assert "traceback" not in body.lower()
    assert slack_http.head() == head


def test_what_is_not_ours_is_acknowledged_with_a_sentence(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")
    card(ana, "ana@example.com")
    ana.press("Edit")
    pressed = last_sent(slack_http, "block_actions edit")
    pressed["actions"][0]["action_id"] = "launch_rockets"

    status, _ = post(slack_http, pressed)

    assert status == 200
    assert "older version" in ana.messages()[-1].plain

    status, body = post(slack_http, command(slack_http) | {"command": "/other"})
    assert status == 200
    assert "another command" in body

    view = {"callback_id": "rockets", "id": "V1", "hash": "1.2", "type": "modal", "blocks": []}
    submitted = {k: pressed[k] for k in ("user", "team", "trigger_id", "api_app_id")}
    status, body = post(slack_http, submitted | {"type": "view_submission", "view": view})
    assert status == 200
    assert "older version" in body

    asked = submitted | {
        "type": "block_suggestion",
        "action_id": "rockets",
        "block_id": "b",
        "value": "an",
    }
    status, body = post(slack_http, asked)
    assert (status, json.loads(body)) == (200, {"options": []})


METADATA: list[Any] = [
    "",
    "{",
    "null",
    "[]",
    "[" * 10_000,
    '{"contact": 7}',
    '{"contact": "../../etc/passwd"}',
    '{"contact": "00000000000000000000000000000000"}',
    '{"contact": "%s", "version": "x"}',
    '{"contact": "%s", "version": -5}',
    '{"contact": "%s", "version": 1e99}',
    '{"contact": "%s", "version": 999999999999999999999}',
    '{"contact": "%s", "showed": []}',
    '{"contact": "\\ud800"}',
    "x" * 100_000,
]


@pytest.mark.parametrize("metadata", METADATA, ids=lambda text: text[:40])
def test_tampered_metadata_changes_nothing(slack_http: Slack, metadata: str) -> None:
    ana = slack_http.person("Ana")
    card(ana, "ana@example.com")
    ana.press("Edit")
    ana.choose("Email On", "YES")  # as it is
    ana.submit()
    submitted = last_sent(slack_http, "view_submission edit_modal")
    head = slack_http.head()
    contact = slack_http.find("ana@example.com").id

    submitted["view"]["private_metadata"] = metadata.replace("%s", contact)
    status, body = post(slack_http, submitted)

    assert status == 200
    assert "Something broke" not in body
    assert slack_http.head() == head


def test_a_modal_never_makes_us_post_anywhere_but_to_slack(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")
    card(ana, "ana@example.com")
    ana.press("Edit")
    ana.choose("SMS On", "NO")
    ana.submit()
    submitted = last_sent(slack_http, "view_submission edit_modal")
    metadata = json.loads(submitted["view"]["private_metadata"])

    with _listening() as (port, heard):
        contact = slack_http.find("ana@example.com")
        metadata |= {"response_url": f"http://127.0.0.1:{port}/steal", "version": contact.version}
        metadata["showed"]["email_on"] = "YES"
        submitted["view"]["private_metadata"] = json.dumps(metadata)
        for fields in submitted["view"]["state"]["values"].values():
            if "email_on" in fields:
                fields["email_on"]["selected_option"]["value"] = "NO"
        status, body = post(slack_http, submitted)

    assert status == 200
    assert "Saved" in body
    assert heard == []


def test_tampered_options_ask_for_nothing(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")
    card(ana, "grace@example.com")
    ana.press("Edit")
    ana.choose("SMS On", "NO")
    ana.submit()
    submitted = last_sent(slack_http, "view_submission edit_modal")
    head = slack_http.head()

    for value in ("MAYBE", "yes", "", "UNSET", "YES\x00", None, 5):
        tampered = deepcopy(submitted)
        for fields in tampered["view"]["state"]["values"].values():
            for field in fields.values():
                if "selected_option" in field:
                    field["selected_option"] = {"value": value}
        status, body = post(slack_http, tampered)
        assert status == 200
        assert "Something broke" not in body, value
    assert slack_http.head() == head


def test_bots_and_outsiders_are_refused_on_every_door(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")
    card(ana, "bob.miller@example.com")
    ana.press("Edit")
    ana.choose("SMS Bounce", "NO")
    ana.choose("Reason", "Correction")
    ana.type("Evidence", "He called from this number")
    ana.submit()
    ana.close(whole=True)
    ana.command("/optin")
    ana.suggest("Find", "an")
    head = slack_http.head()
    requests = [
        last_sent(slack_http, "block_actions edit"),
        last_sent(slack_http, "view_submission edit_modal"),
        last_sent(slack_http, "block_suggestion find"),
        command(slack_http) | {"text": "ana"},
    ]

    slack_http.workspace.deactivate("Ben")

    for user in (BOT_USER, GUS, BEN, "U0NOBODY99", "USLACKBOT"):
        for request in requests:
            asked = deepcopy(request)
            if "user" in asked:
                asked["user"]["id"] = user
            else:
                asked["user_id"] = user
            status, body = post(slack_http, asked)
            assert status == 200
            for secret in ("Ana G", "bob.miller", "0101"):
                assert secret not in body, (user, asked.get("type"))
    assert slack_http.head() == head


# Forged and replayed


def test_forged_and_replayed_requests_reach_nobody(slack_http: Slack) -> None:
    ana = slack_http.person("Ana")
    card(ana, "ana@example.com")
    ana.press("Edit")
    ana.choose("SMS On", "NO")
    ana.submit()
    submitted = last_sent(slack_http, "view_submission edit_modal")
    head = slack_http.head()

    for forged in (
        {"secret": "another-secret"},
        {"at": time.time() - 400},
        {"at": time.time() + 400},
        {"signature": "v0=" + "0" * 64},
        {"signature": ""},
    ):
        status, body = post(slack_http, submitted, **forged)
        assert (status, body) == (401, ""), forged

    asked = command(slack_http) | {"text": "recent"}
    at = time.time()
    assert post(slack_http, asked, at=at)[0] == 200
    assert post(slack_http, asked, at=at)[0] == 401
    assert slack_http.head() == head


# Slack on a bad day


def test_an_expired_trigger_is_a_sentence_wherever_it_is_pressed(
    slack: Slack, ana: PersonClient
) -> None:
    card(ana, "ana@example.com")
    slack.workspace.fault("views.open", "error", error="expired_trigger_id")
    assert "Press it again" in said(ana.press("Edit"))

    slack.workspace.fault("views.open", "error", error="expired_trigger_id")
    assert "Press it again" in said(ana.command("/optin"))

    ana.command("/optin")
    ana.pick("Find", "Ana Gómez", typed="ana g")
    slack.workspace.fault("views.push", "error", error="expired_trigger_id", times=2)
    told = opened(ana, ana.press("Edit"))
    assert told.title == "Contact"
    assert "Press it again" in told.plain


def test_a_window_that_moved_on_is_said(slack: Slack, ana: PersonClient) -> None:
    card(ana, "ana@example.com")
    ana.press("Activity")
    slack.workspace.fault("views.update", "error", error="hash_conflict")

    told = opened(ana, ana.choose("log_kind", "Notes"))

    assert "moved on" in told.plain


def test_a_card_that_can_not_be_redrawn_spoils_nothing(slack: Slack, ana: PersonClient) -> None:
    card(ana, "ana@example.com")
    ana.press("Edit")
    ana.choose("SMS On", "NO")
    slack.workspace.fault("response_url", "server_error", times=9)

    assert opened(ana, ana.submit()).title == "Saved"


def test_nobody_reads_that_nothing_was_changed_when_it_was(slack: Slack, ana: PersonClient) -> None:
    card(ana, "ana@example.com")
    ana.press("Edit")
    ana.choose("SMS On", "NO")
    opened(ana, ana.submit())
    slack.workspace.fault("views.update", "server_error", times=9)

    told = opened(ana, ana.press("Undo")).plain

    assert "was saved" in told
    assert "othing was changed" not in told
    assert slack.log()[-1].after == "YES"


def test_the_workspace_goes_on_after_every_fault(slack: Slack, ana: PersonClient) -> None:
    for kind in ("server_error", "ratelimited", "close_after_accept"):
        card(ana, "ana@example.com")
        slack.workspace.fault("views.open", kind)
        assert ana.press("Edit", in_=ana.messages()[-1]).error is None
        slack.workspace.clear_faults()
        if ana.modal:
            ana.close(whole=True)
    card(ana, "ana@example.com")
    assert opened(ana, ana.press("Edit", in_=ana.messages()[-1])).title == "Edit"


def test_a_group_that_slack_does_not_know_makes_nobody_a_manager(start: Start) -> None:
    with start(OPTIN_MANAGERS="S0NOSUCHGRP") as slack:
        ana = slack.person("Ana")
        card(ana, "paula@example.com")
        ana.press("Edit")
        ana.choose("Email Bounce", "NO")
        ana.choose("Reason", "Correction")
        ana.type("Evidence", "She asked for e-mails again")
        answer = "".join(ana.submit().errors.values())

        assert "Only a manager can clear that" in answer
        assert "does not show a user group" in answer
        assert "no_such_subteam" in answer


# How


@contextmanager
def _listening() -> Iterator[tuple[int, list[str]]]:
    """A web server that nobody should ask: its port, and the paths asked for."""
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port, heard
        server.shutdown()
        thread.join()
