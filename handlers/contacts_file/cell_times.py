"""When something happened, in the forms that exports write it in."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parsedate_to_datetime

from bot.consent.errors import Invalid

#: The furthest that a calendar is ahead of UTC.
_AHEAD = timedelta(hours=14)
#: Seconds or milliseconds since 1970, from 2001 to 2033. No North American number begins with 1.
_UNIX = re.compile(r"1\d{9}(\d{3})?(\.\d+)?", re.ASCII)
_MAIL_DATE = re.compile(r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d\d?:\d\d(:\d\d)?( .*)?")
#: Day and month, or month and day; whatever is behind them.
_SLASHES = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})\b(.*)", re.ASCII)
_MONTH = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_NAMED = re.compile(rf"(\d{{1,2}}[ -]{_MONTH}|{_MONTH} \d{{1,2}},?)[ -,]+\d{{2,4}}\b.*", re.I)
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(:\d\d)?([.,]\d+)?) ?(UTC|GMT|Z|[+-].*)?", re.I)


def looks_like_time(text: str) -> bool:
    """Whether a cell holds a date or a time, also one that can be read in two ways."""
    return (
        time_in(text) is not None
        or _SLASHES.fullmatch(text) is not None
        or _NAMED.fullmatch(text) is not None
    )


def time_in(text: str) -> datetime | None:
    """The time that a cell holds; None for one that can be read in two ways, or none. A date is the
    end of that day."""
    if _UNIX.fullmatch(text):
        seconds = float(text)
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
    if _MAIL_DATE.fullmatch(text):
        try:
            return _aware(parsedate_to_datetime(text))
        except ValueError:
            return None
    try:
        return datetime.combine(date.fromisoformat(text), time(23, 59, 59), UTC)
    except ValueError:
        return _moment(text)


def read_time(text: str, title: str, now: datetime) -> datetime:
    """A date or time as evidence has it; one without a zone is UTC. A date is the end of that day,
    but never later than now (rules.md §6). Raises `Invalid`, which names the column by its title.

    A time after `now` is returned as it is: that it can't be is for the use case to say.
    """
    text = text.strip()
    at = time_in(text)
    if at is None:
        raise Invalid(f"{title} has to be like 2026-05-31 or 2026-05-31T14:00:00Z.")
    whole_day = len(text) <= len("2026-05-31") and (at.hour, at.minute, at.second) == (23, 59, 59)
    return min(at, now) if whole_day and at.date() <= (now + _AHEAD).date() else at


def _moment(text: str) -> datetime | None:
    if found := _ISO.fullmatch(text):
        zone = (found[5] or "").upper().replace("UTC", "Z").replace("GMT", "Z")
        text = f"{found[1]}T{found[2]}{zone}"
    if not text[:5].endswith("-"):
        return None
    try:
        return _aware(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None


def _aware(at: datetime) -> datetime | None:
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
