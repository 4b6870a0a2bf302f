"""Subscriptions to be confirmed: kept when they are asked for, confirmed after the answer."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from threading import Event

from bot.consent.store import Records
from bot.consent.use_cases import Service
from handlers.webhooks.provider import Confirmation, InvalidSignature, VerificationUnavailable

logger = logging.getLogger(__name__)

#: How long a link to confirm with is good.
_KEEP = timedelta(days=3)
_FIRST_PAUSE = timedelta(seconds=10)
_LONGEST_PAUSE = timedelta(hours=1)
#: More of them than a topic can sensibly ask for.
_MOST = 20
_MARK = "confirmations"


def keep(service: Service, asked: Iterable[Confirmation]) -> None:
    """Stores them. Raises `StorageFailed`."""
    now = service.now()
    with service.store.transaction() as records:
        kept = _read(records)
        for one in asked:
            if one.url not in kept and len(kept) < _MOST:
                times = {"asked": now.isoformat(), "due": now.isoformat()}
                kept[one.url] = {"topic": one.topic, **times}
        _write(records, kept)


class ConfirmationJob:
    """The job that confirms what is due, with a SPEC's `confirm`, which calls the provider's hosts
    alone."""

    def __init__(self, service: Service, fetch: Callable[[str], bytes]) -> None:
        self._service = service
        self._fetch = fetch

    def __call__(self, stopping: Event) -> None:
        """Raises `StorageFailed`."""
        now = self._service.now()
        with self._service.store.reading() as records:
            due = {url: one for url, one in _read(records).items() if _time(one["due"]) <= now}
        for url, one in due.items():
            if stopping.is_set():
                return
            self._settle(url, self._pause(url, one, now))

    def _pause(self, url: str, one: dict[str, str], now: datetime) -> timedelta | None:
        """How long to wait before the next attempt; None where there is to be none."""
        topic = one["topic"]
        try:
            self._fetch(url)
        except InvalidSignature as fault:
            logger.warning("The subscription to %s was not confirmed: %s", topic, fault)
            return None
        except VerificationUnavailable as fault:
            logger.warning("The subscription to %s is not confirmed yet: %s", topic, fault)
            age = now - _time(one["asked"])
            return min(max(age, _FIRST_PAUSE), _LONGEST_PAUSE) if age < _KEEP else None
        logger.info("Confirmed the subscription to %s", topic)
        return None

    def _settle(self, url: str, pause: timedelta | None) -> None:
        with self._service.store.transaction() as records:
            kept = _read(records)
            if pause is None:
                kept.pop(url, None)
            elif url in kept:
                kept[url]["due"] = (self._service.now() + pause).isoformat()
            _write(records, kept)


def _read(records: Records) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(records.key_value.get(_MARK) or "{}")
    return found


def _write(records: Records, kept: dict[str, dict[str, str]]) -> None:
    records.key_value.put(_MARK, json.dumps(kept) if kept else None)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
