"""Subscriptions to be confirmed: kept when they are asked for, confirmed after the answer."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from threading import Event

from bot.consent.use_cases import Service, read_value, update_values
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

    def add(text: str | None) -> str | None:
        kept = _read(text)
        for one in asked:
            if one.url not in kept and len(kept) < _MOST:
                times = {"asked": now.isoformat(), "due": now.isoformat()}
                kept[one.url] = {"topic": one.topic, **times}
        return _text(kept)

    update_values(service, {_MARK: add})


class ConfirmationJob:
    """The job that confirms what is due, with a SPEC's `confirm`, which calls the provider's hosts
    alone."""

    def __init__(self, service: Service, fetch: Callable[[str], bytes]) -> None:
        self._service = service
        self._fetch = fetch

    def __call__(self, stopping: Event) -> None:
        """Raises `StorageFailed`."""
        now = self._service.now()
        kept = _read(read_value(self._service, _MARK))
        due = {url: one for url, one in kept.items() if _time(one["due"]) <= now}
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
        def settle(text: str | None) -> str | None:
            kept = _read(text)
            if pause is None:
                kept.pop(url, None)
            elif url in kept:
                kept[url]["due"] = (self._service.now() + pause).isoformat()
            return _text(kept)

        update_values(self._service, {_MARK: settle})


def _read(text: str | None) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(text or "{}")
    return found


def _text(kept: dict[str, dict[str, str]]) -> str | None:
    return json.dumps(kept) if kept else None


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
