"""What was told while we were down: asked for at the start, and every few minutes."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event as Flag

from bot.consent.use_cases import Service, read_value, write_value
from bot.consent.use_cases.rollback import BACKFILL, BackfillRequest, backfill_request
from handlers.webhooks.backfill_source import BackfillOutdated, BackfillSource, BackfillUnavailable
from handlers.webhooks.receiver.provider_health import ProviderHealth
from handlers.webhooks.receiver.receive import WebhookReceiver

logger = logging.getLogger(__name__)

#: Is asked for twice: clocks differ, and lists are late.
_OVERLAP = timedelta(hours=1)
#: Asked for when nobody was ever asked before.
_AT_FIRST = timedelta(days=7)
#: Events to a transaction, so that a webhook does not wait for long.
_AT_ONCE = 100
#: Between two times that the providers are asked.
_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cursor:
    """How far a provider was asked."""

    #: Everything before is here.
    since: datetime
    #: In the middle of a longer answer: from where to go on, and the newest until there.
    resume: str | None = None
    newest: datetime | None = None
    #: The rollback for which it was asked from earlier on (`use_cases.rollback.BackfillRequest`).
    rollback: str | None = None


class Backfill:
    """The job: what each source can tell since it was last asked, under the webhook's ids, so that
    what came by both ways counts once."""

    def __init__(
        self,
        service: Service,
        intake: WebhookReceiver,
        sources: Sequence[BackfillSource],
        health: ProviderHealth,
    ) -> None:
        self._service = service
        self._intake = intake
        self._sources = sources
        self._health = health

    def __call__(self, stopping: Flag) -> None:
        """Raises `StorageFailed`. What a source can't tell now, it is asked for next time."""
        for source in self._sources:
            try:
                self._catch_up(source, stopping)
            except BackfillUnavailable as fault:
                logger.warning("%s can't be asked for what was missed: %s", source.name, fault)
                self._health.failed(source.name, self._service.now(), "missed")

    def _catch_up(self, source: BackfillSource, stopping: Flag) -> None:
        now = self._service.now()
        cursor = self._read(source) or _Cursor(since=now - _AT_FIRST + _OVERLAP)
        asked = self._asked()
        if asked is not None and asked.id != cursor.rollback:
            # Whatever came since then may be lost: it is asked for once more.
            cursor = _Cursor(since=min(cursor.since, asked.since), rollback=asked.id)
        since, newest, rollback = cursor.since, cursor.newest, cursor.rollback
        try:
            for page in source.pages(since - _OVERLAP, cursor.resume):
                for first in range(0, len(page.events), _AT_ONCE):
                    self._intake.take(source.name, page.events[first : first + _AT_ONCE])
                if page.newest and page.newest <= now:
                    newest = max(newest or since, page.newest)
                if page.next is not None:
                    self._write(
                        source,
                        _Cursor(since=since, resume=page.next, newest=newest, rollback=rollback),
                    )
                if stopping.is_set():
                    return
        except BackfillOutdated:
            self._write(source, _Cursor(since=since, rollback=rollback))
            raise
        self._write(source, _Cursor(since=max(since, newest or since), rollback=rollback))

    def _read(self, source: BackfillSource) -> _Cursor | None:
        text = read_value(self._service, _mark(source))
        if text is None:
            return None
        kept = json.loads(text)
        newest = kept.get("newest")
        return _Cursor(
            since=datetime.fromisoformat(kept["since"]),
            resume=kept.get("resume"),
            newest=datetime.fromisoformat(newest) if newest else None,
            rollback=kept.get("rollback"),
        )

    def _asked(self) -> BackfillRequest | None:
        return backfill_request(read_value(self._service, BACKFILL))

    def _write(self, source: BackfillSource, cursor: _Cursor) -> None:
        told = {
            "since": cursor.since.isoformat(),
            "resume": cursor.resume,
            "newest": cursor.newest.isoformat() if cursor.newest else None,
            "rollback": cursor.rollback,
        }
        text = json.dumps({name: value for name, value in told.items() if value})
        write_value(self._service, _mark(source), text)


class BackfillJob:
    """Runs the backfill every five minutes, and at once where somebody asks for it."""

    def __init__(self, service: Service, backfill: Backfill) -> None:
        self._service = service
        self._backfill = backfill
        self._asked: str | None = None
        self._next: datetime | None = None

    def __call__(self, stopping: Flag) -> None:
        """Raises `StorageFailed`."""
        asked, now = read_value(self._service, BACKFILL), self._service.now()
        # A clock that was set back makes nothing wait for ever.
        waits = self._next is not None and now < self._next <= now + _EVERY
        if waits and asked == self._asked:
            return
        self._asked, self._next = asked, now + _EVERY
        self._backfill(stopping)


def _mark(source: BackfillSource) -> str:
    return f"missed:{source.name}"
