"""The commands of docs/automation.md do what the page says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bot.consent.api_key import Scope
from bot.consent.model import ConsentValue
from bot.consent.use_cases import Details, StatusUpdate, add, change
from bot.consent.use_cases.api_keys import add_key
from tests.support.api_fixtures import ApiClient, serving_api
from tests.support.consent_fixtures import AGENT, OPERATOR

PAGE = Path(__file__).parents[2] / "docs" / "automation.md"
#: A command with `curl`, and what it prints.
STEPS = re.findall(r"^ *\$ (curl .*)\n *(.*)$", PAGE.read_text("utf-8"), re.M)


def fits(told: Any, shown: Any) -> bool:
    """Whether an answer is the one on the page, where "…" is any text."""
    if isinstance(shown, dict):
        same = isinstance(told, dict) and told.keys() == shown.keys()
        return same and all(fits(told[name], shown[name]) for name in shown)
    if isinstance(shown, list):
        return len(told) == len(shown) and all(map(fits, told, shown))
    if isinstance(shown, str) and "…" in shown:
        return isinstance(told, str) and told.startswith(shown.partition("…")[0])
    return bool(told == shown)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_each_command_of_the_page_prints_what_the_page_shows(api: ApiClient):
    with serving_api(api.service) as client:
        _, key = add_key(api.service, "Zapier", [Scope.WEBHOOKS, Scope.READ], OPERATOR)
        _, check = add_key(api.service, "Make", [Scope.CHECK], OPERATOR)
        ana = add(
            api.service, Details(name="Ana", phone="+14155550100", external_id="crm-1"), AGENT
        )
        yes = StatusUpdate(sms=ConsentValue.YES, evidence="Web form")
        change(api.service, ana.id, yes, AGENT)
        told = {"OPTIN": f"{client.url}/api/v1", "KEY": key, "CHECK_KEY": check}
        # The keys of this test stand in the log before the contact.
        shift = api.get("/changes").json()["next"] - 3

        assert len(STEPS) == 6
        for command, shown in STEPS:
            moved = re.sub(r"after=(\d+)", lambda m: f"after={int(m[1]) + shift}", command)
            done = subprocess.run(
                ["bash", "-c", moved], env=told, capture_output=True, text=True, check=True
            )
            answer, wanted = json.loads(done.stdout), json.loads(shown)
            if isinstance(answer, dict):
                told["ID"] = str(answer.get("id", ""))
                answer = json.loads(
                    re.sub(
                        r'"(seq|next|as_of)": (\d+)',
                        lambda m: f'"{m[1]}": {int(m[2]) - shift}',
                        json.dumps(answer),
                    )
                )

            assert fits(answer, wanted), (command, answer)
