"""Slack's documented limits, read from block-kit-limits.json, as rules to be applied to a node."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).parent.parent / "block-kit-limits.json"

Report = Callable[[str, str], None]
"""Told of a problem: the path below the node ("/text/text"), and a sentence."""

# The file's names for places that are spelt otherwise in the JSON.
_SPELLING: Final = {
    "pie.segments": "chart.segments",
    "bar|area|line.series": "chart.series",
    "axis_config": "chart.axis_config",
    "positive|negative.": "positive_button|negative_button.",
    "returned ": "",
    " digits": "",
    "raw_text.text / raw_number.text": "rows[][].text",
}
_STARTS: Final = {"series[]": "chart.series[]", "columns": "rows[]", "rows[] cells": "rows[]"}

# Rows of the file that are advice, or are kept by other parts of the sandbox.
ELSEWHERE: Final = {
    ("message", "text"): "chat.py cuts or refuses",
    ("message", "text.recommended"): "advice",
    ("message", "attachments"): "chat.py",
    ("message", "markdown_text"): "chat.py",
    ("message", "streamed blocks chunk"): "no streaming here",
    ("ephemeral message", "text"): "chat.py",
    ("external_select", "min_query_length default"): "a default, not a limit",
    ("modal", "view stack"): "views.py",
    ("modal", "recommended inputs per view"): "advice",
    ("*", "focus_on_load elements set true per view"): "check.py",
    ("message", "data_visualization blocks"): "totals.py",
    ("message", "table blocks"): "totals.py",
    ("message", "table cells, total characters"): "totals.py",
    ("message", "data_table cells, total characters"): "totals.py",
    ("message", "markdown blocks, total characters"): "totals.py",
    ("auth_provider", ""): "its surfaces are not known: refused as a whole",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One row: what a field of a kind of node may hold. `path` is spelt as in the JSON."""

    kind: str
    type: str
    field: str
    path: str
    unit: str
    max: int | None
    min: int | None
    above: int | None

    def check(self, node: dict[str, Any], report: Report) -> None:
        for where, value in _values(node, self.path):
            for problem in self._problems(value):
                report(where, problem)

    def _problems(self, value: Any) -> Iterator[str]:
        if self.unit == "items":
            if isinstance(value, list):
                yield from _bounds(len(value), self.max, self.min, "items")
        elif self.unit == "value":
            if isinstance(value, int | float) and not isinstance(value, bool):
                yield from _bounds(value, self.max, self.min, "")
                if self.above is not None and value <= self.above:
                    yield f"must be greater than {self.above}"
        elif isinstance(value, str | int) and not isinstance(value, bool):
            yield from _bounds(len(str(value)), self.max, self.min, "characters")


def _bounds(size: float, most: int | None, least: int | None, unit: str) -> Iterator[str]:
    if most is not None and size > most:
        yield {
            "characters": f"must be less than {most + 1} characters",
            "items": f"no more than {most} items allowed",
            "": f"must be at most {most}",
        }[unit]
    if least is not None and size < least:
        yield {
            "characters": f"must be more than {least - 1} characters",
            "items": f"must have at least {least} items",
            "": f"must be at least {least}",
        }[unit]


@cache
def data() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return loaded


@cache
def limits_of(kind: str, name: str) -> tuple[Limit, ...]:
    """The rules for a "block", "element", "composition", "view" or "message" of that type."""
    return tuple(limit for limit in all_limits() if limit.kind == kind and _names(limit.type, name))


@cache
def all_limits() -> tuple[Limit, ...]:
    return tuple(
        Limit(
            kind=row["kind"],
            type=row["type"],
            field=row["field"],
            path=_path(row["field"]),
            unit=row["unit"],
            max=row["max"],
            min=row.get("min"),
            above=row.get("exclusive_min"),
        )
        for row in data()["limits"]
        if not _is_elsewhere(row["type"], row["field"])
    )


@cache
def total(kind: str, name: str, field: str) -> int:
    """The maximum of a row that speaks of a whole message or view."""
    return next(
        int(row["max"])
        for row in data()["limits"]
        if (row["kind"], row["type"], row["field"]) == (kind, name, field)
    )


def surfaces(block: str) -> list[str] | None:
    """Where a block may stand ("message", "modal", "home"); None if there is no such block."""
    allowed: list[str] | None = data()["surfaces"]["blocks"].get(block)
    return allowed


def _is_elsewhere(name: str, field: str) -> bool:
    return (name, field) in ELSEWHERE or (name, "") in ELSEWHERE or field.startswith("all cells")


def _names(pattern: str, name: str) -> bool:
    if pattern == "rich_text_list|quote|preformatted":
        return name in ("rich_text_list", "rich_text_quote", "rich_text_preformatted")
    return pattern in (name, "*")


def _path(field: str) -> str:
    for written, meant in _SPELLING.items():
        field = field.replace(written, meant)
    for start, meant in _STARTS.items():
        if field == start or field.startswith(start + "."):
            field = meant + field.removeprefix(start)
    return field


def _values(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every value at a path such as `fields[].text` or `a|b.text`, with its JSON pointer."""
    if not path:
        yield "", node
        return
    step, _, rest = path.partition(".")
    step_name, brackets = re.fullmatch(r"([^\[]*)((?:\[\])*)", step).groups()  # type: ignore[union-attr]  # it always matches
    for name in step_name.split("|"):
        if isinstance(node, dict) and name in node:
            for where, value in _items(node[name], brackets.count("[")):
                for below, found in _values(value, rest):
                    yield f"/{name}{where}{below}", found


def _items(value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    if not depth:
        yield "", value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            for below, found in _items(item, depth - 1):
                yield f"/{index}{below}", found
