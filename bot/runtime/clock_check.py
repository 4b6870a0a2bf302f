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
from bot.consent.use_cases import Service
from bot.consent.use_cases.alerts.clock_alerts import ClockFault, report_clock
from bot.runtime import clock
from handlers.webhooks.providers import SPECS
from handlers.webhooks.receiver.signed_times import SignedTimes

logger = logging.getLogger(__name__)

#: Slack's signatures are refused beyond this, so nothing would work anyway.
FAR_OFF = timedelta(minutes=5)
#: Goes on while the machine sleeps; only Linux has it.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def slack_difference(headers: Mapping[str, str]) -> timedelta | None:
    """How far Slack's clock is ahead; None where the answer does not say its time."""
    theirs = _slacks_time(headers)
    return theirs - clock.now() if theirs else None


def check_clock(headers: Mapping[str, str], store: Store) -> None:
    """Compares the clock with the time of Slack's answer. Where Slack does not say it, the clock
    must not be behind the newest entry of the Activity Log. Raises `SettingsError`."""
    now = clock.now()
    theirs, newest = _slacks_time(headers), _newest(store)
    if theirs is not None and abs(theirs - now) > FAR_OFF:
        raise SettingsError(
            f"The clock of this machine says {_said(now)}, and Slack says {_said(theirs)}. Set the "
            "clock, then start Optin again."
        )
    if newest is None or newest - now <= FAR_OFF:
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
    """Notices a wrong clock while Optin runs: one that somebody moves, one that differs from the
    times that providers sign, and one that is behind the newest entry of the Activity Log."""

    def __init__(self, signed_times: SignedTimes) -> None:
        self._offset = _offset()
        self._signed_times = signed_times
        #: What the last `look` found.
        self._found: ClockFault | None = None
        self._looked = False

    def fault(self) -> str | None:
        """For /readyz; None while nothing is known against the clock."""
        fault = self._moved() or self._found
        return fault.clause if fault else None

    def look(self, service: Service) -> None:
        """Compares the clock, and says in the log and the alert channel what differs. Raises
        `StorageFailed`."""
        fault = self._moved() or self._differs() or _behind_log(service)
        if self._looked and _kind(fault) == _kind(self._found):
            return
        # Of other replicas' clocks this one knows nothing: it says only what is new to itself.
        report_clock(service, fault)
        if fault:
            logger.error("The clock of this machine may be wrong: %s", fault.clause)
        elif self._found:
            logger.info("The clock of this machine agrees again")
        self._found, self._looked = fault, True

    def _moved(self) -> ClockFault | None:
        moved = timedelta(seconds=_offset() - self._offset)
        if abs(moved) <= FAR_OFF:
            return None
        way = "forward" if moved > timedelta() else "back"
        said = f"the clock of this machine was moved {way} by {_minutes(moved)}"
        return ClockFault(kind="moved", clause=said)

    def _differs(self) -> ClockFault | None:
        found = self._signed_times.difference()
        if found is None:
            return None
        way = "ahead of" if found.ahead > timedelta() else "behind"
        label = SPECS[found.provider].label
        said = (
            f"the times that {label} signs are {_minutes(found.ahead)} {way} the clock of this "
            "machine"
        )
        return ClockFault(kind=found.provider, clause=said)


def _behind_log(service: Service) -> ClockFault | None:
    newest, now = _newest(service.store), service.now()
    if newest is None or newest - now <= FAR_OFF:
        return None
    said = f"the newest entry of the Activity Log is from {_said(newest)}, which is still to come"
    return ClockFault(kind="log", clause=said)


def _kind(fault: ClockFault | None) -> str | None:
    return fault.kind if fault else None


def _minutes(by: timedelta) -> str:
    return f"{round(abs(by) / _MINUTE):,} minutes"


_MINUTE = timedelta(minutes=1)


def _offset() -> float:
    return time.time() - time.clock_gettime(_STEADY)


def _newest(store: Store) -> datetime | None:
    with store.reading() as records:
        found = records.log.entries(limit=1)
        return found[0].recorded_at if found else None


def _slacks_time(headers: Mapping[str, str]) -> datetime | None:
    date = {name.lower(): value for name, value in headers.items()}.get("date", "")
    try:
        return parsedate_to_datetime(date).astimezone(UTC)
    except ValueError:
        return None


def _said(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
