"""Each exception from a rule of the linter says why, on its line or in pyproject.toml."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("bot", "handlers", "storage", "sandbox", "tests")
_EXCEPTION = re.compile(r"# noqa\b")
_WITH_REASON = re.compile(r"# noqa: [A-Z]+\d+(, [A-Z]+\d+)* - \S")
_IGNORED_RULE = re.compile(r'^ *"[A-Z]+\d+",')


def test_each_noqa_names_its_rules_and_its_reason():
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if path != Path(__file__)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if _EXCEPTION.search(line) and not _WITH_REASON.search(line)
    ]

    assert bare == []


def test_each_rule_that_is_ignored_in_general_has_its_reason():
    ignored = [
        line
        for line in (ROOT / "pyproject.toml").read_text("utf-8").splitlines()
        if _IGNORED_RULE.match(line)
    ]

    assert ignored
    assert [line for line in ignored if "# " not in line] == []
