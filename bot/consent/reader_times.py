"""Times in sentences for one reader.

Slack shows `<!date^…>` in each reader's own zone, but not in errors at a field, and terminals show
no markup at all. There a sentence has the day, and a time with its zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderTimes:
    """Writes times in the zone of a reader. Where nobody knows it, that is UTC, and says so."""

    zone: tzinfo | None = None

    def day(self, at: datetime) -> str:
        """A day: "3 Nov 2026", or "3 Nov 2026 UTC"."""
        local = at.astimezone(self.zone or UTC)
        day = f"{local.day} {local:%b %Y}"
        return day if self.zone else f"{day} UTC"

    def since(self, at: datetime, than: datetime) -> str:
        """The day of `at`; its time, with seconds, where `than` is on the same day."""
        zone = self.zone or UTC
        if at.astimezone(zone).date() != than.astimezone(zone).date():
            return self.day(at)
        return self._timed(at, "%H:%M:%S")

    def moment(self, at: datetime) -> str:
        """A time with its zone: "3 Nov 2026, 06:02 PST"."""
        return self._timed(at, "%H:%M")

    def _timed(self, at: datetime, time: str) -> str:
        local = at.astimezone(self.zone or UTC)
        zone = f"{local:%Z}"
        named = zone if zone[:1].isalpha() else f"UTC{zone}"
        return f"{local.day} {local:%b %Y}, {local.strftime(time)} {named}"
