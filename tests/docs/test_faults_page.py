"""docs/faults.md names each kind of fault once, and tests that exist."""

from __future__ import annotations

import ast
from functools import cache

from tests.support.fault_page import NO_TEST, PAGE, ROOT, fault_rows

#: What this page is about. Numbers that are left out were merged with others.
FAULTS = {
    "A": (1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18),
    "B": (1, 3, 4, 5, 7, 8, 9, 11, 12, 13),
    "C": (1, 2, 3, 5),
    "D": (1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 16, 17, 18, 20),
    "E": (1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 16),
    "F": (1, 2, 4, 5, 6, 8, 9, 10, 12),
    "G": (1, 2, 4, 5, 6, 8, 9, 10),
    "H": (1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15),
    "I": (1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15),
}


def test_each_fault_has_one_row() -> None:
    wanted = [f"{letter}{number}" for letter, numbers in FAULTS.items() for number in numbers]

    assert [row.id for row in fault_rows()] == wanted


def test_each_test_that_is_named_exists() -> None:
    missing = [
        f"{row.id}: {file}::{name}"
        for row in fault_rows()
        for file, name in row.tests
        if name not in _tests_in(file)
    ]

    assert missing == []


def test_a_row_has_tests_or_says_that_it_has_none() -> None:
    rows = fault_rows()
    tested = [row for row in rows if row.tests]

    assert all(row.cell == NO_TEST for row in rows if not row.tests)
    assert f"Of {len(rows)} rows, {len(tested)} have tests." in PAGE.read_text("utf-8")


@cache
def _tests_in(file: str) -> frozenset[str]:
    path = ROOT / "tests" / file
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))
