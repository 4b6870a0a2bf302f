"""manifest.yml against Slack's published limits, and against the code: all it uses, no more."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from slack_sdk import WebClient

from bot.cli.doctor_command import OPTIONAL_SCOPES
from bot.config.settings import Settings
from handlers.slack.bolt_app import (
    _EVENTS,
    _FUNCTIONS,
    _SHORTCUTS,
    _WAITING_FUNCTIONS,
    _WRITING_FUNCTIONS,
)
from handlers.slack.workflow_steps import check_status, re_opt_in, record_opt_out
from handlers.slack.workflow_steps.step_contact import CHANNEL, CONTACT
from handlers.slack.workflow_steps.step_request import PERSON

ROOT = Path(__file__).parents[2]
MANIFEST = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
LIMITS = json.loads((ROOT / "sandbox/block-kit-limits.json").read_text(encoding="utf-8"))[
    "manifest"
]

#: By method of the client, the scope that Slack wants for it, as its reference says:
#: https://docs.slack.dev/reference/methods. None: the token alone is enough.
SCOPES = {
    "apps_connections_open": None,  # the app-level token, with connections:write
    "auth_test": None,
    "functions_completeError": None,
    "functions_completeSuccess": None,
    "views_open": None,
    "views_publish": None,
    "views_push": None,
    "views_update": None,
    "chat_postMessage": "chat:write",
    "chat_postEphemeral": "chat:write",
    "chat_update": "chat:write",
    "chat_delete": "chat:write",
    "chat_unfurl": "links:write",
    "conversations_open": "im:write",
    # The alert channel may be public or private.
    "conversations_history": {"channels:history", "groups:history"},
    "conversations_replies": {"channels:history", "groups:history"},
    # Of public and private channels.
    "conversations_info": {"channels:read", "groups:read"},
    "files_upload_v2": "files:write",
    "files_getUploadURLExternal": "files:write",
    "files_completeUploadExternal": "files:write",
    "files_info": "files:read",
    "users_info": "users:read",
    "usergroups_list": "usergroups:read",
    "usergroups_users_list": "usergroups:read",
}

#: For what the manifest itself offers.
OFFERED = {"slash_commands": "commands", "shortcuts": "commands"}


#: What events need beside the scopes of the methods: https://docs.slack.dev/reference/events.
EVENT_SCOPES = {
    "app_mention": "app_mentions:read",
    "message.im": "im:history",
    "link_shared": "links:read",
}

#: By kind, what `bolt_app` registers out of a table, and the calls that do it.
TABLES = {
    "event": _EVENTS,
    "shortcut": _SHORTCUTS,
    "function": _FUNCTIONS | _WRITING_FUNCTIONS | _WAITING_FUNCTIONS,
}
FROM_TABLES = {
    "app.event(event.partition('.')[0])",
    "app.shortcut(callback)",
    "app.shortcut(_ANY)",
    "app.function(callback)",
    "app.function(_ANY)",
}


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call of a method in the product's source: its name, and the call."""
    for folder in ("bot", "handlers"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    yield node.func.attr, node


def web_api_methods() -> set[str]:
    """The Web API's methods that the code calls, as slack_sdk spells them."""
    return {
        name for name, _ in calls() if name[0] != "_" and "_" in name and hasattr(WebClient, name)
    }


def registered(kind: str) -> set[str]:
    """What the code registers by `app.<kind>("…")`, where it has to stand as it is, or by the
    table of the kind."""
    found: set[str] = set(TABLES.get(kind, ()))
    for name, call in calls():
        if name == kind and isinstance(call.func, ast.Attribute):
            owner = ast.unparse(call.func.value)
            if owner in ("app", "bolt") and ast.unparse(call) not in FROM_TABLES:
                assert isinstance(call.args[0], ast.Constant), ast.unparse(call)
                found.add(str(call.args[0].value))
    return found


def values(field: str) -> list[Any]:
    """What the manifest has at a place such as `features.slash_commands[].command`."""
    found: list[Any] = [MANIFEST]
    for part in field.split("."):
        name, many = part.removesuffix("[]"), part.endswith("[]")
        found = [value[name] for value in found if isinstance(value, dict) and name in value]
        if many:
            found = [item for value in found for item in value]
    return found


@pytest.mark.parametrize("limit", LIMITS, ids=[limit["field"] for limit in LIMITS])
def test_the_manifest_keeps_to_slacks_published_limits(limit):
    for value in values(limit["field"]):
        assert limit.get("min", 0) <= len(value) <= limit["max"]


def test_the_bots_name_has_only_characters_that_slack_takes():
    assert re.fullmatch("[a-z0-9._-]+", MANIFEST["features"]["bot_user"]["display_name"])


def test_it_offers_the_command_that_the_code_answers_by_default():
    assert values("features.slash_commands[].command") == [Settings().command]


@pytest.mark.parametrize("kind", ["shortcut", "global_shortcut", "message_shortcut"])
def test_it_offers_the_shortcuts_that_the_code_answers(kind):
    wanted = {"global_shortcut": ["global"], "message_shortcut": ["message"]}
    types = wanted.get(kind, ["global", "message"])
    offered = {
        shortcut["callback_id"]
        for shortcut in values("features.shortcuts[]")
        if shortcut["type"] in types
    }

    assert registered(kind) <= offered


def test_it_offers_no_shortcut_that_nothing_answers():
    answered = (
        registered("shortcut") | registered("global_shortcut") | registered("message_shortcut")
    )

    assert set(values("features.shortcuts[].callback_id")) <= answered


def test_it_subscribes_to_the_events_that_the_code_hears():
    assert set(values("settings.event_subscriptions.bot_events[]")) == registered("event")


#: By step, the inputs and outputs that the code reads and gives.
STEPS = {
    "check_status": (
        {CONTACT, CHANNEL, PERSON},
        {check_status.ANSWER, check_status.REASON, check_status.FOUND},
    ),
    "record_opt_out": (
        {CONTACT, CHANNEL, record_opt_out.WHO_ASKED, record_opt_out.NOTE, PERSON},
        {record_opt_out.DONE},
    ),
    "request_re_opt_in": (
        {CONTACT, CHANNEL, re_opt_in.EVIDENCE, re_opt_in.NOTE, PERSON},
        {re_opt_in.REQUEST, re_opt_in.STATE},
    ),
    "wait_for_outcome": ({re_opt_in.REQUEST, PERSON}, {re_opt_in.OUTCOME}),
}


def test_it_offers_the_steps_that_the_code_answers():
    functions = MANIFEST["functions"]

    assert set(functions) == registered("function") == set(STEPS)
    for name, (inputs, outputs) in STEPS.items():
        assert set(functions[name]["input_parameters"]) == inputs
        assert set(functions[name]["output_parameters"]) == outputs


def test_slack_takes_the_steps():
    assert MANIFEST["settings"]["org_deploy_enabled"] is True
    assert MANIFEST["settings"]["function_runtime"] == "remote"
    for callback_id, function in MANIFEST["functions"].items():
        assert re.fullmatch("[a-z_]{1,100}", callback_id)
        assert len(function["title"]) <= 255
        for side in ("input_parameters", "output_parameters"):
            for name, parameter in function[side].items():
                assert parameter["name"] == name
                assert parameter["type"] in ("string", "slack#/types/user_id")
                assert parameter["title"]
                assert parameter["description"]


def test_buttons_and_forms_are_on():
    assert MANIFEST["settings"]["interactivity"]["is_enabled"] is True


def test_the_scope_of_every_method_that_the_code_calls_is_known():
    assert web_api_methods() <= SCOPES.keys()


def test_it_asks_for_the_scopes_that_the_code_needs_and_no_more():
    needed: set[str] = set()
    for scopes in (SCOPES[method] for method in web_api_methods()):
        needed |= {scopes} if isinstance(scopes, str) else set(scopes or ())
    needed |= {scope for feature, scope in OFFERED.items() if feature in MANIFEST["features"]}
    needed |= {EVENT_SCOPES[event] for event in registered("event") & EVENT_SCOPES.keys()}
    asked = values("oauth_config.scopes.bot[]")

    assert set(asked) == needed
    assert len(asked) == len(set(asked))
    assert values("oauth_config.scopes.user") == []


def test_optional_scopes_are_a_part_of_the_scopes_and_doctor_says_what_each_is_for():
    optional = values("oauth_config.scopes.bot_optional[]")

    assert set(optional) < set(values("oauth_config.scopes.bot[]"))
    assert sorted(optional) == sorted(OPTIONAL_SCOPES)


def test_configuration_md_explains_each_scope():
    page = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    table = page.partition("| scope | why |")[2].partition("\n\n")[0]
    explained = [
        scope
        for row in table.splitlines()
        for scope in re.findall(
            r"`([a-z_]+(?::[a-z.]+)?)`", row.split("|")[1] if "|" in row else ""
        )
    ]

    assert sorted(explained) == sorted(values("oauth_config.scopes.bot[]"))


def hook(*arguments: str) -> str:
    found = subprocess.run(
        [sys.executable, "-m", "bot.cli.slack_hooks", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert found.stderr == ""
    return found.stdout


def test_the_slack_cli_gets_the_manifest_as_json():
    assert json.loads(hook("get-manifest")) == MANIFEST


def test_the_slack_cli_can_tell_it_from_other_output():
    before, manifest, after = hook(
        "get-manifest", "--protocol=message-boundaries", "--boundary=@@edge@@", "--newer=flag"
    ).split("@@edge@@")

    assert (before, after) == ("", "\n")
    assert json.loads(manifest) == MANIFEST


def test_the_slack_clis_hooks_are_ours():
    hooks = json.loads((ROOT / ".slack/hooks.json").read_text(encoding="utf-8"))

    assert hooks["config"]["sdk-managed-connection-enabled"] is True
    for name, command in hooks["hooks"].items():
        assert command == f".venv/bin/python -m bot.cli.slack_hooks {name}"


def test_the_slack_cli_watches_the_manifest_that_exists():
    hooks = json.loads((ROOT / ".slack/hooks.json").read_text(encoding="utf-8"))

    assert hooks["runtime"] == "python"
    assert hooks["config"]["watch"] == {"manifest": {"paths": ["manifest.yml"]}}
    assert (ROOT / "manifest.yml").is_file()
