"""Reading what a provider sent, without trusting its shape."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from handlers.webhooks.provider import Request, Unreadable

_DEEPEST = 32
_MOST_FIELDS = 1000
_LONGEST_ID = 255
_LONGEST_ADDRESS = 320

_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
#: With the country's code, as Vonage writes it; five or six digits are a short code.
_BARE_E164 = re.compile("[1-9][0-9]{9,14}", re.ASCII)
_MAILBOX = re.compile(r"[^\s@<>]+@[^\s@<>]+")
_NAMED = re.compile(r"[^<>]*<([^<>]*)>\s*")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f]")
_SEPARATE_FRACTION = re.compile(r"([.,][0-9]{6})[0-9]+")


def read_json(body: bytes) -> Any:
    """Raises `Unreadable`. What is inside still has to be `checked`."""
    try:
        return json.loads(body.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Unreadable("it is no JSON") from None


def json_body(request: Request) -> Any:
    """The body of a request that says it is JSON. Raises `Unreadable`."""
    if not request.media_type.endswith("json"):
        raise Unreadable("it is not said to be JSON")
    return read_json(request.body)


def checked(value: Any) -> Any:
    """The same value, which is not too deep and has no text that can't be stored.

    Raises `Unreadable`.
    """
    level = [value]
    for _ in range(_DEEPEST):
        below: list[Any] = []
        for one in level:
            if isinstance(one, str):
                _storable(one)
            elif isinstance(one, dict):
                below += one.keys()
                below += one.values()
            elif isinstance(one, list):
                below += one
        if not below:
            return value
        level = below
    raise Unreadable("it is nested too deeply")


# To verify and to parse reads the same form twice.
@lru_cache(maxsize=8)
def read_form(body: str | bytes) -> tuple[tuple[str, str], ...]:
    """The pairs of a form or a query, in order, blank values and repeats included.

    Raises `Unreadable`.
    """
    try:
        text = body if isinstance(body, str) else body.decode()
        pairs = parse_qsl(text, True, errors="strict", max_num_fields=_MOST_FIELDS)
        return tuple(pairs)
    except ValueError:
        raise Unreadable("it is no form") from None


def fields(pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """The fields of a form by name. Raises `Unreadable` where one comes twice: nobody can say
    which of them was meant."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise Unreadable("a field comes twice")
        _storable(name)
        _storable(value)
        found[name] = value
    return found


def at(value: Any, *path: str) -> Any:
    """What stands at this place; None where there is no such place."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def text_at(value: Any, *path: str) -> str:
    """The text or whole number at this place, as text; else empty."""
    found = at(value, *path)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    return found if isinstance(found, str) else ""


def list_at(value: Any, *path: str) -> list[Any]:
    """The list at this place; else an empty one."""
    found = at(value, *path)
    return found if isinstance(found, list) else []


def id_at(value: Any, *path: str) -> str:
    """The id at this place. Raises `Unreadable` where there is none."""
    found = text_at(value, *path)
    if not found or len(found) > _LONGEST_ID or _UNPRINTABLE.search(found):
        raise Unreadable("an event has no id")
    return found


def phone(text: str) -> str:
    """E.164 where it is a whole number; else as it came: short codes, names, `whatsapp:+1…`.

    Raises `Unreadable` where there is nothing.
    """
    text = text.strip()
    if not text or len(text) > _LONGEST_ADDRESS or _UNPRINTABLE.search(text):
        raise Unreadable("a message has no number")
    if not _E164.fullmatch(text) and _BARE_E164.fullmatch(text):
        return f"+{text}"
    return text


def mailbox(text: str) -> str:
    """In lower case, out of its angle brackets. Raises `Unreadable` where it is none."""
    if named := _NAMED.fullmatch(text):
        text = named[1]
    text = text.strip().lower()
    if len(text) > _LONGEST_ADDRESS or not _MAILBOX.fullmatch(text) or _UNPRINTABLE.search(text):
        raise Unreadable("an event has no mailbox")
    return text


def moment(value: object) -> datetime | None:
    """A time in ISO 8601 or in seconds since 1970; UTC where no zone is said. None where it is
    none: an event is not lost over its time."""
    try:
        if isinstance(value, str):
            # Postmark's has seven digits.
            found = datetime.fromisoformat(_SEPARATE_FRACTION.sub(r"\1", value))
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _storable(text: str) -> None:
    if "\0" in text:
        raise Unreadable("a text has a NUL in it")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Unreadable("a text has half a character in it") from None


def _refuse(_: str) -> NoReturn:
    raise ValueError("NaN and infinities are no JSON")
