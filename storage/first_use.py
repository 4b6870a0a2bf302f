"""Attributes that are made when they are first read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Owner = TypeVar("Owner")
Made = TypeVar("Made")


class on_first_use(Generic[Owner, Made]):
    """`functools.cached_property` without its lock, which in Python 3.11 costs more than the part
    of the records that is made. For objects that one thread has."""

    def __init__(self, make: Callable[[Owner], Made]) -> None:
        self._make = make
        self._name = make.__name__

    def __get__(self, owner: Owner, _: type[Owner]) -> Made:
        made = owner.__dict__[self._name] = self._make(owner)
        return made
