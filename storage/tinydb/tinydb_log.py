"""The Activity Log inside one transaction, and the ids of events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import Channel
from storage.documents import fingerprint
from storage.tinydb.activity_log_file import LogFile
from storage.tinydb.index import EVENTS
from storage.tinydb.tinydb_transaction import TinyDBTransaction

_texts = msgspec.json.Decoder(dict[str, str])


class TinyDBLog:
    """See `bot.consent.records.Log`."""

    def __init__(self, transaction: TinyDBTransaction, file: LogFile) -> None:
        self._transaction = transaction
        self._file = file

    def append(self, entry: Entry) -> Entry:
        return self._file.append(entry, self._transaction.writing())

    def adopt(self, entry: Entry) -> None:
        self._file.adopt(entry, self._transaction.writing())

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
        wanted = frozenset(kinds)
        found: list[Entry] = []
        if limit <= 0:
            return found
        lines = self._file.newest_first(contact=contact, actor=actor, before=before)
        for offset, line, mark in lines:
            if (not wanted or mark.kind in wanted) and channel in (None, mark.channel):
                found.append(self._file.entry(offset, line))
                if len(found) == limit:
                    break
        return found

    def all(self) -> Iterator[Entry]:
        return self._file.oldest_first()

    def head(self) -> tuple[int, str]:
        return self._file.head.seq, self._file.head.hash

    def redact(self, contact: str) -> None:
        self._file.redact(contact, self._transaction.writing())


class TinyDBEvents:
    """See `bot.consent.records.SeenEvents`."""

    def __init__(self, transaction: TinyDBTransaction) -> None:
        self._transaction = transaction

    def seen(self, event: str, former: str | None = None) -> bool:
        return self._remembered(event) or (former is not None and self._remembered(former))

    def remember(self, event: str) -> None:
        self.put(fingerprint(event))

    def all(self) -> Iterator[str]:
        for known in self._transaction.all(EVENTS, _texts):
            yield from (f"{known['id']}{hash}" for hash in sorted(known["seen"].split()))

    def put(self, fingerprint: str) -> None:
        bucket, hash = _parted(fingerprint)
        known = self._transaction.get(EVENTS, bucket, _texts) or {"id": bucket, "seen": ""}
        if hash not in known["seen"]:
            known["seen"] = f"{known['seen']} {hash}".strip()
            self._transaction.put(EVENTS, bucket, known)

    def _remembered(self, event: str) -> bool:
        bucket, hash = _parted(fingerprint(event))
        id = self._transaction.index.ids[EVENTS].get(bucket)
        return id is not None and hash.encode() in self._transaction.documents[EVENTS][id]


def _parted(fingerprint: str) -> tuple[str, str]:
    """The ids of events are kept as hashes, some hundred to a document: they only grow."""
    return fingerprint[:3], fingerprint[3:]
