"""What the signatures have in common: constant time, several secrets, a window of time."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from handlers.webhooks.provider import InvalidPayload, InvalidSignature, WrongTime

#: Seconds that a provider's clock may be ahead of ours.
SKEW = 300

_Secret = TypeVar("_Secret")
_SECONDS = re.compile("[0-9]{1,11}", re.ASCII)


def same(one: str | bytes, other: str | bytes) -> bool:
    """Whether they are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(_bytes(one), _bytes(other))


def same_as_one(given: str | bytes, wanted: Iterable[str | bytes]) -> bool:
    """Whether it equals one of these; all are tried."""
    return True in [same(given, one) for one in wanted]


def verify_any(secrets: Sequence[_Secret], holds: Callable[[_Secret], bool]) -> str:
    """Which secret the signature holds with, in words for the log. All are tried, so that the
    time taken does not tell. Raises `InvalidSignature`."""
    held = [holds(secret) for secret in secrets]
    if True not in held:
        raise InvalidSignature("the signature does not hold")
    return f"secret {held.index(True) + 1} of {len(held)}"


def check_timestamp(window: int, stated: str, now: datetime) -> int:
    """The time that was signed, in seconds since 1970, at most so many seconds old.

    Raises `InvalidSignature`, `WrongTime` among it.
    """
    if not _SECONDS.fullmatch(stated):
        raise InvalidSignature("no time was signed")
    seconds = int(stated)
    age = now.timestamp() - seconds
    if age > window:
        raise WrongTime("it is too old", datetime.fromtimestamp(seconds, UTC))
    if age < -SKEW:
        raise WrongTime("it comes from the future", datetime.fromtimestamp(seconds, UTC))
    return seconds


def unbase64(text: str) -> bytes:
    """Raises `InvalidSignature` where it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidSignature("the signature is malformed") from None


def verifying(read: Callable[[], _Secret]) -> _Secret:
    """What was read on the way to a signature; what can't be read is not signed either."""
    try:
        return read()
    except InvalidPayload as fault:
        raise InvalidSignature(str(fault)) from None


def _bytes(text: str | bytes) -> bytes:
    # A header may hold any character; a lone surrogate must not raise.
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
