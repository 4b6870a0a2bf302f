"""The fields of a view or message: what a person fills in, what `state.values` tells of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

REQUIRED: Final = "Please complete this required field."

# element type -> (its key in state.values, its key for an initial value)
STATE: Final = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "file_input": ("files", "initial_files"),
}
MULTIPLE: Final = {"checkboxes", "file_input"} | {name for name in STATE if name[:6] == "multi_"}
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_TIME: Final = re.compile(r"\d\d:\d\d")

Values = dict[str, dict[str, Any]]
"""block_id -> action_id -> what the person entered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """An element that holds a value, and the block it stands in."""

    block: dict[str, Any]
    element: dict[str, Any]

    @property
    def is_input(self) -> bool:
        return bool(self.block["type"] == "input")

    @property
    def is_required(self) -> bool:
        return self.is_input and not self.block.get("optional")


def elements(blocks: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every interactive element with its block."""
    for block in blocks:
        kind = block["type"]
        if kind == "input":
            yield block, block["element"]
        elif kind in ("actions", "context_actions"):
            yield from ((block, element) for element in block["elements"])
        elif kind == "section" and isinstance(block.get("accessory"), dict):
            if block["accessory"].get("type") != "image":
                yield block, block["accessory"]
        elif kind == "card":
            yield from ((block, element) for element in block.get("actions", ()))
        elif kind in ("container", "carousel"):
            yield from elements(block.get("child_blocks") or block.get("elements") or [])


def find(
    blocks: list[dict[str, Any]], block_id: str, action_id: str
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    for block, element in elements(blocks):
        if block["block_id"] == block_id and element["action_id"] == action_id:
            return block, element
    return None


def fields(blocks: list[dict[str, Any]]) -> Iterator[Field]:
    for block, element in elements(blocks):
        if element["type"] in STATE:
            yield Field(block=block, element=element)


def initial(element: dict[str, Any]) -> Any:
    """What an untouched field holds."""
    value = element.get(STATE[element["type"]][1])
    return ([] if value is None else value) if element["type"] in MULTIPLE else value


def initial_values(blocks: list[dict[str, Any]], kept: Values | None = None) -> Values:
    """Fields of `kept` with the same block and action keep what was entered."""
    values: Values = {}
    for field in fields(blocks):
        block_id, action_id = field.block["block_id"], field.element["action_id"]
        typed = (kept or {}).get(block_id, {})
        value = typed[action_id] if action_id in typed else initial(field.element)
        values.setdefault(block_id, {})[action_id] = value
    return values


def state(blocks: list[dict[str, Any]], values: Values) -> dict[str, dict[str, Any]]:
    """`state.values` of a payload."""
    told: dict[str, dict[str, Any]] = {}
    for field in fields(blocks):
        block_id, action_id = field.block["block_id"], field.element["action_id"]
        kind = field.element["type"]
        value = values.get(block_id, {}).get(action_id)
        entry = {"type": kind, STATE[kind][0]: value}
        if kind == "timepicker" and "timezone" in field.element:
            entry["timezone"] = field.element["timezone"]
        told.setdefault(block_id, {})[action_id] = entry
    return told


def problems(blocks: list[dict[str, Any]], values: Values) -> dict[str, str]:
    """What the client says before it submits: block_id -> sentence."""
    found: dict[str, str] = {}
    for field in fields(blocks):
        block_id = field.block["block_id"]
        value = values.get(block_id, {}).get(field.element["action_id"])
        if value in (None, "", []):
            if field.is_required:
                found[block_id] = REQUIRED
        elif problem := _problem(field.element, value):
            found[block_id] = problem
    return found


def _problem(  # noqa: PLR0911 - a table of kinds of fields
    element: dict[str, Any], value: Any
) -> str | None:
    kind = element["type"]
    if kind in MULTIPLE:
        most = element.get("max_selected_items") or element.get("max_files")
        return f"Choose at most {most}." if most and len(value) > most else None
    if kind == "plain_text_input":
        least, most = element.get("min_length", 0), element.get("max_length", 3000)
        if len(value) < least:
            return f"Must be at least {least} characters long."
        return f"Must be at most {most} characters long." if len(value) > most else None
    if kind == "email_text_input":
        return None if _EMAIL.fullmatch(value) else "Please enter a valid email address."
    if kind == "url_text_input":
        return None if value.startswith(("http://", "https://")) else "Please enter a valid URL."
    if kind == "number_input":
        return _number_problem(element, value)
    if kind == "datepicker":
        return None if _DATE.fullmatch(value) else "Please enter a valid date."
    if kind == "timepicker":
        return None if _TIME.fullmatch(value) else "Please enter a valid time."
    return None


def _number_problem(element: dict[str, Any], value: str) -> str | None:
    try:
        number = float(value)
    except ValueError:
        return "Please enter a number."
    if not element["is_decimal_allowed"] and not number.is_integer():
        return "Please enter a whole number."
    if "min_value" in element and number < float(element["min_value"]):
        return f"Must be at least {element['min_value']}."
    if "max_value" in element and number > float(element["max_value"]):
        return f"Must be at most {element['max_value']}."
    return None
