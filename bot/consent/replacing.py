"""`replace` for our frozen, slotted values: what dataclasses.replace does, at a third of the cost.

Every entry of the log is sealed and applied through it, a quarter of a million times in an import.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

T = TypeVar("T")

_Set = Callable[[Any, Any], None]


def replace(value: T, **changes: object) -> T:
    """A copy with these fields changed. For slotted dataclasses without a `__post_init__`."""
    kind = type(value)
    read, write = _slots(kind)  # type: ignore[arg-type]  # every class can be hashed
    copy = object.__new__(kind)
    for set, old in zip(write.values(), read(value), strict=True):
        set(copy, old)
    for name, new in changes.items():
        write[name](copy, new)
    return copy


@cache
def _slots(kind: type) -> tuple[Callable[[Any], tuple[Any, ...]], Mapping[str, _Set]]:
    """What reads all fields of a value, and what writes each."""
    names = [field.name for field in fields(kind)]
    return attrgetter(*names), {name: getattr(kind, name).__set__ for name in names}
