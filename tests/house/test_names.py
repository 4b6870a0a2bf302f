"""One word per thing: no two rooms use the same name for two modules or two public classes."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("bot", "handlers", "storage", "sandbox")
#: Modules that every provider's folder may have.
_OF_EACH_PROVIDER = {"signature", "codes", "webhook", "backfill", "suppressions", "list_check"}


def modules() -> Iterator[Path]:
    """The product and the sandbox, without the migrations, whose names Alembic gives."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(ROOT)


def test_module_names_are_unique_across_rooms():
    places = defaultdict(list)
    for path in modules():
        of_a_provider = "providers" in path.parts and path.stem in _OF_EACH_PROVIDER
        if not path.stem.startswith("__") and not of_a_provider:
            places[path.stem].append(str(path))

    assert twice(places) == {}


def test_public_class_names_are_unique_across_rooms():
    places = defaultdict(list)
    for path in modules():
        for node in ast.parse((ROOT / path).read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path))

    assert twice(places) == {}


def twice(places: dict[str, list[str]]) -> dict[str, list[str]]:
    """What stands in more than one place."""
    return {name: found for name, found in places.items() if len(found) > 1}
