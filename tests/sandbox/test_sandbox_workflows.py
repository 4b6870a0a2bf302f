"""Steps of workflows in the sandbox: tokens that are revoked, and what Slack refuses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web import WebClient

from sandbox.client import Workspace
from sandbox.first_workspace import ANA, SUPPORT
from sandbox.manifest import read_manifest
from sandbox.sandbox_errors import Impossible
from tests.support.sandbox_fixtures import web_client

WORD = {"type": "string", "title": "Word", "is_required": True}
MANIFEST: dict[str, Any] = {
    "settings": {"org_deploy_enabled": True},
    "oauth_config": {"scopes": {"bot": ["chat:write"]}},
    "functions": {
        "shout": {
            "title": "Shout",
            "input_parameters": {
                "word": WORD,
                "who": {"type": "slack#/types/user_id", "title": "Who"},
            },
            "output_parameters": {"loud": WORD},
        }
    },
}


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def ws(hands: Hands) -> Iterator[Workspace]:
    with Workspace.start(
        mode="http", manifest=read_manifest(MANIFEST), retry_delays=(), clock=hands
    ) as ws:
        yield ws


def start(ws: Workspace, **inputs: Any) -> tuple[str, WebClient]:
    """The execution's id, and a client with the token of the step."""
    ws.person("Ana").run_step("shout", word="hey", **inputs)
    event = ws.journal("function_executed")[-1]["args"]["event"]
    return event["function_execution_id"], web_client(ws, event["bot_access_token"])


def refusal(call: Any, **args: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        call(**args)
    return str(refused.value.response["error"])


def test_the_event_has_inputs_a_token_and_no_person(ws: Workspace) -> None:
    start(ws, who=ANA)

    event = ws.journal("function_executed")[-1]["args"]["event"]
    assert event["function"]["callback_id"] == "shout"
    assert event["inputs"] == {"word": "hey", "who": ANA}
    assert event["bot_access_token"].startswith("xwfp-")
    assert "user" not in event


def test_a_step_ends_once_and_its_token_with_it(ws: Workspace) -> None:
    id, client = start(ws)
    client.chat_postMessage(channel=SUPPORT, text="on it")
    client.functions_completeSuccess(function_execution_id=id, outputs={"loud": "HEY"})

    (run,) = ws.person("Ana").step_runs()
    assert (run["state"], run["outputs"]) == ("completed", {"loud": "HEY"})
    again = {"function_execution_id": id, "outputs": {"loud": "HEY"}}
    assert refusal(client.functions_completeSuccess, **again) == "token_revoked"
    own = web_client(ws)
    assert refusal(own.functions_completeSuccess, **again) == "execution_not_in_running_state"
    assert (
        refusal(own.functions_completeError, function_execution_id=id, error="no")
        == "execution_not_in_running_state"
    )


def test_after_fifteen_minutes_only_the_apps_own_token_ends_it(ws: Workspace, hands: Hands) -> None:
    id, client = start(ws)
    hands.now += timedelta(minutes=15)

    assert refusal(client.auth_test) == "token_revoked"
    web_client(ws).functions_completeError(function_execution_id=id, error="too late")
    (run,) = ws.person("Ana").step_runs()
    assert (run["state"], run["error"]) == ("failed", "too late")


def test_a_step_can_not_end_another(ws: Workspace) -> None:
    first, _ = start(ws)
    _, second = start(ws)

    assert (
        refusal(
            second.functions_completeSuccess, function_execution_id=first, outputs={"loud": "A"}
        )
        == "access_denied"
    )
    assert (
        refusal(second.functions_completeError, function_execution_id="Fx0", error="no")
        == "function_execution_not_found"
    )


@pytest.mark.parametrize("outputs", [{}, {"loud": 1}, {"loud": "A", "more": "B"}])
def test_outputs_have_to_be_those_of_the_manifest(
    ws: Workspace, outputs: dict[str, object]
) -> None:
    id, client = start(ws)

    assert (
        refusal(client.functions_completeSuccess, function_execution_id=id, outputs=outputs)
        == "parameter_validation_failed"
    )


@pytest.mark.parametrize(
    "inputs", [{}, {"word": 1}, {"word": "a", "who": "U0NOBODY"}, {"word": "a", "more": "b"}]
)
def test_inputs_have_to_be_those_of_the_manifest(ws: Workspace, inputs: dict[str, Any]) -> None:
    with pytest.raises(Impossible):
        ws.person("Ana").run_step("shout", **inputs)


def test_an_app_that_is_not_ready_for_organisations_has_no_steps() -> None:
    manifest = read_manifest(MANIFEST | {"settings": {"org_deploy_enabled": False}})

    assert manifest.steps == ()
