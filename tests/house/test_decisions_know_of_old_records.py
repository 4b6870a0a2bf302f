"""Every decision of the product says whether the storage is behind."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Where the answer can't be yes, or two versions of the rules are compared.
WITHOUT = {"handlers/json_shapes.py", "bot/consent/use_cases/migrate.py"}
#: Parameters of `decide` and `answer`; the last one is `behind`.
PARAMETERS = 6


def calls() -> Iterator[tuple[str, ast.Call]]:
    for room in ("bot", "handlers"):
        for path in (ROOT / room).rglob("*.py"):
            tree = ast.parse(path.read_text("utf-8"))
            imported = {
                name.asname or name.name
                for node in ast.walk(tree)
                if isinstance(node, ast.ImportFrom) and node.module == "bot.consent.rules"
                for name in node.names
                if name.name in ("decide", "answer")
            }
            for node in ast.walk(tree):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Name)
                    and node.func.id in imported
                ):
                    yield str(path.relative_to(ROOT)), node


def test_each_decision_is_told_whether_the_storage_is_behind() -> None:
    found = list(calls())
    ignorant = {
        path
        for path, call in found
        if len(call.args) < PARAMETERS
        and not any(keyword.arg == "behind" for keyword in call.keywords)
    }

    assert len(found) > 8
    assert ignorant == WITHOUT
