"""When each provider was last heard, and what went wrong last: for `optin doctor`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from threading import Lock

from bot.consent.frozen import replace
from bot.consent.records import KeyValue
from bot.consent.use_cases import Service, update_values
from handlers.webhooks.receiver.signed_times import SignedTimes

#: Between two notes of one provider.
_PAUSE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Odd:
    """One kind of what is signed and not understood."""

    count: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderStatus:
    """Of one provider."""

    #: When it last sent something that holds.
    event_at: datetime | None = None
    failure_at: datetime | None = None
    #: A word of `Outcome`, or "missed" where what was missed could not be had.
    failure: str = ""
    #: What it sent that was not understood, or not placed: how often, and when last, by kind.
    odd: Mapping[str, Odd] = field(default_factory=dict)


def provider_status(key_value: KeyValue, name: str) -> ProviderStatus:
    """What was kept of the provider."""
    return read_status(key_value.get(provider_key(name)))


def read_status(text: str | None) -> ProviderStatus:
    """Out of the stored value."""
    kept = json.loads(text or "{}")
    return ProviderStatus(
        event_at=_time(kept.get("event_at")),
        failure_at=_time(kept.get("failure_at")),
        failure=kept.get("failure", ""),
        odd={
            kind: Odd(count=count, at=datetime.fromisoformat(at))
            for kind, (count, at) in kept.get("odd", {}).items()
        },
    )


class ProviderHealth:
    """Noted in memory, and kept now and then: a forged request writes nothing by itself. Safe
    across threads."""

    def __init__(self) -> None:
        #: In memory alone.
        self.signed_times = SignedTimes()
        self._lock = Lock()
        self._fresh: dict[str, ProviderStatus] = {}
        #: When each was kept.
        self._kept: dict[str, datetime] = {}

    def heard(self, name: str, at: datetime) -> None:
        """It sent something that holds."""
        with self._lock:
            before = self._fresh.get(name, _NOTHING)
            self._fresh[name] = replace(before, event_at=at)

    def failed(self, name: str, at: datetime, kind: str) -> None:
        """Something went wrong."""
        with self._lock:
            before = self._fresh.get(name, _NOTHING)
            self._fresh[name] = replace(before, failure_at=at, failure=kind)

    def odd(self, name: str, at: datetime, kind: str, count: int) -> None:
        """It sent something that was not understood, or not placed."""
        with self._lock:
            before = self._fresh.get(name, _NOTHING)
            fresh = {kind: Odd(count=count, at=at)}
            self._fresh[name] = replace(before, odd=_together(before.odd, fresh))

    def keep(self, service: Service) -> None:
        """Stores what is new, at most once a minute for each provider.

        Raises `StorageFailed`, and tries the same again next time.
        """
        now = service.now()
        with self._lock:
            fresh = {
                name: new
                for name, new in self._fresh.items()
                if name not in self._kept or abs(now - self._kept[name]) >= _PAUSE
            }
        if not fresh:
            return
        update_values(
            service, {provider_key(name): partial(_added, new) for name, new in fresh.items()}
        )
        with self._lock:
            for name, new in fresh.items():
                self._kept[name] = now
                now_fresh = self._fresh[name]
                if now_fresh is new:
                    del self._fresh[name]
                else:
                    self._fresh[name] = replace(now_fresh, odd=_since(new.odd, now_fresh.odd))


_NOTHING = ProviderStatus()


def _added(new: ProviderStatus, text: str | None) -> str:
    """The text that is kept, with what is new."""
    kept = read_status(text)
    event_at = new.event_at or kept.event_at
    odd = _together(kept.odd, new.odd)
    if new.failure_at:
        kept = new
    at = kept.failure_at
    return json.dumps(
        {
            "event_at": event_at.isoformat() if event_at else None,
            "failure_at": at.isoformat() if at else None,
            "failure": kept.failure,
            "odd": {kind: (one.count, one.at.isoformat()) for kind, one in odd.items()},
        }
    )


def _together(before: Mapping[str, Odd], more: Mapping[str, Odd]) -> Mapping[str, Odd]:
    both = dict(before)
    for kind, one in more.items():
        had = both.get(kind)
        both[kind] = Odd(count=one.count + had.count, at=max(one.at, had.at)) if had else one
    return both


def _since(before: Mapping[str, Odd], now: Mapping[str, Odd]) -> Mapping[str, Odd]:
    """What came while the storage wrote what had come before."""
    left = {
        kind: replace(one, count=one.count - before[kind].count if kind in before else one.count)
        for kind, one in now.items()
    }
    return {kind: one for kind, one in left.items() if one.count}


def provider_key(name: str) -> str:
    """The name of the stored value."""
    return f"provider:{name}"


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
