"""Refuses what Slack refuses: unknown types, wrong fields, over-long texts, doubled ids."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.block_kit import limits, totals
from sandbox.block_kit.block_shapes import BLOCKS, COMPOSITIONS, ELEMENTS, VIEWS, Shape
from sandbox.block_kit.places import PLACES, WITHOUT_ACTION

TEXTS: Final = ("plain_text", "mrkdwn")
_JSON: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "bool": (bool,),
    "int": (int,),
    "number": (int, float),
    "list": (list,),
    "object": (dict,),
}


def check_blocks(blocks: Any, surface: str = "message", at: str = "/blocks") -> list[str]:
    """What Slack would say of these blocks, in its own form; empty when it takes them."""
    check = _Check(surface=surface)
    if not isinstance(blocks, list):
        return ["[ERROR] must be an array [json-pointer:" + at + "]"]
    check.blocks(blocks, at, None)
    if surface == "message":
        check.limits("message", "message", {"blocks": blocks}, at.removesuffix("/blocks"))
        for problem in totals.in_message(blocks):
            check.say(at, problem)
    return check.problems


def check_view(view: Any, at: str = "/view") -> list[str]:
    if not isinstance(view, dict):
        return [f"[ERROR] must provide an object [json-pointer:{at}]"]
    kind = view.get("type")
    if kind not in VIEWS:
        return [f"[ERROR] unsupported type: {kind} [json-pointer:{at}/type]"]
    check = _Check(surface=kind)
    check.shape(view, VIEWS[kind], at, {"type"})
    check.limits("view", kind, view, at)
    blocks = view.get("blocks")
    if kind == "modal" and view.get("submit") is None and _has_input(blocks):
        check.say(at, "missing required field: submit")
    check.focus(at)
    return check.problems


def check_options(answer: Any) -> list[str]:
    """The answer to a block_suggestion: options or option_groups."""
    check = _Check(surface="options")
    if not isinstance(answer, dict) or not {"options", "option_groups"} & set(answer):
        return ["[ERROR] missing required field: options [json-pointer:/options]"]
    shape = {"options": "[option]", "option_groups": "[option_group]"}
    check.shape(answer, shape, "", set())
    check.limits("element", "external_select", answer, "")
    return check.problems


@dataclass(slots=True, kw_only=True)
class _Check:
    surface: str
    problems: list[str] = field(default_factory=list)
    block_ids: set[str] = field(default_factory=set)
    focused: int = 0

    def say(self, at: str, problem: str) -> None:
        line = f"[ERROR] {problem} [json-pointer:{at or '/'}]"
        if line not in self.problems:
            self.problems.append(line)

    def limits(self, kind: str, name: str, node: dict[str, Any], at: str) -> None:
        for limit in limits.limits_of(kind, name):
            limit.check(node, lambda where, problem: self.say(at + where, problem))

    def shape(self, node: dict[str, Any], shape: Shape, at: str, also: set[str]) -> None:
        known = {name.removesuffix("!"): kind for name, kind in shape.items()}
        for name in shape:
            if name.endswith("!") and node.get(name[:-1]) is None:
                self.say(at, f"missing required field: {name[:-1]}")
        for name, value in node.items():
            if name in also or value is None:
                continue
            if name not in known:
                self.say(at, f"invalid additional property: {name}")
            else:
                self.value(value, known[name], f"{at}/{name}")

    def value(self, value: Any, kind: str, at: str) -> None:
        if kind in _JSON:
            wrong_bool = isinstance(value, bool) and kind != "bool"
            if not isinstance(value, _JSON[kind]) or wrong_bool:
                self.say(at, f"must be a {kind}")
        elif kind.startswith("[blocks:"):
            self.blocks(value, at, kind[8:-1])
        elif kind.startswith("["):
            self.array(value, kind, at)
        elif not isinstance(value, dict):
            self.say(at, "must provide an object")
        elif kind.startswith("elements:"):
            self.element(value, kind.removeprefix("elements:"), at)
        elif kind in ("plain", "text"):
            self.text(value, kind, at)
        else:
            self.shape(value, COMPOSITIONS[kind], at, set())
            self.limits("composition", kind, value, at)
            if kind == "source":
                self.limits("element", "url source", value, at)

    def array(self, value: Any, kind: str, at: str) -> None:
        if not isinstance(value, list):
            self.say(at, "must be an array")
            return
        for index, item in enumerate(value):
            self.value(item, kind[1:-1], f"{at}/{index}")
        if kind.startswith("[elements:"):
            self.unique_actions(value, at)

    def text(self, node: dict[str, Any], kind: str, at: str) -> None:
        allowed = TEXTS[:1] if kind == "plain" else TEXTS
        if node.get("type") not in allowed:
            self.say(f"{at}/type", f"must be one of: {', '.join(allowed)}")
            return
        extra = "emoji" if node["type"] == "plain_text" else "verbatim"
        self.shape(node, {"text!": "string", extra: "bool"}, at, {"type"})
        self.limits("composition", "text object", node, at)

    def element(self, node: dict[str, Any], place: str, at: str) -> None:
        kind = str(node.get("type"))
        if kind not in PLACES[place] or (kind == "file_input" and self.surface != "modal"):
            self.say(f"{at}/type", f"unsupported type: {kind}")
            return
        if kind in TEXTS:
            self.text(node, "text", at)
            return
        own = set() if kind in WITHOUT_ACTION else {"action_id"}
        self.shape(node, ELEMENTS[kind], at, {"type", *own})
        self.limits("element", kind, node, at)
        self.rules(node, kind, at)
        self.focused += node.get("focus_on_load") is True

    def rules(self, node: dict[str, Any], kind: str, at: str) -> None:
        if kind.endswith("static_select") and ("options" in node) == ("option_groups" in node):
            self.say(at, "must provide either options or option_groups")
        if kind == "image" and ("image_url" in node) == ("slack_file" in node):
            self.say(at, "must provide either image_url or slack_file")
        if kind == "button" and node.get("style", "primary") not in ("primary", "danger"):
            self.say(f"{at}/style", "must be one of: primary, danger")
        plain_only = kind not in ("checkboxes", "radio_buttons")
        given = list(_options(node))
        for index, option in enumerate(given):
            text = option.get("text")
            if plain_only and isinstance(text, dict) and text.get("type") == "mrkdwn":
                self.say(f"{at}/options/{index}/text/type", "must be one of: plain_text")
            if "url" in option and kind != "overflow":
                self.say(f"{at}/options/{index}", "invalid additional property: url")
        if "options" in node or "option_groups" in node:
            values = {_identity(option) for option in given}
            initial = [node["initial_option"]] if "initial_option" in node else []
            for option in [*initial, *(node.get("initial_options") or [])]:
                if _identity(option) not in values:
                    self.say(at, "initial option must exactly match one of the provided options")

    def blocks(self, blocks: Any, at: str, place: str | None) -> None:
        if not isinstance(blocks, list):
            self.say(at, "must be an array")
            return
        for index, block in enumerate(blocks):
            self.block(block, f"{at}/{index}", place)

    def block(self, block: Any, at: str, place: str | None) -> None:
        if not isinstance(block, dict):
            self.say(at, "must provide an object")
            return
        kind = str(block.get("type"))
        inside = place in ("carousel", "container")
        allowed = PLACES[place] if place and inside else set(BLOCKS)
        if kind not in allowed or self.surface not in (limits.surfaces(kind) or ()):
            self.say(f"{at}/type", f"unsupported type: {kind}")
            return
        self.shape(block, BLOCKS[kind], at, {"type", "block_id"})
        self.limits("block", kind, block, at)
        for problem_at, problem in _about(block, kind):
            self.say(at + problem_at, problem)
        block_id = block.get("block_id")
        if isinstance(block_id, str):
            if block_id in self.block_ids:
                self.say(f"{at}/block_id", f"block_id `{block_id}` already exists")
            self.block_ids.add(block_id)

    def unique_actions(self, elements: list[Any], at: str) -> None:
        seen: set[str] = set()
        for index, element in enumerate(elements):
            action_id = element.get("action_id") if isinstance(element, dict) else None
            if isinstance(action_id, str):
                if action_id in seen:
                    self.say(f"{at}/{index}", f"`action_id` {action_id} already exists in block")
                seen.add(action_id)

    def focus(self, at: str) -> None:
        if self.focused > limits.total("element", "*", "focus_on_load elements set true per view"):
            self.say(at, "only one element may have focus_on_load")


def _has_input(blocks: Any) -> bool:
    return isinstance(blocks, list) and any(
        isinstance(block, dict) and block.get("type") == "input" for block in blocks
    )


def _about(block: dict[str, Any], kind: str) -> Iterator[tuple[str, str]]:
    """What no single field can show."""
    if kind == "section" and not block.get("text") and not block.get("fields"):
        yield "", "must provide either text or fields"
    if kind == "image" and ("image_url" in block) == ("slack_file" in block):
        yield "", "must provide either image_url or slack_file"
    if kind == "container" and not ("title" in block or "rich_text_title" in block):
        yield "", "must provide either title or rich_text_title"
    yield from totals.in_block(block, kind)


def _options(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    groups = node.get("option_groups")
    lists = [node.get("options")]
    if isinstance(groups, list):
        lists += [group.get("options") for group in groups if isinstance(group, dict)]
    for options in lists:
        if isinstance(options, list):
            yield from (option for option in options if isinstance(option, dict))


def _identity(option: Any) -> tuple[Any, ...]:
    if not isinstance(option, dict):
        return ()
    text = option.get("text")
    return (option.get("value"), text.get("text") if isinstance(text, dict) else None)
