"""The tests that docs/faults.md names. `python -m tests.support.fault_page` runs exactly these, and
writes the results into the page."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

from tests.support.storages import NAMES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "faults.md"
RESULTS = ROOT / "build" / "faults.xml"

_ROW = re.compile(r"^\| ([A-I][0-9]+) \|(.*)\| ([^|]*) \| ([^|]*) \|$", re.MULTILINE)
_TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")
_LAST_RUN = re.compile(r"^Last run: .*$", re.MULTILINE)
_LABELS = {"tinydb": "TinyDB", "sqlite": "SQLite", "postgresql": "PostgreSQL"}
#: Programs of Debian's packages with these names.
_TOOLS = ("strace", "gcc")

Test = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRow:
    """A row of the page."""

    id: str
    #: Files below tests/, each with the name of a test in it.
    tests: tuple[Test, ...]
    #: The last cell, as `make faults` wrote it.
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """One test with one set of parameters."""

    #: What pytest has between the brackets.
    parameters: str = ""
    failed: bool = False
    #: Why it was skipped; empty where it ran.
    skipped: str = ""


def fault_rows() -> list[FaultRow]:
    return [
        FaultRow(id=id, tests=tuple(_TEST.findall(tests)), result=result)
        for id, _, tests, result in _ROW.findall(PAGE.read_text("utf-8"))
    ]


def main() -> int:
    """The exit status of pytest."""
    print("\n".join(missing_tools()), flush=True)  # noqa: T201 - for whoever runs it
    named = dict.fromkeys(test for row in fault_rows() for test in row.tests)
    tests = [f"tests/{file}::{name}" for file, name in named]
    RESULTS.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "pytest", f"--junitxml={RESULTS}", *sys.argv[1:], *tests]
    status = subprocess.run(command, cwd=ROOT).returncode
    found = read_results(RESULTS.read_text("utf-8"))
    if set(named) <= set(found):
        PAGE.write_text(with_results(PAGE.read_text("utf-8"), found), "utf-8")
    return status


def missing_tools() -> list[str]:
    """What this machine lacks, and which tests are skipped for it."""
    missing = [tool for tool in _TOOLS if not shutil.which(tool)]
    lines = []
    if missing:
        lines.append(
            f"Without {' and '.join(missing)}, some tests are skipped. On Debian and Ubuntu: "
            f"sudo apt install {' '.join(missing)}"
        )
    if os.geteuid():
        lines.append("Only root can mount small disks: those tests are skipped.")
    return lines


def read_results(junit: str) -> Mapping[Test, Sequence[TestResult]]:
    """By test, what pytest wrote with `--junitxml`."""
    found = defaultdict(list)
    for case in ElementTree.fromstring(junit).iter("testcase"):  # noqa: S314 - pytest wrote it
        name, _, parameters = case.get("name", "").partition("[")
        file = case.get("classname", "").removeprefix("tests.").replace(".", "/") + ".py"
        skipped = case.find("skipped")
        failed = case.find("failure") is not None or case.find("error") is not None
        why = "" if skipped is None else skipped.get("message", "")
        result = TestResult(parameters=parameters.rstrip("]"), failed=failed, skipped=why)
        found[file, name].append(result)
    return found


def with_results(page: str, found: Mapping[Test, Sequence[TestResult]]) -> str:
    """The page with a new last cell in each row, and what was run and when."""

    def written(row: re.Match[str]) -> str:
        id, middle, tests, _ = row.groups()
        return f"| {id} |{middle}| {tests} | {_result(_TEST.findall(tests), found)} |"

    page = _ROW.sub(written, page)
    machine = f"Python {platform.python_version()}, {platform.system()}"
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    now = datetime.now(UTC)
    run = f"Last run: {now.day} {now:%B %Y}, Optin {version}, {machine}."
    return _LAST_RUN.sub(run, page)


def _result(tests: Sequence[Test], found: Mapping[Test, Sequence[TestResult]]) -> str:
    """Such as "2 of 2 passed on TinyDB and SQLite"."""
    passed = [test for test in tests if _passed(found[test])]
    ran = [result.parameters.split("-") for test in passed for result in found[test]]
    kinds = [_LABELS[kind] for kind in NAMES if any(kind in parameters for parameters in ran)]
    said = f"{len(passed)} of {len(tests)} passed"
    if kinds:
        said += f" on {', '.join(kinds)}"
    if any(result.failed for test in tests for result in found[test]):
        said += "; failed"
    skipped = {result.skipped for test in tests for result in found[test] if result.skipped}
    return "; ".join([said, *(f"skipped: {why}" for why in sorted(skipped))])


def _passed(results: Sequence[TestResult]) -> bool:
    return not any(result.failed or result.skipped for result in results)


if __name__ == "__main__":
    sys.exit(main())
