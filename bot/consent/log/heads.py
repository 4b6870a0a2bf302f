"""The head of the Activity Log, as witnesses outside the storage keep it.

Whoever has a head can tell later whether the log still begins with what it was then. A head names
nobody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.consent.errors import Invalid

#: The first line of a head's text: what it is, and the version of its form.
TITLE = "Optin log head 1"
#: Every value has one spelling, so that equal heads have equal texts.
_FORM = re.compile(
    f"^{TITLE}\n"
    "log: ([0-9a-f]{32})\n"
    "size: ([1-9][0-9]{0,17})\n"
    "chain: ([0-9a-f]{64})\n"
    "root: ([0-9a-f]{64})\n"
    "at: ([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})Z\n",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogHead:
    """What the whole log was at a moment."""

    #: The first 32 hexadecimal digits of the first entry's hash: tells one log from another.
    log: str
    #: `seq` of the newest entry, which is how many there are.
    size: int
    #: Hash of the newest entry.
    chain: str
    #: Root of the Merkle tree over all entries, in hexadecimal digits.
    root: str
    #: When this was the head. Aware UTC, in whole seconds.
    at: datetime


def head_text(head: LogHead) -> str:
    """The head in six lines of ASCII. Every witness gets the same bytes."""
    at = head.at.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat()
    return (
        f"{TITLE}\nlog: {head.log}\nsize: {head.size}\nchain: {head.chain}\n"
        f"root: {head.root}\nat: {at}Z\n"
    )


def read_heads(text: str) -> tuple[list[LogHead], list[str]]:
    """The heads in a text, in their order, and the texts between them that are none. Raises
    `Invalid` for a head with a day that no month has."""
    heads: list[LogHead] = []
    others: list[str] = []
    end = 0
    for found in _FORM.finditer(text):
        others.append(text[end : found.start()])
        heads.append(read_head_text(found[0]))
        end = found.end()
    others.append(text[end:])
    return heads, [other for other in others if other.strip("\n")]


def read_head_text(text: str) -> LogHead:
    """The head that `head_text` gave this text for. Raises `Invalid` for any other text."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise Invalid("This is not the head of an Activity Log.")
    log, size, chain, root, at = found.groups()
    try:
        moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    except ValueError:
        raise Invalid("This is not the head of an Activity Log.") from None
    return LogHead(log=log, size=int(size), chain=chain, root=root, at=moment)
