"""Whether the clock of this machine can be right. Deadlines, the order of opt-outs and Slack's
signatures all depend on it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from bot.config.settings import SettingsError
from bot.consent.store import Store
from bot.runtime import clock

logger = logging.getLogger(__name__)

#: Slack's signatures are refused beyond this, so nothing would work anyway.
_MOST = timedelta(minutes=5)
#: Goes on while the machine sleeps; only Linux has it.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def check_clock(headers: Mapping[str, str], store: Store) -> None:
    """Compares the clock with the time of Slack's answer. Where Slack does not say it, the clock
    must not be behind the newest entry of the Activity Log. Raises `SettingsError`."""
    now = clock.now()
    given = {name.lower(): value for name, value in headers.items()}.get("date", "")
    theirs, newest = _read(given), _newest(store)
    if theirs is not None and abs(theirs - now) > _MOST:
        raise SettingsError(
            f"The clock of this machine says {_said(now)}, and Slack says {_said(theirs)}. Set the "
            "clock, then start Optin again."
        )
    if newest is None or newest - now <= _MOST:
        return
    if theirs is None:
        raise SettingsError(
            f"The clock of this machine says {_said(now)}, and the newest entry of the Activity "
            f"Log was written at {_said(newest)}. Set the clock, then start Optin again."
        )
    logger.warning(
        "The newest entry of the Activity Log was written at %s, by a clock that was wrong",
        _said(newest),
    )


class ClockWatch:
    """Notices when somebody moves the clock while Optin runs."""

    def __init__(self) -> None:
        self._offset = _offset()

    def fault(self) -> str | None:
        """For /readyz; None while the clock goes on as it did at the start."""
        moved = timedelta(seconds=_offset() - self._offset)
        if abs(moved) <= _MOST:
            return None
        way = "forward" if moved > timedelta() else "back"
        return f"the clock of this machine was moved {way} by {round(abs(moved) / _MINUTE)} minutes"


_MINUTE = timedelta(minutes=1)


def _offset() -> float:
    return time.time() - time.clock_gettime(_STEADY)


def _newest(store: Store) -> datetime | None:
    with store.reading() as records:
        found = records.log.entries(limit=1)
        return found[0].recorded_at if found else None


def _read(date: str) -> datetime | None:
    try:
        return parsedate_to_datetime(date).astimezone(UTC)
    except ValueError:
        return None


def _said(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
