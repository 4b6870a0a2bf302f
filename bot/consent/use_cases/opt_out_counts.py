"""How many opted out, counted as it happens, for pictures that must not wait for the log.

A timer counts what is new in the log and stores the counts as one value, by quarters of an hour:
every zone's days begin at one.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo

from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import Channel
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.key_values import update_values
from bot.consent.use_cases.stats import entries_since, opts_out

#: The key of the stored value.
COUNTS = "opt-outs by quarter of an hour"
#: Days that are shown, and those that are stored: a week of every zone.
DAYS = 7
_STORED = timedelta(days=DAYS + 2)
_QUARTER = 900
_CHANNELS = (Channel.SMS, Channel.EMAIL)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOutCounts:
    """The counts as they were at a place in the log."""

    #: The newest entry that was counted.
    seq: int
    at: datetime
    #: By quarter of an hour since 1970: those of SMS, and of e-mail.
    quarters: Mapping[int, tuple[int, int]] = field(default_factory=dict)

    def days(self, today: date, zone: tzinfo) -> Mapping[date, Mapping[Channel, int]]:
        """The last days up to `today`, the oldest first."""
        first = today - timedelta(days=DAYS - 1)
        found = {first + timedelta(days=n): dict.fromkeys(_CHANNELS, 0) for n in range(DAYS)}
        for quarter, counts in self.quarters.items():
            day = datetime.fromtimestamp(quarter * _QUARTER, UTC).astimezone(zone).date()
            if day in found:
                for channel, count in zip(_CHANNELS, counts, strict=True):
                    found[day][channel] += count
        return found


def read_counts(text: str | None) -> OptOutCounts | None:
    """The counts out of the stored value; None where nothing was counted yet."""
    if text is None:
        return None
    stored = json.loads(text)
    return OptOutCounts(
        seq=stored["seq"],
        at=datetime.fromisoformat(stored["at"]),
        quarters={int(quarter): (sms, email) for quarter, (sms, email) in stored["counts"].items()},
    )


def count_opt_outs(service: Service) -> bool:
    """Counts what the log has new. Returns whether there was anything."""
    now = service.now()
    oldest = now - _STORED
    with service.store.reading() as records:
        text = records.key_value.get(COUNTS)
        before = read_counts(text)
        seq, _ = records.log.head()
        if before is not None and before.seq == seq:
            return False
        if before is None or before.seq > seq:
            quarters = _counted({}, entries_since(records.log, oldest), oldest)
        else:
            quarters = _counted(before.quarters, records.log.since(before.seq), oldest)
    counted = json.dumps({"seq": seq, "at": now.isoformat(), "counts": quarters})
    # Another replica may have counted the same meanwhile.
    update_values(service, {COUNTS: lambda stored: counted if stored == text else stored})
    return True


def _counted(
    before: Mapping[int, tuple[int, int]], entries: Iterable[Entry], oldest: datetime
) -> dict[int, tuple[int, int]]:
    found: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
    for quarter, counts in before.items():
        found[quarter] = list(counts)
    for entry in entries:
        if entry.kind is EntryKind.CONSENT and entry.channel and opts_out(entry):
            quarter = int(entry.recorded_at.timestamp()) // _QUARTER
            found[quarter][_CHANNELS.index(entry.channel)] += 1
    first = int(oldest.timestamp()) // _QUARTER
    return {quarter: (sms, email) for quarter, (sms, email) in found.items() if quarter >= first}
