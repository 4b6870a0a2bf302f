"""`dataclasses.replace` for our frozen, slotted values, at a quarter of its cost.

Optin seals and applies every entry of the log with it. A large import calls it 250,000 times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from dataclasses import replace as plain_replace
from functools import cache
from typing import Any, TypeVar

__all__ = ["plain_replace", "replace"]

T = TypeVar("T")


def replace(value: T, **changes: object) -> T:
    """A copy with these fields changed, the same as from `plain_replace`. A test compares the two.
    For slotted dataclasses without a `__post_init__`."""
    kind = type(value)
    copy: T = _thawing(kind)(value)  # type: ignore[arg-type]  # every class can be hashed
    for name, new in changes.items():
        setattr(copy, name, new)
    copy.__class__ = kind
    return copy


@cache
def _thawing(kind: type) -> Callable[[Any], Any]:
    """Make a function that copies a value of this class into an unfrozen subclass. Its code copies
    field by field, like the `__init__` that dataclasses generates."""
    unguarded = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    thawed = type(kind.__name__, (kind,), {"__slots__": (), **unguarded})
    lines = [f"copy.{field.name} = value.{field.name}" for field in fields(kind)]
    code = "\n    ".join(("def thaw(value):", "copy = new(thawed)", *lines, "return copy"))
    written: dict[str, Any] = {"new": object.__new__, "thawed": thawed}
    exec(code, written)  # noqa: S102 - made of our own fields' names, above
    thaw: Callable[[Any], Any] = written["thaw"]
    return thaw
