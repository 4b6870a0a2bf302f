"""What was told while we were down: asked for at the start, and every few minutes."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event as Flag

from bot.consent.use_cases import Service, read_value, write_value
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cursor:
    """How far a provider was asked."""

    #: Everything before is here.
    since: datetime
    #: In the middle of a longer answer: from where to go on, and the newest until there.
    resume: str | None = None
    newest: datetime | None = None


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
        since, newest = cursor.since, cursor.newest
        try:
            for page in source.pages(since - _OVERLAP, cursor.resume):
                for first in range(0, len(page.events), _AT_ONCE):
                    self._intake.take(source.name, page.events[first : first + _AT_ONCE])
                if page.newest and page.newest <= now:
                    newest = max(newest or since, page.newest)
                if page.next is not None:
                    self._write(source, _Cursor(since=since, resume=page.next, newest=newest))
                if stopping.is_set():
                    return
        except BackfillOutdated:
            self._write(source, _Cursor(since=since))
            raise
        self._write(source, _Cursor(since=max(since, newest or since)))

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
        )

    def _write(self, source: BackfillSource, cursor: _Cursor) -> None:
        told = {
            "since": cursor.since.isoformat(),
            "resume": cursor.resume,
            "newest": cursor.newest.isoformat() if cursor.newest else None,
        }
        text = json.dumps({name: value for name, value in told.items() if value})
        write_value(self._service, _mark(source), text)


def _mark(source: BackfillSource) -> str:
    return f"missed:{source.name}"
