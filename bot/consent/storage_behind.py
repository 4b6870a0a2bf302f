"""A storage that went back: what is remembered of its log elsewhere, and what the storage lacks.

Whoever puts an older copy of the storage back loses what was recorded since, opt-outs among it.
The storage itself cannot know that. So the end of its log is remembered outside it (`HeadMemory`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

#: The key value that says that the storage is behind, for every process and replica.
BEHIND = "storage-behind"
#: The key value with the time of the last rollback that a person accepted.
ACCEPTED = "storage-behind-accepted"

#: How `where` begins for a witness.
WITNESS = "the witness "
#: What an operator does where `StorageBehind.may_be_new`.
MAY_BE_NEW = (
    "If this is a new storage beside another one with the same witness, give it a witness of its "
    "own in OPTIN_WITNESSES, and run `optin verify --accept-rollback` once."
)

#: `seq` and hash of a log's newest entry; 0 and "" where nothing is known.
LogEnd = tuple[int, str]
UNKNOWN_END: LogEnd = (0, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class RememberedHead:
    """The end of a log, as somebody outside the storage remembers it."""

    #: Tells one log from another: the first 32 digits of the first entry's hash. Empty where that
    #: is not known.
    log: str
    #: `seq` of the newest entry.
    size: int
    #: Its hash.
    chain: str
    #: When it was the newest entry.
    at: datetime
    #: Who remembers it, for a person: `optin.heads`, the name of a witness.
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageBehind:
    """The storage does not have an entry that somebody remembers."""

    #: What is remembered.
    size: int
    chain: str
    at: datetime
    where: str
    #: `seq` of the storage's newest entry when that was noticed.
    present: int
    #: When it was noticed.
    since: datetime

    @property
    def may_be_new(self) -> bool:
        """Whether this may be a new storage beside another one: it has no entries yet, and a
        witness remembers a log that may be another one's."""
        return self.present == 0 and self.where.startswith(WITNESS)

    @property
    def missing(self) -> int:
        """How many entries are missing at least. 0 where the log has as many, but other ones."""
        return max(0, self.size - self.present)


class HeadMemory(Protocol):
    """Remembers the log's end outside the storage. The storage reports to it."""

    @property
    def newest(self) -> LogEnd:
        """What the storage must have by now. Read it before a transaction begins."""
        ...

    @property
    def behind(self) -> StorageBehind | None:
        """What this process found missing, which the storage's own mark may not say yet."""
        ...

    def look(self, least: LogEnd, found: LogEnd) -> None:
        """Compares the log's end that a transaction found with `newest`, read before it began."""
        ...

    def stored(self, end: LogEnd) -> None:
        """Remembers the log's end after a commit that is on the disk."""
        ...


class ForgetfulMemory:
    """Remembers nothing: for a storage that nobody watches, such as a demo's."""

    newest = UNKNOWN_END
    behind = None

    def look(self, least: LogEnd, found: LogEnd) -> None:
        """Compares nothing."""

    def stored(self, end: LogEnd) -> None:
        """Remembers nothing."""


class KeptTexts(Protocol):
    """The key values, as far as they are read here."""

    def get(self, name: str) -> str | None: ...


def behind_of(heads: HeadMemory, key_value: KeptTexts) -> StorageBehind | None:
    """What the storage lacks, as it says itself or as this process has just found out. Every
    decision asks this."""
    # The mark first: reading it begins the transaction, and then the log's end is compared.
    return read_mark(key_value) or heads.behind


def read_mark(key_value: KeptTexts) -> StorageBehind | None:
    """What the storage itself says of being behind."""
    text = key_value.get(BEHIND)
    return behind_from(json.loads(text)) if text else None


def mark_text(behind: StorageBehind) -> str:
    """The text of the mark."""
    return json.dumps(
        {
            "size": behind.size,
            "chain": behind.chain,
            "at": behind.at.isoformat(),
            "where": behind.where,
            "present": behind.present,
            "since": behind.since.isoformat(),
        }
    )


def behind_from(kept: Mapping[str, str]) -> StorageBehind:
    """What the values of such a text say."""
    return StorageBehind(
        size=int(kept["size"]),
        chain=kept["chain"],
        at=datetime.fromisoformat(kept["at"]),
        where=kept["where"],
        present=int(kept["present"]),
        since=datetime.fromisoformat(kept["since"]),
    )
