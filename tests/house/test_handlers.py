"""Handlers ask use cases: they open no transaction, and read no records but a job's key values."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: What opens the store.
_OPENS = {"store", "transaction", "reading", "rehearsal"}
#: Parts of the records that a handler may name: `RateLimiter.may` is asked inside the transaction
#: of `claim`, and `provider_status` inside that of whoever shows it.
_MAY_NAME = {"KeyValue"}


def test_no_handler_opens_the_store() -> None:
    assert {name: found for name, tree in handlers() if (found := [*opened(tree)])} == {}


def test_handlers_name_no_records_but_key_values() -> None:
    assert {name: more for name, tree in handlers() if (more := named(tree) - _MAY_NAME)} == {}


@pytest.mark.parametrize(
    "line",
    [
        "with consent.store.reading() as records: pass",
        "with self._service.store.transaction() as records: pass",
        "find = service.store",
    ],
)
def test_the_store_is_found_however_it_is_opened(line: str) -> None:
    assert [*opened(ast.parse(line))]


@pytest.mark.parametrize(
    "line",
    [
        "from bot.consent.records import Outbox",
        "from bot.consent.store import Records",
        "from bot.consent import records",
        "import bot.consent.store",
    ],
)
def test_the_records_are_found_however_they_are_imported(line: str) -> None:
    assert named(ast.parse(line)) - _MAY_NAME


def handlers() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / "handlers").rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))


def opened(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in _OPENS:
            yield f"line {node.lineno}: {ast.unparse(node)}"


def named(tree: ast.Module) -> set[str]:
    """What is imported from the storage interface."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {one.name for one in node.names if one.name in _INTERFACE}
        elif isinstance(node, ast.ImportFrom) and node.module in _INTERFACE:
            names |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            whole = {f"{node.module}.{one.name}" for one in node.names}
            names |= whole & _INTERFACE
    return names


_INTERFACE = {"bot.consent.records", "bot.consent.store"}
