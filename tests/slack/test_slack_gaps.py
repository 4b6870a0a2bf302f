"""Slack's payloads with a field missing or null: each gets a sentence, and none a 500."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from bot.consent.use_cases.alerts.alert_settings import alert_settings
from bot.consent.use_cases.ingest import ingest
from handlers.slack.roles import _full_member
from sandbox.first_workspace import ALERTS
from tests.support.alerts_fixtures import reply
from tests.support.slack_fixtures import Slack, card, started
from tests.support.slack_requests import command, last_sent, post

Payload = dict[str, Any]
Path_ = tuple[str | int, ...]


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[Slack]:
    with started(tmp_path, "http", OPTIN_ALERT_CHANNEL=ALERTS) as slack:
        yield slack


def _gaps(found: Any, path: Path_ = ()) -> Iterator[Path_]:
    """The path of each field, at any depth; of what is drawn only what identifies it."""
    items = found.items() if isinstance(found, dict) else enumerate(found)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list) and key not in ("text", "label", "hint", "options"):
            yield from _gaps(value, (*path, key))


def _without(payload: Payload, path: Path_) -> Iterator[Payload]:
    """Once with the field null, and once without it."""
    for null in (True, False):
        changed = deepcopy(payload)
        inside: Any = changed
        for key in path[:-1]:
            inside = inside[key]
        if null:
            inside[path[-1]] = None
        elif isinstance(inside, dict):
            del inside[path[-1]]
        else:
            inside.pop(path[-1])
        yield changed


def _fields(payload: Payload) -> list[Any]:
    """The texts of a modal's fields."""
    blocks = ((payload.get("view") or {}).get("state") or {}).get("values") or {}
    return [
        field["value"]
        for block in blocks.values()
        for field in (block or {}).values()
        if field and "value" in field
    ]


def _edit_pressed(slack: Slack) -> Payload:
    ana = slack.person("Ana")
    card(ana, "ana@example.com")
    ana.press("Edit")
    return last_sent(slack, "block_actions edit")


def _menu_in_a_modal(slack: Slack) -> Payload:
    ana = slack.person("Ana")
    ana.command("/optin")
    ana.pick("Find", "Ana Gómez", typed="ana g")
    ana.overflow("Details")
    return last_sent(slack, "block_actions more")


def _log_turned(slack: Slack) -> Payload:
    ana = slack.person("Ana")
    card(ana, "ana@example.com")
    ana.press("Activity")
    ana.choose("log_kind", "Notes")
    return last_sent(slack, "block_actions log_kind")


def _edit_saved(slack: Slack) -> Payload:
    ana = slack.person("Ana")
    card(ana, "ana@example.com")
    ana.press("Edit")
    ana.choose("Email On", "YES")  # as it is
    ana.submit()
    return last_sent(slack, "view_submission edit_modal")


def _details_saved(slack: Slack) -> Payload:
    ana = slack.person("Ana")
    card(ana, "ana@example.com")
    ana.overflow("Change contact")
    ana.type("Phone", "nonsense")
    ana.submit()
    return last_sent(slack, "view_submission details_modal")


def _request_sent(slack: Slack) -> Payload:
    ana = slack.person("Ana")
    card(ana, "grace@example.com")
    ana.press("Request re-opt-in")
    ana.type("Evidence", "\u200b")
    ana.submit()
    return last_sent(slack, "view_submission request_modal")


def _typed(slack: Slack) -> Payload:
    ana = slack.person("Ana")
    ana.command("/optin")
    ana.suggest("Find", "ana")
    return last_sent(slack, "block_suggestion find")


def _shortcut(kind: str, **more: Any) -> Payload:
    return {
        "type": kind,
        "callback_id": "rockets",
        "trigger_id": "1.2.3",
        "response_url": "",
        "user": {"id": "U0ANAGMZ01", "team_id": "T1"},
        "team": {"id": "T1"},
        "channel": {"id": "C1"},
    } | more


def _other(kind: str, **more: Any) -> Any:
    return lambda slack: _shortcut(kind, **more) | {"user": _command_user(slack)}


def _command_user(slack: Slack) -> dict[str, str]:
    return {"id": slack.person("Ana").id}


KINDS = {
    "command": command,
    "button": _edit_pressed,
    "menu in a modal": _menu_in_a_modal,
    "select in a modal": _log_turned,
    "edit": _edit_saved,
    "details": _details_saved,
    "request": _request_sent,
    "typeahead": _typed,
    "global shortcut": _other("shortcut"),
    "message shortcut": _other("message_action", message={"text": "x"}, message_ts="1.2"),
    "closed": _other("view_closed", view={"id": "V1", "callback_id": "x", "type": "modal"}),
    "old button": _other("interactive_message", actions=[{"name": "a", "value": "b"}]),
    "dialog": _other("dialog_submission", submission={"a": "b"}, state="x"),
    "dialog typeahead": _other("dialog_suggestion", name="x", value="y"),
    "workflow step": _other("workflow_step_edit", workflow_step={"inputs": {}}),
    "event": lambda slack: {
        "type": "event_callback",
        "team_id": "T1",
        "authorizations": [{"team_id": "T1", "user_id": "U1", "enterprise_id": None}],
        "event": {"type": "workflow_step_execute", "workflow_step": {}, "callback_id": "x"},
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_that_is_missing_or_null_is_a_sentence_and_never_a_500(
    slack: Slack, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    payload = KINDS[kind](slack)
    # The window itself is not needed for what is asked here, and Slack's triggers are used up.
    slack.workspace.fault("views.open", "error", error="expired_trigger_id", times=10**6)
    slack.workspace.fault("views.push", "error", error="expired_trigger_id", times=10**6)
    contact = slack.find("ana@example.com")

    for path in _gaps(payload):
        for changed in _without(payload, path):
            if "command" in payload and (path == ("command",) or None in changed.values()):
                continue  # nothing of Slack's; and a form has no nulls
            if changed == payload or (None in _fields(changed) and path[-1] == "value"):
                continue  # a field that was emptied
            status, body = post(slack, changed)
            if path == ("type",) or changed.get("actions") == []:
                assert status == 400  # nothing of Slack's
                continue
            assert status == 200 or kind == "event", (path, status, body)
            assert status < 500, (path, body)
            assert "Something broke" not in body, path
            if "command" in payload or kind in ("edit", "details", "request"):
                assert body, path

    assert "Something broke" not in "".join(m.plain for m in slack.person("Ana").dms())
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    assert slack.find("ana@example.com") == contact


def test_a_modal_that_lost_its_fields_saves_nothing_and_says_so(slack: Slack) -> None:
    submitted = _edit_saved(slack)
    for state in (None, {}, {"values": None}, {"values": []}):
        status, body = post(slack, submitted | {"view": submitted["view"] | {"state": state}})

        assert status == 200
        assert "Slack left out what you typed" in body


def test_kinds_that_slack_left_out_are_not_switched_off(slack: Slack) -> None:
    lee = slack.person("Lee")
    ingest(slack.service, [reply("STOP", "+12125550101")])
    slack.workspace.wait_until(lambda: bool(lee.messages("#optin-alerts")))
    lee.overflow("Alert settings", in_=lee.messages("#optin-alerts")[-1])
    lee.submit()
    submitted = last_sent(slack, "view_submission alert_settings_modal")
    for values in ({}, {"kinds": None}, {"kinds": {"kinds": None}}):
        submitted["view"]["state"] = {"values": values}
        status, body = post(slack, submitted)

        assert status == 200
        assert "left out" in body
    assert not alert_settings(slack.service, ALERTS).off


@pytest.mark.parametrize("user", [None, {}, {"id": None}, "missing"])
def test_who_asks_has_to_be_said(slack: Slack, user: Any) -> None:
    pressed = _edit_pressed(slack)
    ana = slack.person("Ana")
    if user == "missing":
        del pressed["user"]
    else:
        pressed["user"] = user

    status, _ = post(slack, pressed)

    assert status == 200
    assert "did not say who asked" in ana.messages()[-1].plain


@pytest.mark.parametrize("field", ["enterprise_user", "team_id", "deleted", "is_bot"])
def test_a_person_whom_slack_describes_with_nulls_is_let_in(slack: Slack, field: str) -> None:
    """`enterprise_user` is null for people outside of an Enterprise organisation."""
    known = {"id": "U1", "team_id": "T1", "enterprise_user": {"teams": ["T1"]}}

    assert _full_member(known | {field: None}, "T1")
    assert _full_member(known | {"enterprise_user": {"teams": None}}, "T1")
    assert not _full_member({"id": "U1", "team_id": "T2", "enterprise_user": None}, "T1")
