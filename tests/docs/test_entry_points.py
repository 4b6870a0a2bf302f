"""docs/entry-points.md against the code and the tests."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from handlers.slack import bolt_app

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "entry-points.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| promise")
]


def known_tests() -> set[str]:
    """Every test by its name, and every module of tests."""
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("*.py"):
        found |= {path.stem, str(path.relative_to(ROOT))}
        if path.stem.startswith("test_"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found |= {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}
    return found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:60])
def test_each_promise_names_code_and_a_test_that_exist(row: list[str]) -> None:
    promise, where, shown_by = row
    files, tests = (re.findall(r"`([^`]+)`", cell) for cell in (where, shown_by))

    assert promise
    assert files
    assert tests
    assert [file for file in files if not (ROOT / file).is_file()] == []
    assert set(tests) - known_tests() == set()


TABLES = {
    "events": bolt_app._EVENTS,
    "shortcuts": bolt_app._SHORTCUTS,
    "buttons": bolt_app._BUTTONS,
    "steps": bolt_app._FUNCTIONS | bolt_app._WRITING_FUNCTIONS,
    "steps that wait": bolt_app._WAITING_FUNCTIONS,
}


@pytest.mark.parametrize("table", TABLES)
def test_each_entry_beside_commands_and_the_cards_buttons_is_on_the_page(table: str) -> None:
    entries = set(TABLES[table])

    assert entries - set(re.findall(r"`([^`]+)`", PAGE)) == set()
