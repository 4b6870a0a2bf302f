"""The tests that docs/faults.md names. `python -m tests.support.fault_page` runs exactly these."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "faults.md"

_ROW = re.compile(r"^\| ([A-I][0-9]+) \|(.*)\| (.*) \|$", re.MULTILINE)
_TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")
NO_TEST = "**no test yet**"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRow:
    """A row of the page."""

    id: str
    #: Files below tests/, each with the name of a test in it.
    tests: tuple[tuple[str, str], ...]
    #: The last cell.
    cell: str


def fault_rows() -> list[FaultRow]:
    return [
        FaultRow(id=id, tests=tuple(_TEST.findall(cell)), cell=cell)
        for id, _, cell in _ROW.findall(PAGE.read_text("utf-8"))
    ]


def main() -> int:
    """The exit status of pytest."""
    named = dict.fromkeys(test for row in fault_rows() for test in row.tests)
    tests = [f"tests/{file}::{name}" for file, name in named]
    command = [sys.executable, "-m", "pytest", *sys.argv[1:], *tests]
    return subprocess.run(command, cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
