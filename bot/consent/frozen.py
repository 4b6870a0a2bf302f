"""Quick ways to make our frozen, slotted values: to copy one with changes, and to build one.

A frozen dataclass sets each field through `object.__setattr__`. Here the value is of an unfrozen
subclass while its fields are set, and of its own class from then on. A large import makes two
million values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from dataclasses import replace as plain_replace
from functools import cache
from types import FunctionType
from typing import Any, TypeVar

__all__ = ["plain_replace", "quick", "replace"]

T = TypeVar("T")


def replace(value: T, **changes: object) -> T:
    """A copy with these fields changed, the same as from `plain_replace`, at a quarter of its cost.
    A test compares the two. For slotted dataclasses without a `__post_init__`."""
    kind = type(value)
    copy: T = _thawing(kind)(value)  # type: ignore[arg-type]  # every class can be hashed
    for name, new in changes.items():
        setattr(copy, name, new)
    copy.__class__ = kind
    return copy


def quick(kind: type[T]) -> type[T]:
    """Decorate a frozen, slotted, keyword-only dataclass: its `__init__` does the same at half the
    cost. A test compares the two. For classes without a `__post_init__` and without subclasses."""
    known: dict[str, Any] = {"_set": object.__setattr__, "_thawed": _thawed(kind), "_kind": kind}
    defaults: dict[str, Any] = {}
    lines = ["_set(self, '__class__', _thawed)"]
    every = fields(kind)  # type: ignore[arg-type]  # it is a dataclass
    for field in every:
        name, value = field.name, field.name
        if field.default_factory is not MISSING:
            known[f"_make_{name}"], known["_missing"] = field.default_factory, MISSING
            defaults[name] = MISSING
            value = f"_make_{name}() if {name} is _missing else {name}"
        elif field.default is not MISSING:
            defaults[name] = field.default
        lines.append(f"self.{name} = {value}")
    lines.append("self.__class__ = _kind")
    names = ", ".join(field.name for field in every)
    init = _function("__init__", f"self, *, {names}", lines, known)
    init.__kwdefaults__ = defaults
    kind.__init__ = init  # type: ignore[method-assign]  # what this is for
    return kind


@cache
def _thawing(kind: type) -> Callable[[Any], Any]:
    """Make a function that copies a value of this class into an unfrozen subclass. Its code copies
    field by field, like the `__init__` that dataclasses generates."""
    known: dict[str, Any] = {"new": object.__new__, "thawed": _thawed(kind)}
    lines = [f"copy.{field.name} = value.{field.name}" for field in fields(kind)]
    return _function("thaw", "value", ["copy = new(thawed)", *lines, "return copy"], known)


def _thawed(kind: type) -> type:
    """A subclass whose values can be changed. It has the same slots, so that a value can go from
    one class to the other."""
    unguarded = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    return type(kind.__name__, (kind,), {"__slots__": (), **unguarded})


def _function(name: str, parameters: str, lines: list[str], known: dict[str, Any]) -> FunctionType:
    code = "\n    ".join((f"def {name}({parameters}):", *lines))
    exec(code, known)  # noqa: S102 - made of our own fields' names, above
    made: FunctionType = known[name]
    return made
