"""Values as JSON, and what every storage makes of an event's id."""

from __future__ import annotations

import hashlib
from typing import Protocol, TypeVar

import msgspec

from bot.consent.errors import Invalid

T_co = TypeVar("T_co", covariant=True)


class DocumentDecoder(Protocol[T_co]):
    """What makes a value of its stored document, such as `msgspec.json.Decoder`."""

    def decode(self, document: bytes | str, /) -> T_co: ...


def encode(value: object) -> bytes:
    """Raises `Invalid` for half a character (a lone surrogate), which no storage can hold."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        raise Invalid("That text holds half a character, which can't be stored.") from None


def fingerprint(event: str) -> str:
    """What is kept of an event's id: 28 hexadecimal digits. They only grow in number, and an id
    may hold what a database can't."""
    return hashlib.blake2b(event.encode("utf-8", "replace"), digest_size=14).hexdigest()
