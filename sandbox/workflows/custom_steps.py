"""The steps that an app offers in Workflow Builder, as its manifest describes them."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class StepParameter:
    """An input or an output of a step."""

    name: str
    type: str
    title: str = ""
    description: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomStep:
    """A step that the app offers in Workflow Builder.

    https://docs.slack.dev/tools/bolt-js/tutorials/custom-steps
    """

    callback_id: str
    title: str
    description: str = ""
    inputs: tuple[StepParameter, ...] = ()
    outputs: tuple[StepParameter, ...] = ()


def read_steps(functions: dict[str, Any]) -> tuple[CustomStep, ...]:
    """Out of the manifest's `functions`."""
    return tuple(
        CustomStep(
            callback_id=callback_id,
            title=row["title"],
            description=row.get("description", ""),
            inputs=_parameters(row.get("input_parameters", {})),
            outputs=_parameters(row.get("output_parameters", {})),
        )
        for callback_id, row in functions.items()
    )


def _parameters(rows: dict[str, Any]) -> tuple[StepParameter, ...]:
    return tuple(
        StepParameter(
            name=name,
            type=row["type"],
            title=row.get("title", name),
            description=row.get("description", ""),
            required=bool(row.get("is_required")),
        )
        for name, row in rows.items()
    )
