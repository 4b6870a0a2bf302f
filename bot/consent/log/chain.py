"""The hash chain of the Activity Log.

Each entry carries the hash of the one before, so that nothing can be changed, dropped or inserted
unnoticed (rules.md §8.9). Personal text is hashed with a salt of its own: erasing both keeps the
chain whole.
"""

from __future__ import annotations

import hashlib
import json
from _json import make_encoder
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import JSONEncoder, encode_basestring
from typing import NamedTuple

from bot.consent.frozen import replace
from bot.consent.log.entries import Answers, Entry

#: What stands before the first entry.
GENESIS = "0" * 64


class ChainLink(NamedTuple):
    """An entry's place in the chain."""

    seq: int
    hash: str
    #: As `holds` says.
    holds: bool
    redacted: bool
    kind: str
    contact: str | None


def seal(
    entry: Entry, *, seq: int, previous: str, salt: str, answers: Answers | None = None
) -> Entry:
    """The entry with its place in the chain, and with these answers, if there are any.

    `previous` is the hash of the entry before (`GENESIS` for the first), `salt` 32 random
    hexadecimal digits.
    """
    answers = answers or entry.answers
    digest = _digest(entry, salt)
    hash = _hash(entry, seq, digest, previous, answers)
    return replace(entry, seq=seq, salt=salt, digest=digest, hash=hash, answers=answers)


def holds(entry: Entry, previous: str) -> bool:
    """Whether the entry is as it was sealed, and follows the one whose hash is `previous`.

    A redacted entry has no personal part left to check; that it may be redacted is for the caller
    to see (its contact was erased).
    """
    if not entry.redacted and _digest(entry, entry.salt) != entry.digest:
        return False
    if entry.redacted and (entry.address or entry.reason or entry.evidence or entry.changes):
        return False
    return _hash(entry, entry.seq, entry.digest, previous, entry.answers) == entry.hash


def redact(entry: Entry) -> Entry:
    """The entry without its personal part; its hash still holds."""
    return replace(entry, address=None, reason=None, evidence=None, changes=None, salt="")


def _digest(entry: Entry, salt: str) -> str:
    evidence = entry.evidence
    return _sha256(
        (
            salt,
            entry.address,
            entry.reason,
            evidence.text if evidence else None,
            _instant(evidence.at) if evidence and evidence.at else None,
            sorted(entry.changes.items()) if entry.changes else [],
        )
    )


def _hash(entry: Entry, seq: int, digest: str, previous: str, answers: Answers | None) -> str:
    """The canonical bytes, pinned by a test: any other order would break all history."""
    # Entries of earlier versions have none, and keep their hashes.
    told = [sorted(answers.items())] if answers else []
    return _sha256(
        (
            previous,
            seq,
            entry.id,
            entry.kind,
            _instant(entry.occurred_at),
            _instant(entry.recorded_at),
            entry.actor,
            entry.source,
            entry.contact,
            entry.version,
            entry.channel,
            entry.sender,
            entry.by,
            entry.before,
            entry.after,
            entry.expected,
            entry.provider_id,
            digest,
            *told,
        )
    )


@lru_cache(maxsize=64)
def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _sha256(values: Sequence[object]) -> str:
    return hashlib.sha256(canonical(values).encode("utf-8", "surrogatepass")).hexdigest()


def plain_canonical(values: Sequence[object]) -> str:
    """The JSON that is hashed."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def canonical(values: Sequence[object]) -> str:
    """What `plain_canonical` gives, at half its cost: `json.dumps` makes an encoder anew at each
    call. A test compares the two."""
    return "".join(_encode(values, 0))


#: A private name of CPython's; `json.encoder` calls it with the same arguments.
_encode = make_encoder(
    None, JSONEncoder().default, encode_basestring, None, ":", ",", False, False, False
)
