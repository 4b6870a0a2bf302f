"""The wait that a server asks for with an answer such as 429."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime


def retry_after(text: str | None, now: datetime) -> timedelta | None:
    """What the header `Retry-After` says: seconds, or a date (RFC 9110 section 10.2.3). None for
    what is neither."""
    text = (text or "").strip()
    if text.isascii() and text.isdigit():
        # More than a year is cut: it is clamped later.
        return timedelta(seconds=min(int(text[:9]), 365 * 86_400))
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(at - now, timedelta(0))
