"""The API's OpenAPI document: the same each time, published, linted, and never less than before."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.support.api_fixtures import ApiClient
from tests.support.published_api import PUBLISHED, ROOT, breaks, document_text

#: The copy of the last release. No release has an API yet, so it is the one of today.
RELEASED = PUBLISHED


def test_the_published_document_is_the_one_that_the_program_makes() -> None:
    assert PUBLISHED.read_text("utf-8") == document_text(), "run `make openapi`"


def test_the_server_gives_the_published_document(api: ApiClient) -> None:
    assert api.get("/openapi.json").json() == json.loads(PUBLISHED.read_text("utf-8"))


def test_every_process_makes_the_same_document() -> None:
    made = "from tests.support.published_api import document_text; print(document_text(), end='')"
    texts = {
        subprocess.run(
            [sys.executable, "-c", made],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert texts == {document_text()}


def test_no_program_that_was_written_for_the_last_release_misses_anything() -> None:
    released, now = json.loads(RELEASED.read_text("utf-8")), json.loads(document_text())

    assert breaks(released, now) == []


def _without_an_operation(document: Any) -> None:
    del document["paths"]["/cases/{id}/cancel"]


def _without_an_answered_field(document: Any) -> None:
    del document["components"]["schemas"]["GateTold"]["properties"]["owner"]


def _without_an_accepted_field(document: Any) -> None:
    del document["components"]["schemas"]["RecipientAsked"]["properties"]["ref"]


def _without_an_accepted_value(document: Any) -> None:
    document["components"]["schemas"]["EventType"]["enum"].remove("complaint")


def _without_a_parameter(document: Any) -> None:
    parameters = document["paths"]["/changes"]["get"]["parameters"]
    parameters[:] = [one for one in parameters if one["name"] != "wait"]


def _without_a_header(document: Any) -> None:
    del document["paths"]["/contacts/{id}"]["get"]["responses"]["200"]["headers"]["ETag"]


def _with_another_name(document: Any) -> None:
    document["paths"]["/me"]["get"]["operationId"] = "whoami"


def _with_a_field_that_has_to_be_sent(document: Any) -> None:
    schema = document["components"]["schemas"]["WebhookAsked"]
    schema["properties"]["name"] = {"type": "string"}
    schema["required"].append("name")


def _with_a_parameter_that_has_to_be_sent(document: Any) -> None:
    for parameter in document["paths"]["/changes"]["get"]["parameters"]:
        parameter["required"] = parameter["name"] == "after"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_without_an_operation, "POST /cases/{id}/cancel is gone"),
        (
            _without_an_answered_field,
            "POST /check answers 200 application/json/gates/-/owner is gone",
        ),
        (
            _without_an_accepted_field,
            "POST /check takes application/json/recipients/-/ref is gone",
        ),
        (
            _without_an_accepted_value,
            "POST /events takes application/json/-/type=complaint is gone",
        ),
        (_without_a_parameter, "GET /changes takes query wait is gone"),
        (_without_a_header, "GET /contacts/{id} answers 200 with ETag is gone"),
        (_with_another_name, "GET /me as who_am_i is gone"),
        (_with_a_field_that_has_to_be_sent, "POST /webhooks takes application/json needs name now"),
        (_with_a_parameter_that_has_to_be_sent, "GET /changes needs query after now"),
    ],
)
def test_a_change_that_breaks_programs_is_found(change: Callable[[Any], None], said: str) -> None:
    before = json.loads(document_text())
    now = deepcopy(before)
    change(now)

    assert said in breaks(before, now)


def test_a_new_operation_and_a_new_optional_field_break_nothing() -> None:
    before = json.loads(document_text())
    now = deepcopy(before)
    now["paths"]["/new"] = now["paths"]["/me"]
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    now["components"]["schemas"]["WebhookAsked"]["properties"]["more"] = schema

    assert breaks(before, now) == []


def test_spectral_finds_nothing_in_the_document(tmp_path: Path) -> None:
    ruleset = tmp_path / "ruleset.yaml"
    ruleset.write_text('extends: ["spectral:oas"]\n', encoding="utf-8")
    done = subprocess.run(
        [*spectral(), "lint", "--ruleset", ruleset, "--fail-severity", "hint", PUBLISHED],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def spectral() -> list[str]:
    """The command, where Node has its package. Nothing is downloaded."""
    if found := shutil.which("spectral"):
        return [found]
    npx = shutil.which("npx")
    if npx is None:
        pytest.skip("there is no Node")
    command = [npx, "--offline", "--no-install", "--package", "@stoplight/spectral-cli", "spectral"]
    known = subprocess.run([*command, "--version"], capture_output=True, check=False)
    if known.returncode:
        pytest.skip("Node has no spectral (`npm install --global @stoplight/spectral-cli`)")
    return command
