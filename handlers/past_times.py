"""A moment in the past: reading it, and saying by what an answer about it was made."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from bot.consent.errors import Invalid
from bot.consent.rules import RULES_VERSION
from bot.consent.use_cases.time_travel import TimeBasis

#: How each basis ends the sentence "The answer as of …".
BASIS = {
    TimeBasis.RECORDED: "by what Optin had recorded by then",
    TimeBasis.HAPPENED: "by what had happened by then, also where Optin learned of it later",
}
#: What a choice of the basis offers.
BASIS_WORDS = {
    TimeBasis.RECORDED: "What Optin had recorded by then",
    TimeBasis.HAPPENED: "What had happened by then",
}
#: What an answer about the past takes from the present.
TODAYS = f"Today's rules (version {RULES_VERSION}) and today's senders decide."


def read_past_time(text: str, now: datetime) -> datetime:
    """A time or a date in ISO 8601. A time without a zone is UTC. A date is the end of that day,
    but never later than now (rules.md §6). Raises `Invalid`."""
    text = text.strip()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        pass
    else:
        end = datetime.combine(day, time.max, UTC)
        return min(end, now) if day == now.astimezone(UTC).date() else end
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Invalid(
            "That is no time: write it as 2026-03-03T12:00, or a date as 2026-03-03.", field="at"
        ) from None


def as_of(when: str, by: TimeBasis) -> str:
    """The sentence above an answer about the past. `when` is the moment in words."""
    return f"As of {when}, {BASIS[by]}."
