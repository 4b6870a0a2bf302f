"""Workflows of one step: started by a person, carried out by the app, ended once.

Each run has a token of its own. Slack revokes it after 15 minutes, and when the step is completed.
https://docs.slack.dev/reference/events/function_executed
https://github.com/slackapi/bolt-python/issues/1075
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sandbox.first_workspace import APP
from sandbox.sandbox_errors import ApiRefused, Impossible
from sandbox.workflows.custom_steps import CustomStep, StepParameter
from sandbox.workspace_state import World

TOKEN_LIVES: Final = timedelta(minutes=15)
_USER: Final = "slack#/types/user_id"
_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    _USER: str,
}


class RunState(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(slots=True, kw_only=True)
class StepRun:
    """One run of a step."""

    id: str
    workflow: str
    step: CustomStep
    #: Who started it.
    person: str
    inputs: dict[str, Any]
    token: str
    at: datetime
    state: RunState = RunState.RUNNING
    outputs: dict[str, Any] = field(default_factory=dict)
    #: What the app said where it failed.
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "callback_id": self.step.callback_id,
            "title": self.step.title,
            "inputs": self.inputs,
            "state": self.state,
            "outputs": self.outputs,
            "error": self.error,
        }


class StepRuns:
    """Every run of one workspace."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._runs: dict[str, StepRun] = {}

    def of(self, person: str) -> list[StepRun]:
        """Oldest first."""
        return [run for run in self._runs.values() if run.person == person]

    def start(self, step: CustomStep, person: str, given: Mapping[str, Any]) -> StepRun:
        """Raises Impossible for inputs that Workflow Builder would not let pass."""
        names = {parameter.name for parameter in step.inputs}
        if unknown := sorted(given.keys() - names):
            raise Impossible(f"{step.title} has no input {unknown[0]}.")
        inputs = {name: value for name, value in given.items() if value is not None}
        for parameter in step.inputs:
            if problem := self._problem(parameter, inputs):
                raise Impossible(problem)
        run = StepRun(
            id=self._world.new_id("Fx"),
            workflow=self._world.new_id("Wx"),
            step=step,
            person=person,
            inputs=inputs,
            token=f"xwfp-{secrets.token_hex(16)}",
            at=self._world.clock(),
        )
        self._runs[run.id] = run
        self._world.changed("workflow", person=person)
        return run

    def by_token(self, token: str) -> StepRun | None:
        """The run of a step's token. Raises ApiRefused where it is revoked."""
        run = next((one for one in self._runs.values() if one.token == token), None)
        if run is None:
            return None
        if run.state is not RunState.RUNNING or self._world.clock() - run.at >= TOKEN_LIVES:
            raise ApiRefused("token_revoked")
        return run

    def complete(self, id: str, outputs: object, token: str) -> None:
        run = self._running(id, token)
        if not isinstance(outputs, dict):
            raise ApiRefused("invalid_arguments", ["[ERROR] must be an object: outputs"])
        wrong = [
            f"[ERROR] unknown output: {name}"
            for name in outputs.keys() - {one.name for one in run.step.outputs}
        ]
        wrong += [
            f"[ERROR] {problem}"
            for one in run.step.outputs
            if (problem := self._problem(one, outputs))
        ]
        if wrong:
            raise ApiRefused("parameter_validation_failed", wrong)
        run.state, run.outputs = RunState.COMPLETED, outputs
        self._world.changed("workflow", person=run.person)

    def fail(self, id: str, error: str, token: str) -> None:
        run = self._running(id, token)
        run.state, run.error = RunState.FAILED, error
        self._world.changed("workflow", person=run.person)

    def _running(self, id: str, token: str) -> StepRun:
        run = self._runs.get(id)
        if run is None:
            raise ApiRefused("function_execution_not_found")
        if token.startswith("xwfp-") and token != run.token:
            raise ApiRefused("access_denied")
        if run.state is not RunState.RUNNING:
            raise ApiRefused("execution_not_in_running_state")
        return run

    def _problem(self, parameter: StepParameter, values: Mapping[str, Any]) -> str | None:
        value = values.get(parameter.name)
        if value is None:
            return f"{parameter.title} is required." if parameter.required else None
        if not isinstance(value, _TYPES.get(parameter.type, object)):
            return f"{parameter.title} is no {parameter.type}."
        if parameter.type == _USER and value not in self._world.people:
            return f"{parameter.title} is nobody here."
        return None


def event_of(run: StepRun, event_ts: str) -> dict[str, Any]:
    """The event that tells the app to carry it out."""
    step = run.step
    return {
        "type": "function_executed",
        "function": {
            "id": f"Fn{step.callback_id.upper()[:9]}",
            "callback_id": step.callback_id,
            "title": step.title,
            "description": step.description,
            "type": "app",
            "input_parameters": [_described(one) for one in step.inputs],
            "output_parameters": [_described(one) for one in step.outputs],
            "app_id": APP,
            "date_created": 0,
            "date_updated": 0,
            "date_deleted": 0,
        },
        "inputs": run.inputs,
        "function_execution_id": run.id,
        "workflow_execution_id": run.workflow,
        "event_ts": event_ts,
        "bot_access_token": run.token,
    }


def _described(parameter: StepParameter) -> dict[str, Any]:
    return {
        "type": parameter.type,
        "name": parameter.name,
        "description": parameter.description,
        "title": parameter.title,
        "is_required": parameter.required,
    }
