"""Every limit of block-kit-limits.json: taken at its maximum, refused one beyond it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox.block_kit.check import check_blocks, check_options, check_view
from sandbox.block_kit.limits import ELSEWHERE, Limit, all_limits, data
from tests.support.sandbox_examples import BARS, BLOCKS, COMPOSITIONS, ELEMENTS, OPTIONS, VIEWS
from tests.support.sandbox_fixtures import (
    actions,
    button,
    field,
    modal,
    mrkdwn,
    option,
    plain,
    section,
)


@dataclass(frozen=True)
class Case:
    limit: Limit
    node: dict[str, Any]
    check: Callable[[dict[str, Any]], list[str]]


def case_of(limit: Limit) -> Case:
    match limit.kind:
        case "message":
            return Case(
                limit, {"blocks": [section("a")]}, lambda node: check_blocks(node["blocks"])
            )
        case "view":
            return Case(limit, VIEWS[limit.type], check_view)
        case "block":
            kind = "section" if limit.type == "*" else limit.type
            node = BLOCKS[kind]
            if limit.type == "*":
                node = {**node, "block_id": "b"}
            if "series" in limit.path or "axis_config" in limit.path:
                node = BARS
            return Case(limit, node, check_alone)
        case "element":
            return Case(limit, element_node(limit), check_element)
        case _:
            return Case(limit, COMPOSITIONS[limit.type], check_composition(limit.type))


def element_node(limit: Limit) -> dict[str, Any]:
    node = ELEMENTS[limit.type]
    if limit.type == "external_select" and limit.path == "option_groups":
        return {"option_groups": [COMPOSITIONS["option_group"]]}
    if limit.path == "option_groups":
        without = {name: value for name, value in node.items() if name != "options"}
        return {**without, "option_groups": [COMPOSITIONS["option_group"]]}
    if limit.type == "external_select" and limit.path == "options":
        return {"options": OPTIONS}
    return node


def check_alone(block: dict[str, Any]) -> list[str]:
    if block["type"] == "alert":
        return check_view(modal(block))
    return check_blocks([block])


def check_element(node: dict[str, Any]) -> list[str]:  # noqa: PLR0911 - a table of kinds
    kind = node.get("type")
    if kind is None:
        return check_options(node)
    if kind == "url":
        task = {"type": "task_card", "task_id": "1", "title": "a", "sources": [node]}
        return check_blocks([task])
    if kind in ("feedback_buttons", "icon_button"):
        return check_blocks([{"type": "context_actions", "elements": [node]}])
    if str(kind).startswith("rich_text_") and kind != "rich_text_input":
        return check_blocks([{"type": "rich_text", "elements": [node]}])
    if kind == "image":
        return check_blocks([{"type": "context", "elements": [node]}])
    if kind in ("button", "overflow", "workflow_button"):
        return check_blocks([actions(node)])
    return check_view(modal(field("a", node)))


def check_composition(name: str) -> Callable[[dict[str, Any]], list[str]]:
    def check(node: dict[str, Any]) -> list[str]:
        if name == "text object":
            return check_view(modal({"type": "context", "elements": [node]}))
        if name == "confirm":
            return check_blocks([actions(button("a", "a", confirm=node))])
        if name == "option":
            return check_blocks([actions({"type": "overflow", "options": [node]})])
        if name == "option_group":
            return check_blocks([actions({"type": "static_select", "option_groups": [node]})])
        if name == "dispatch_action_config":
            typed = {"type": "plain_text_input", "dispatch_action_config": node}
            return check_view(modal(field("a", typed)))
        return check_blocks([actions({"type": "conversations_select", "filter": node})])

    return check


def with_size(node: Any, path: str, size: int) -> Any:
    """A copy in which the value at `path` has that size (or is that number)."""
    if not path:
        return grown(node, size)
    step, _, rest = path.partition(".")
    name, depth = step.split("[", 1)[0].split("|")[0], step.count("[]")
    return {**node, name: into(node[name], depth, rest, size)}


def into(value: Any, depth: int, rest: str, size: int) -> Any:
    if depth:
        return [into(value[0], depth - 1, rest, size), *value[1:]]
    return with_size(value, rest, size)


def grown(value: Any, size: int) -> Any:
    if isinstance(value, str):
        return "x" * size
    if isinstance(value, list):
        return [numbered(value[0], number) for number in range(size)]
    return size


def numbered(item: Any, number: int) -> Any:
    if isinstance(item, dict) and "action_id" in item:
        return {**item, "action_id": str(number)}
    if isinstance(item, dict) and "block_id" in item:
        return {**item, "block_id": str(number)}
    return item


def sized(case: Case, size: int) -> list[str]:
    """What is said of the example when its field has that size."""
    path = case.limit.path
    if case.limit.unit == "digits":
        return case.check({**case.node, path: int("1" * size)})
    if path == "rows[]":  # every row as long as the first
        row = case.node["rows"][0]
        return case.check({**case.node, "rows": [row[:1] * size] * 2})
    return case.check(with_size(case.node, path, size))


def named(limit: Limit) -> str:
    return f"{limit.kind} {limit.type} {limit.field}"


WITH_MAX = [limit for limit in all_limits() if limit.max is not None]
WITH_MIN = [limit for limit in all_limits() if limit.min is not None and limit.min > 0]


@pytest.mark.parametrize("limit", WITH_MAX, ids=named)
def test_a_payload_at_its_maximum_is_taken(limit: Limit) -> None:
    assert sized(case_of(limit), limit.max or 0) == []


@pytest.mark.parametrize("limit", WITH_MAX, ids=named)
def test_a_payload_one_beyond_its_maximum_is_refused(limit: Limit) -> None:
    problems = sized(case_of(limit), (limit.max or 0) + 1)

    assert problems
    assert "[json-pointer:/" in problems[0]


@pytest.mark.parametrize("limit", WITH_MIN, ids=named)
def test_a_payload_one_short_of_its_minimum_is_refused(limit: Limit) -> None:
    assert sized(case_of(limit), (limit.min or 0) - 1)


def test_every_row_of_the_file_is_kept_here_or_named_as_kept_elsewhere() -> None:
    here = {(limit.type, limit.field) for limit in all_limits()}
    left = [
        (row["type"], row["field"])
        for row in data()["limits"]
        if (row["type"], row["field"]) not in here
        and (row["type"], row["field"]) not in ELSEWHERE
        and (row["type"], "") not in ELSEWHERE
        and not row["field"].startswith("all cells")
    ]

    assert left == []


def test_the_message_names_the_path_as_slack_does() -> None:
    problems = check_blocks([section("x" * 3001)])

    assert problems == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    ]


@pytest.mark.parametrize(
    ("blocks", "said"),
    [
        ([{"type": "alert", "text": mrkdwn("a")}], "unsupported type: alert"),
        ([{"type": "sparkle"}], "unsupported type: sparkle"),
        ([{"type": "auth_provider"}], "unsupported type: auth_provider"),
        ([{"type": "section"}], "either text or fields"),
        ([section("a", colour="red")], "invalid additional property: colour"),
        ([section("")], "more than 0 characters"),
        ([{"type": "header", "text": mrkdwn("a")}], "must be one of: plain_text"),
        ([actions({"type": "plain_text_input"})], "unsupported type: plain_text_input"),
        ([section("a", block_id="b"), section("b", block_id="b")], "already exists"),
        ([actions(button("a", "x"), button("b", "x"))], "already exists"),
        ([actions(button("a", "x", style="blue"))], "primary, danger"),
        (
            [actions({"type": "static_select", "options": OPTIONS, "initial_option": option("c")})],
            "must exactly match",
        ),
        ([BLOCKS["table"], {**BLOCKS["table"]}], "no more than 1 table"),
        ([BLOCKS["data_visualization"]] * 3, "no more than 2 data_visualization"),
        (
            [{"type": "table", "rows": [[{"type": "raw_text", "text": "x" * 5001}]] * 2}],
            "characters in its cells",
        ),
        ([{"type": "markdown", "text": "x" * 6001}] * 2, "markdown blocks"),
        ("text", "must be an array"),
        (["text"], "must provide an object"),
    ],
)
def test_messages_with_what_slack_refuses_are_refused(blocks: Any, said: str) -> None:
    assert said in " ".join(check_blocks(blocks))


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (modal(field("a", {"type": "button", "text": plain("b")})), "unsupported type: button"),
        (modal(BLOCKS["data_table"]), "unsupported type: data_table"),
        ({**modal(BLOCKS["input"]), "submit": None}, "missing required field: submit"),
        ({"type": "modal", "blocks": []}, "missing required field: title"),
        ({"type": "window"}, "unsupported type: window"),
        (None, "must provide an object"),
        (
            modal(
                *(field(name, {"type": "plain_text_input", "focus_on_load": True}) for name in "ab")
            ),
            "only one element may have focus_on_load",
        ),
    ],
)
def test_views_with_what_slack_refuses_are_refused(view: Any, said: str) -> None:
    assert said in " ".join(check_view(view))
