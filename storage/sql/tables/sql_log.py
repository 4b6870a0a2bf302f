"""The Activity Log inside one transaction, and the ids of events."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from bot.consent.errors import Corrupt
from bot.consent.log.chain import ChainLink, holds, seal
from bot.consent.log.entries import Answers, Entry, EntryKind
from bot.consent.model import Channel
from storage.documents import fingerprint
from storage.sealed_lines import links
from storage.sql.engine.database_session import Row
from storage.sql.tables import table_rows
from storage.sql.transaction import PendingQuery, Transaction

#: Behind the newest entry.
_END = 2**62


class SQLLog:
    """See `bot.consent.records.Log`."""

    def __init__(self, turn: Transaction) -> None:
        self._turn = turn
        #: Sealed, and not written yet.
        self._sealed: list[Entry] = []
        #: Of a transaction that reads, by contact: for how many was asked, and the newest.
        self._newest: dict[str, tuple[int, list[Entry]]] = {}
        self._salts: list[str] = []

    def append(self, entry: Entry, answers: Answers | None = None) -> Entry:
        self._turn.change()
        seq, previous = self.head()
        self._salts = self._salts or _salts()
        salt = self._salts.pop()
        sealed = seal(entry, seq=seq + 1, previous=previous, salt=salt, answers=answers)
        self._take(sealed)
        return sealed

    def adopt(self, entry: Entry) -> None:
        self._turn.change()
        seq, previous = self.head()
        if entry.seq != seq + 1 or not holds(entry, previous):
            raise Corrupt(f"Entry {entry.seq} does not follow entry {seq} of this log.")
        self._take(entry)

    def entries(
        self,
        *,
        contact: str | None = None,
        actor: str | None = None,
        kinds: Iterable[EntryKind] = (),
        channel: Channel | None = None,
        before: int | None = None,
        limit: int,
    ) -> list[Entry]:
        self.flush()
        if limit <= 0:
            return []
        alone = not kinds and actor is None and channel is None and before is None
        if contact and alone and (newest := self._newest.get(contact)) and newest[0] >= limit:
            return newest[1][:limit]
        asked: dict[str, Any] = {}
        if contact:
            asked["contact"] = table_rows.plain(contact)
        if actor is not None:
            asked["actor"] = table_rows.plain(actor)
        if channel is not None:
            asked["channel"] = channel.value
        if wanted := {kind.value for kind in kinds}:
            asked["kinds"] = self._turn.many(sorted(wanted))
        sql = self._turn.sql.entries(frozenset(asked))
        given = {**asked, "before": _END if before is None else before, "limit": limit}
        return [table_rows.entry_of_row(row) for row in self._turn.rows(sql, given)]

    def all(self) -> Iterator[Entry]:
        return self.since(0)

    def since(self, seq: int) -> Iterator[Entry]:
        self.flush()
        for page in self._turn.pages(self._turn.sql.log, seq):
            yield from (table_rows.numbered_entry(*row) for row in page)

    def links(self) -> Iterator[ChainLink]:
        self.flush()
        return links(self._lines(), table_rows.read_entry)

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        for page in self._turn.pages(self._turn.sql.log, 0):
            yield from table_rows.lines(page)

    def hashes(self, after: int, limit: int) -> list[str]:
        self.flush()
        given = {"key": after, "limit": limit}
        return [hash for _, hash in self._turn.rows(self._turn.sql.hashes, given)]

    def of_address(self, address: str) -> list[Entry]:
        self.flush()
        asked = {"address": table_rows.plain(address)}
        rows = self._turn.rows(self._turn.sql.entries_of_address, asked)
        return [table_rows.entry_of_row(row) for row in rows]

    def prefetch(self, asked: tuple[str, int] | None) -> Iterator[PendingQuery]:
        """The newest entries of this contact, so many."""
        if asked is None or self._turn.writes:
            return
        contact, limit = asked

        def learn(found: list[Row]) -> None:
            newest = sorted(map(table_rows.entry_of_row, found), key=_seq, reverse=True)
            self._newest[contact] = limit, newest

        given = {"contact": table_rows.plain(contact), "before": _END, "limit": limit}
        yield PendingQuery(self._turn.sql.entries(frozenset({"contact"})), given, learn)

    def head(self) -> tuple[int, str]:
        self._turn.begin()
        assert self._turn.head is not None
        seq, hash = self._turn.head
        return seq, hash

    def follow(self, head: tuple[int, str]) -> None:
        """The next entry comes behind this one, which is in another storage."""
        self._turn.begin()
        self._turn.head = head

    def redact(self, contact: str) -> None:
        self._turn.change()
        self.flush()
        self._turn.begin()
        self._turn.do(self._turn.sql.redact, [{"key": table_rows.plain(contact)}])
        self._turn.redacted = True

    def _take(self, sealed: Entry) -> None:
        self._sealed.append(sealed)
        self._turn.head = (sealed.seq, sealed.hash)

    @property
    def changed(self) -> bool:
        return bool(self._sealed)

    def flush(self) -> None:
        """Writes the new entries and the head."""
        if self._sealed:
            sealed, self._sealed = self._sealed, []
            self._turn.put(self._turn.sql.append, [table_rows.entry_row(entry) for entry in sealed])
            seq, hash = self.head()
            self._turn.do(self._turn.sql.put_head, [{"seq": seq, "hash": hash}])


class SQLEvents:
    """See `bot.consent.records.SeenEvents`."""

    def __init__(self, turn: Transaction) -> None:
        self._turn = turn
        #: Not written yet.
        self._events: dict[str, None] = {}
        #: Of those that were prefetched: whether the database has them.
        self._seen: dict[str, bool] = {}

    def seen(self, event: str, former: str | None = None) -> bool:
        marks = [fingerprint(id) for id in (event, former) if id is not None]
        if any(mark in self._events or self._seen.get(mark) for mark in marks):
            return True
        unknown = [bytes.fromhex(mark) for mark in marks if mark not in self._seen]
        if not unknown:
            return False
        asked = {"fingerprint": unknown[0], "former": unknown[-1]}
        return self._turn.row(self._turn.sql.seen, asked) is not None

    def remember(self, event: str) -> None:
        self.put(fingerprint(event))

    def all(self) -> Iterator[str]:
        self.flush()
        for page in self._turn.pages(self._turn.sql.events, b""):
            yield from (bytes(mark).hex() for (mark,) in page)

    def put(self, fingerprint: str) -> None:
        self._turn.change()
        self._seen.pop(fingerprint, None)
        self._events[fingerprint] = None

    def prefetch(self, events: Collection[str]) -> Iterator[PendingQuery]:
        if not events or not self._turn.sql.postgresql:  # SQLite is never far
            return
        prints = [mark for event in events if (mark := fingerprint(event)) not in self._events]

        def learn(found: list[Row]) -> None:
            self._seen |= dict.fromkeys(prints, False)
            self._seen |= {mark: True for mark, _ in found}

        given = {"fingerprints": self._turn.many([f"\\x{mark}" for mark in prints])}
        yield PendingQuery(self._turn.sql.seen_of, given, learn)

    @property
    def changed(self) -> bool:
        return bool(self._events)

    def flush(self) -> None:
        """Writes the new ids."""
        if self._events:
            self._turn.begin()
            marks, self._events = self._events, {}
            if self._turn.sql.postgresql:
                prints = self._turn.many([f"\\x{mark}" for mark in marks])
                self._turn.do(self._turn.sql.remember_all, [{"fingerprints": prints}])
            else:
                given = [{"fingerprint": bytes.fromhex(mark)} for mark in marks]
                self._turn.do(self._turn.sql.remember, given)


def _seq(entry: Entry) -> int:
    return entry.seq


def _salts() -> list[str]:
    """Of 32 random digits each. Many at once, since it is the call to the system that costs."""
    digits = secrets.token_hex(1024)
    return [digits[at : at + 32] for at in range(0, len(digits), 32)]
