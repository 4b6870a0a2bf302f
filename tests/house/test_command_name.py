"""Sentences name the slash command as OPTIN_COMMAND has it, never as /optin."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: `/optin` as a word of its own: no address such as sqlite:///data/optin.db.
_COMMAND = re.compile(r"(?<![\w/.:])/optin(?![\w.-])")
#: The default, the sentence about a wrong setting, and the demo, whose manifest has this command.
_MAY_NAME_IT = ("bot/consent/use_cases/context.py", "bot/config/settings.py", "bot/demo/")


def test_no_sentence_names_the_command_but_by_the_setting() -> None:
    found = {
        name: said
        for room in ("bot", "handlers")
        for path in sorted((ROOT / room).rglob("*.py"))
        if not (name := path.relative_to(ROOT).as_posix()).startswith(_MAY_NAME_IT)
        if (said := [*naming(ast.parse(path.read_text("utf-8")))])
    }

    assert found == {}


@pytest.mark.parametrize(
    "line",
    [
        'said = "see /optin pending."',
        'said = f"`/optin recent` shows {them}."',
        'name = command.get("command") or "/optin"',
    ],
)
def test_the_command_is_found_in_any_sentence(line: str) -> None:
    assert [*naming(ast.parse(line))]


@pytest.mark.parametrize(
    "line",
    [
        '"""`/optin check`: a list."""',
        'said = "sqlite:///data/optin.db"',
        'said = f"see {command} pending"',
        'said = "https://example.com/optin"',
    ],
)
def test_docstrings_and_addresses_are_no_sentences_about_the_command(line: str) -> None:
    assert not [*naming(ast.parse(line))]


def naming(tree: ast.Module) -> Iterator[str]:
    """Where a text that is no docstring names the command."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in docstrings:
            continue
        if isinstance(node.value, str) and _COMMAND.search(node.value):
            yield f"line {node.lineno}: {node.value}"
