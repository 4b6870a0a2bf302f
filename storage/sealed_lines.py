"""The hash chain, checked on entries as they are stored.

`log.chain.holds` takes an entry apart and encodes it twice in Python. Here msgspec does both for
many entries at once, at a quarter of the cost. Where that does not give the stored hash, `holds`
decides: the two never differ, and a test compares them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import islice

import msgspec

from bot.consent.log.chain import GENESIS, ChainLink, holds
from bot.consent.log.entries import Entry

#: Entries that are decoded at once.
_PAGE = 200


class _Evidence(msgspec.Struct, gc=False):
    text: str
    at: str | None = None


class _Line(msgspec.Struct, gc=False):
    """An entry whose times stay texts, in the order in which it is stored: msgspec then finds each
    field at once. The defaults are those of `Entry`."""

    id: str
    kind: str
    occurred_at: str
    recorded_at: str
    actor: str
    source: str
    contact: str | None = None
    version: int = 0
    channel: str | None = None
    sender: str | None = None
    by: str | None = None
    before: str = ""
    after: str = ""
    expected: bool = False
    provider_id: str | None = None
    answers: msgspec.Raw = msgspec.Raw(b"null")
    address: str | None = None
    reason: str | None = None
    evidence: _Evidence | None = None
    changes: dict[str, msgspec.Raw] | None = None
    salt: str = ""
    seq: int = 0
    digest: str = ""
    hash: str = ""


_lines = msgspec.json.Decoder(list[_Line]).decode
_answers = msgspec.json.Decoder(dict[str, msgspec.Raw] | None).decode
_encode = msgspec.json.Encoder().encode
_sha256 = hashlib.sha256
#: As it is hashed. Times are stored with a Z.
_UTC = "+00:00"
#: Makes a named tuple at half the cost of calling its class.
_tuple = tuple.__new__


def links(
    lines: Iterable[tuple[int, bytes]], read: Callable[[int, bytes], Entry]
) -> Iterator[ChainLink]:
    """The links of a whole log, oldest first, out of its lines, each with its place. `read` decodes
    one line; raises as it does."""
    previous = GENESIS
    rest = iter(lines)
    while page := list(islice(rest, _PAGE)):
        known_lines = _decoded([line for _, line in page])
        for (place, line), known in zip(page, known_lines, strict=True):
            if known is None or not _holds(known, previous):
                link = _slow(read(place, line), previous)
            else:
                link = _tuple(
                    ChainLink,
                    (known.seq, known.hash, True, not known.salt, known.kind, known.contact),
                )
            previous = link.hash
            yield link


def _decoded(page: list[bytes]) -> list[_Line] | list[None]:
    try:
        found = _lines(b"[" + b",".join(page) + b"]")
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return [None] * len(page)
    return found if len(found) == len(page) else [None] * len(page)


def _slow(entry: Entry, previous: str) -> ChainLink:
    held = holds(entry, previous)
    return ChainLink(entry.seq, entry.hash, held, entry.redacted, entry.kind, entry.contact)


def _holds(line: _Line, previous: str) -> bool:
    evidence, changes, salt, digest = line.evidence, line.changes, line.salt, line.digest
    if salt:
        text = at = None
        if evidence is not None:
            text = evidence.text
            at = evidence.at and evidence.at.replace("Z", _UTC)
        told = sorted(changes.items()) if changes else ()
        personal = _encode((salt, line.address, line.reason, text, at, told))
        if _sha256(personal).hexdigest() != digest:
            return False
    elif line.address or line.reason or evidence or changes or line.seq < 1:
        return False
    sealed = _encode(
        (
            previous,
            line.seq,
            line.id,
            line.kind,
            line.occurred_at.replace("Z", _UTC),
            line.recorded_at.replace("Z", _UTC),
            line.actor,
            line.source,
            line.contact,
            line.version,
            line.channel,
            line.sender,
            line.by,
            line.before,
            line.after,
            line.expected,
            line.provider_id,
            digest,
        )
    )
    return _sha256(sealed[:-1] + _told(bytes(line.answers))).hexdigest() == line.hash


@lru_cache(maxsize=256)
def _told(answers: bytes) -> bytes:
    """The end of what is hashed. There are few different answers."""
    known = _answers(answers)
    return b"," + _encode(sorted(known.items())) + b"]" if known else b"]"
