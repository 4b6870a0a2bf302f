"""The feed as the lanes of a process read it: each page once, although eight lanes ask for it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from itertools import islice

from bot.consent.use_cases import Service
from bot.consent.use_cases.feed import FeedPage, FeedRow, changes
from bot.consent.webhooks import LANES, lane_of

#: Rows of a page, and pages that are kept.
_ROWS, _PAGES = 1_000, 8
#: Seconds for which a page is kept. Its rows hold contacts, who may be changed meanwhile.
_FRESH = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneRows:
    """What comes next in a lane."""

    rows: tuple[FeedRow, ...]
    #: Up to here there are no others for it.
    place: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    after: int
    next: int
    read_at: float
    #: By lane.
    rows: tuple[list[FeedRow], ...] = field(default_factory=lambda: tuple([] for _ in range(LANES)))


class FeedWindow:
    """Some pages of the feed, for a moment. Safe across threads."""

    def __init__(
        self, service: Service, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._service = service
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._pages: deque[_Page] = deque(maxlen=_PAGES)

    def next_rows(
        self, lane: int, events: Collection[str], after: int, head: int, *, limit: int
    ) -> LaneRows:
        """At most `limit` rows of the lane behind `after`, of these types; up to `head`, where the
        log ends. Raises `StorageFailed`."""
        found: list[FeedRow] = []
        place = after
        while place < head:
            page = self._page(place)
            fit = (row for row in page.rows[lane] if row.seq > place and str(row.type) in events)
            rows = list(islice(fit, limit - len(found)))
            found += rows
            if len(found) == limit:
                return LaneRows(rows=tuple(found), place=rows[-1].seq)
            if page.next <= place:
                break
            place = page.next
            if found:
                # Enough for a beginning. The next page waits until these are delivered.
                break
        return LaneRows(rows=tuple(found), place=place)

    def row(self, seq: int) -> FeedRow | None:
        """The row at this place; None if it is none any more. Raises `StorageFailed`."""
        rows = changes(self._service, seq - 1, limit=1).rows
        return rows[0] if rows and rows[0].seq == seq else None

    def _page(self, after: int) -> _Page:
        """One that has what is behind `after`."""
        with self._lock:
            now = self._monotonic()
            for page in self._pages:
                if page.after <= after < page.next and now - page.read_at < _FRESH:
                    return page
            page = _page_of(after, changes(self._service, after, limit=_ROWS), now)
            self._pages.append(page)
            return page


def _page_of(after: int, read: FeedPage, now: float) -> _Page:
    page = _Page(after=after, next=read.next, read_at=now)
    for row in read.rows:
        page.rows[lane_of(row.entry.contact)].append(row)
    return page
