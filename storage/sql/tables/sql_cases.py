"""Re-opt-in cases inside one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from bot.consent.cases import Case
from bot.consent.errors import Changed
from bot.consent.model import Channel
from storage.sql.compiler import MOST_OPEN_CASES
from storage.sql.tables import table_rows
from storage.sql.tables.document_cache import DocumentCache, decoded
from storage.sql.transaction import Transaction

#: Before any time, and any id.
_NEVER = -(2**62)


class SQLCases:
    """See `bot.consent.records.Cases`."""

    def __init__(self, turn: Transaction) -> None:
        self._turn = turn
        self.cache = DocumentCache(turn, turn.sql.cases, table_rows.cases, table_rows.case_row)
        #: Of a transaction that remembers: the open case of a contact and channel by
        #: its id; None where there is none.
        self._open: dict[tuple[str, Channel], str | None] = {}
        self._open_known = False
        self._open_asked = 0

    def get(self, id: str) -> Case | None:
        return self.cache.get(id)

    def open_for(self, contact: str, channel: Channel) -> Case | None:
        if not self._turn.writes and (contact, channel) not in self._open:
            found = self._find_open(contact, channel)
            return found[0] if found else None
        if (contact, channel) not in self._open and not self._open_known:
            self._look_for_open(contact, channel)
        id = self._open.setdefault((contact, channel), None)
        case = None if id is None else self.cache.get(id)
        stands = (
            case is not None and case.open and (case.contact, case.channel) == (contact, channel)
        )
        return case if stands else None

    def put(self, case: Case) -> None:
        other = self.open_for(case.contact, case.channel) if case.open else None
        if other is not None and other.id != case.id:
            raise Changed
        if case.open:
            self._open[case.contact, case.channel] = case.id
        self.cache.put(case.id, case)

    def of(self, contact: str) -> list[Case]:
        self.cache.flush()
        found = self._turn.rows(self._turn.sql.cases_of, {"contact": table_rows.plain(contact)})
        return decoded(self.cache, found)

    def all_open(self, *, after: Case | None = None, limit: int) -> list[Case]:
        self.cache.flush()
        at, id = (
            (table_rows.ticks(after.requested_at), table_rows.plain(after.id))
            if after
            else (_NEVER, "")
        )
        given = {"at": at, "id": id, "limit": max(limit, 0)}
        return decoded(self.cache, self._turn.rows(self._turn.sql.open_cases, given))

    def due(self, now: datetime, *, limit: int) -> list[Case]:
        self.cache.flush()
        given = {"now": table_rows.ticks(now), "limit": max(limit, 0)}
        return decoded(self.cache, self._turn.rows(self._turn.sql.due_cases, given))

    def all(self) -> Iterator[Case]:
        for page in self.cache.all():
            yield from (case for _, case in page)

    def learn_documents(self, documents: Iterable[str]) -> None:
        """Open cases out of the database, found with their contacts."""
        self._learn_open(self.cache.decode(document) for document in documents)

    def learn_that_no_other_is_open(self, contact: str) -> None:
        for channel in Channel:
            self._open.setdefault((contact, channel), None)

    def _look_for_open(self, contact: str, channel: Channel) -> None:
        """One is looked for alone. Whoever looks for another may look for a thousand: mostly few
        are open, and then all of them are fetched."""
        self._open_asked += 1
        if self._open_asked == 2:
            some = decoded(self.cache, self._turn.rows(self._turn.sql.some_open_cases))
            self._open_known = len(some) <= MOST_OPEN_CASES
            self._learn_open(some)
        if not self._open_known:
            self._learn_open(self._find_open(contact, channel))

    def _find_open(self, contact: str, channel: Channel) -> list[Case]:
        given = {"contact": table_rows.plain(contact), "channel": channel.value}
        return decoded(self.cache, self._turn.rows(self._turn.sql.open_case, given))

    def _learn_open(self, found: Iterable[Case]) -> None:
        """As the database has them; what the transaction made of them, it goes on knowing."""
        for case in found:
            self.cache.learn(case.id, case)
            self._open.setdefault((case.contact, case.channel), case.id)
