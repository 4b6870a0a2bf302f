"""Reads the text of a setting. A reader raises ValueError with the rest of a sentence that begins
with the setting's name, and never shows a secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

_Value_co = TypeVar("_Value_co", covariant=True)

#: By name: the field that takes the value, and what reads it.
Rows = Mapping[str, tuple[str, Callable[[str], Any]]]


# Without slots: Python 3.11 can't make a frozen, slotted generic by its subscript.
@dataclass(frozen=True)
class ProviderSetting(Generic[_Value_co]):
    """One setting of one provider."""

    #: `OPTIN_`, the provider's name, and what it is.
    name: str
    #: One of the readers below, or one like them.
    read: Callable[[str], _Value_co]
    #: The value where the setting is not given.
    default: _Value_co


def matching(pattern: str, wanted: str) -> Callable[[str], str]:
    """Reads what matches; else says what was wanted, and not what was given."""
    expression = re.compile(pattern, re.ASCII)

    def read(text: str) -> str:
        if not expression.fullmatch(text):
            raise ValueError(wanted)
        return text

    return read


def several(text: str) -> tuple[str, ...]:
    """What stands between the commas, without the blanks around it."""
    return tuple(filter(None, (part.strip() for part in text.split(","))))


def secrets(text: str) -> tuple[str, ...]:
    """Several while one replaces another."""
    found = several(text)
    if not found or not all(s.isascii() and s.isprintable() and " " not in s for s in found):
        raise ValueError("must be one signing secret, or several with commas between them")
    return found


def url(text: str) -> str:
    """An address without a slash at its end."""
    try:
        parts = urlsplit(text)
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        whole = None
    if not whole or "?" in text or "#" in text:
        raise ValueError("must be an address such as https://optin.example.com")
    return text.rstrip("/")
