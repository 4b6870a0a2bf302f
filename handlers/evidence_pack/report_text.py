"""Moments and texts in the report of an evidence pack."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

from handlers.evidence_pack.pack_reader import PackReader
from handlers.slack.blocks.formatting import shown

#: Characters of what somebody wrote: the log keeps no longer texts.
WHOLE = 20_000


def in_words(at: datetime, reader: PackReader) -> str:
    """A moment in words, in both zones."""
    local = reader.local(at)
    also = f' <span class="local">({as_html(local)})</span>' if local else ""
    return f"{day_in_words(at)}, {at.astimezone(UTC):%H:%M:%S} UTC{also}"


def day_in_words(at: datetime) -> str:
    utc = at.astimezone(UTC)
    return f"{utc.day} {utc:%B %Y}"


def as_html(text: str | None) -> str:
    """Text for HTML: without control characters, and with nothing that a browser would take for
    markup."""
    return escape(shown(text or "", WHOLE))
