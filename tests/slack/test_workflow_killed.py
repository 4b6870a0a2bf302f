"""The bot killed while a workflow waits: the step ends once, after the restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.consent.model import Actor, Role
from bot.consent.use_cases import approve
from bot.demo.samples import fill
from bot.runtime.open_service import open_service
from bot.runtime.read_settings import read_settings
from sandbox.client import PersonClient, Workspace
from sandbox.first_workspace import LEE
from tests.support.balancer import free_ports
from tests.support.serving import serving
from tests.support.slack_fixtures import MANIFEST
from tests.support.storages import path_in, url_of

MANAGER = Actor(id=f"slack:{LEE}", role=Role.MANAGER, source="slack")
STOPPED = "ana@example.com"


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.start(mode="http", ack_timeout=10.0, manifest=MANIFEST) as workspace:
        yield workspace


def start(person: PersonClient, step: str, /, **inputs: Any) -> int:
    """The number of the run."""
    number = len(person.step_runs())
    assert person.run_step(step, person=person.id, **inputs).error is None
    return number


def end(workspace: Workspace, person: PersonClient, number: int) -> dict[str, Any]:
    workspace.wait_until(lambda: person.step_runs()[number]["state"] != "running", timeout=30)
    return person.step_runs()[number]


def test_a_waiting_step_completes_once_after_the_bot_was_killed(
    workspace: Workspace, tmp_path: Path
) -> None:
    storage = url_of(path_in(tmp_path / "storage"))
    settings = read_settings({"OPTIN_STORAGE": storage})
    with open_service(settings) as service:
        fill(service)
    ana = workspace.person("Ana")
    (port,) = free_ports(1)
    with serving(tmp_path, workspace, port, storage) as process:
        workspace.set_request_url(f"http://127.0.0.1:{port}/slack/events")
        end(workspace, ana, start(ana, "record_opt_out", contact=STOPPED))
        asked = end(
            workspace, ana, start(ana, "request_re_opt_in", contact=STOPPED, evidence="Form 7")
        )
        waiting = start(ana, "wait_for_outcome", request=asked["outputs"]["request"])
        process.kill()  # as soon as the step is acknowledged
    with open_service(settings) as service:
        approve(service, asked["outputs"]["request"], MANAGER)
    assert ana.step_runs()[waiting]["state"] == "running"

    (again,) = free_ports(1)
    with serving(tmp_path, workspace, again, storage):
        workspace.set_request_url(f"http://127.0.0.1:{again}/slack/events")
        assert end(workspace, ana, waiting)["outputs"] == {"outcome": "approved"}
        # What is asked after it is answered after it: had it been told twice, it would show.
        end(workspace, ana, start(ana, "check_status", contact=STOPPED))
    told = workspace.journal("functions.completeSuccess")
    execution = ana.step_runs()[waiting]["id"]
    assert [line["outcome"] for line in told if execution in str(line["args"])] == ["ok"]
