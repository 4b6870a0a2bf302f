"""Values as documents, as every storage keeps them: JSON, alerts flat, ids of events as hashes."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from operator import attrgetter
from typing import Any, Protocol, TypeVar

import msgspec

from bot.consent.alerts import Alert
from bot.consent.errors import Invalid

T_co = TypeVar("T_co", covariant=True)

#: Each field of an alert's document, in its order, and where the alert has it.
_FIELDS = {
    "id": "id",
    "key": "key",
    "kind": "kind",
    "slack_channel": "slack_channel",
    "first_at": "first_at",
    "last_at": "last_at",
    "channel": "subject.channel",
    "contacts": "subject.contacts",
    "address": "subject.address",
    "masked": "subject.masked",
    "sender": "subject.sender",
    "count": "count",
    "counts": "counts",
    "about": "about",
    "text": "text",
    "unstopped_at": "follow_up.unstopped_at",
    "unread_at": "follow_up.unread_at",
    "returned_at": "follow_up.returned_at",
    "deadline": "follow_up.deadline",
    "answer": "follow_up.answer",
    "handled_by": "follow_up.handled_by",
    "handled_at": "follow_up.handled_at",
    "thread": "thread",
    "ended_at": "follow_up.ended_at",
    "wanted": "delivery.desired_version",
    "shown": "delivery.posted_version",
    "delivery": "delivery.state",
    "attempts": "delivery.attempts",
    "started_at": "delivery.started_at",
    "not_before": "delivery.not_before",
    "ts": "delivery.ts",
    "posted_in": "delivery.posted_in",
    "shown_at": "delivery.posted_at",
    "plainness": "delivery.plainness",
    "repeated": "delivery.repeated",
    "problem": "delivery.problem",
}
#: Alerts that are remembered by their documents, because each claim reads hundreds that wait. An
#: alert is frozen, so the same value may be given out again.
_MOST_KNOWN = 1_000
_NAMES = tuple(_FIELDS)
_values = attrgetter(*_FIELDS.values())
#: The part of the alert, or "" for the alert itself, and the attribute there.
_PLACES = {name: path.rpartition(".")[::2] for name, path in _FIELDS.items()}


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


def alert_document(alert: Alert) -> dict[str, object]:
    """The alert as it is stored: one flat document with the fields of all its parts.

    The document keeps the names and the order that it had in 0.1.0, so no storage needs a
    migration.
    """
    return dict(zip(_NAMES, _values(alert), strict=True))


class AlertDecoder:
    """Reads the documents of alerts, as `msgspec.json.Decoder` reads those of other values."""

    def decode(self, document: bytes | str) -> Alert:
        """Takes defaults for fields that an earlier version did not have."""
        return _decoded(document)


@lru_cache(maxsize=_MOST_KNOWN)
def _decoded(document: bytes | str) -> Alert:
    parts: dict[str, dict[str, Any]] = {"": {}, "subject": {}, "follow_up": {}, "delivery": {}}
    for name, value in msgspec.json.decode(document).items():
        if name in _PLACES:
            part, attribute = _PLACES[name]
            parts[part][attribute] = value
    return msgspec.convert(parts.pop("") | parts, Alert)
