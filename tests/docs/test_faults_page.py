"""docs/faults.md names each kind of fault once, with tests that exist and the result of each row."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from functools import cache

from tests.support.fault_page import PAGE, ROOT, fault_rows, read_results, with_results

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


def test_every_row_has_tests_and_their_result() -> None:
    """A row whose tests changed in number since `make faults` wrote its result is stale."""
    rows = fault_rows()
    stale = [
        f"{row.id}: {row.result}"
        for row in rows
        if not row.tests
        or "failed" in row.result
        or not re.match(rf"[0-9]+ of {len(row.tests)} passed", row.result)
    ]

    assert stale == []
    assert f"All {len(rows)} rows have tests." in PAGE.read_text("utf-8")


def test_results_are_written_into_the_rows() -> None:
    junit = """<testsuites><testsuite>
        <testcase classname="tests.faults.test_one" name="test_a[tinydb-once]"/>
        <testcase classname="tests.faults.test_one" name="test_a[sqlite-once]"/>
        <testcase classname="tests.faults.test_one" name="test_b"><failure/></testcase>
        <testcase classname="tests.faults.test_one" name="test_c">
          <skipped message="strace is not installed"/></testcase>
        </testsuite></testsuites>"""
    row = "| A1 | fault | how | what | all | {} | not run yet |"
    one, two, three = (f"`faults/test_one.py::test_{name}`" for name in "abc")
    page = "\n".join(["Last run: never.", row.format(one), row.format(f"{one}<br>{two}")])

    first, *rows = with_results(f"{page}\n{row.format(three)}", read_results(junit)).split("\n")

    assert first.startswith(f"Last run: {datetime.now(UTC).day} ")
    assert [one.split(" | ")[-1] for one in rows] == [
        "1 of 1 passed on TinyDB, SQLite |",
        "1 of 2 passed on TinyDB, SQLite; failed |",
        "0 of 1 passed; skipped: strace is not installed |",
    ]


@cache
def _tests_in(file: str) -> frozenset[str]:
    path = ROOT / "tests" / file
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))
