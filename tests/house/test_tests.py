"""How the tests themselves are laid out."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
FIXTURES = TESTS / "fixtures"


def test_nothing_is_imported_from_a_test_module():
    """What two of them need stands in tests/support."""
    offenders = {
        str(path.relative_to(TESTS)): module
        for path in TESTS.rglob("*.py")
        for module in imported(ast.parse(path.read_text("utf-8")))
        if any(part.startswith("test_") for part in module.split("."))
    }

    assert offenders == {}


def test_every_test_module_is_in_the_folder_of_a_room():
    assert list(TESTS.glob("test_*.py")) == []


def test_every_field_of_the_fixtures_is_documented():
    readme = (FIXTURES / "README.md").read_text("utf-8")
    fields = set()
    for path in FIXTURES.glob("*/*.json"):
        told = json.loads(path.read_text("utf-8"))
        fields |= {*told, *told.get("secret", ())}
        fields |= {field for event in told["expected_events"] or () for field in event}

    assert {field for field in fields if f"`{field}`" not in readme} == set()


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{name.name}" for name in node.names if is_ours(node))


def is_ours(node: ast.ImportFrom) -> bool:
    return (node.module or "").split(".")[0] == "tests"
