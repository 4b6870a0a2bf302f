"""The words in a cell: yes and no, bounced or not, and when somebody agreed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from bot.consent.errors import Invalid
from bot.consent.model import ConsentValue
from bot.consent.parsing import fold

_ON = {
    **dict.fromkeys(
        ("yes", "y", "true", "t", "1", "on", "opted in", "opt in", "optin", "subscribed"),
        ConsentValue.YES,
    ),
    **dict.fromkeys(
        ("no", "n", "false", "f", "0", "off", "opted out", "opt out", "optout", "unsubscribed"),
        ConsentValue.NO,
    ),
    # Not a no: nobody has asked, or the answer is still open.
    **dict.fromkeys(
        (
            *("", "unset", "unknown", "null", "none", "n a", "pending"),
            *("never asked", "never subscribed", "not subscribed"),
        ),
        ConsentValue.UNSET,
    ),
}
_BOUNCED = {
    **dict.fromkeys(("yes", "y", "true", "t", "1", "bounced", "hard", "cleaned"), True),
    # On probation it may well be right: only a delivery tells.
    **dict.fromkeys(
        ("", "no", "n", "false", "f", "0", "probation", "unknown", "null", "none", "n a"), False
    ),
}

#: The furthest that a calendar is ahead of UTC.
_AHEAD = timedelta(hours=14)


def read_on(text: str, title: str) -> ConsentValue:
    """Yes, no or neither. Raises `Invalid`, which names the column by its title."""
    on = _ON.get(text)  # as most files have it
    if on is None:
        on = _ON.get(fold(text))
    if on is None:
        raise Invalid(f"{title} holds a word that is neither yes nor no: write yes, no or nothing.")
    return on


def read_bounced(text: str, title: str) -> bool:
    """Whether the address bounced. Raises `Invalid`, which names the column by its title."""
    bounced = _BOUNCED.get(fold(text))
    if bounced is None:
        raise Invalid(f"{title} holds a word that is neither yes nor no: write yes, no or nothing.")
    return bounced


def read_time(text: str, title: str, now: datetime) -> datetime:
    """An ISO date or time; one without a zone is UTC. A date is the end of that day, but never
    later than now (rules.md §6). Raises `Invalid`, which names the column by its title.

    A time after `now` is returned as it is: that it can't be is for the use case to say.
    """
    text = text.strip()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return _moment(text, title)
    end = datetime.combine(day, time(23, 59, 59), UTC)
    return min(end, now) if day <= (now + _AHEAD).date() else end


def _moment(text: str, title: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(f"{title} has to be like 2026-05-31 or 2026-05-31T14:00:00Z.") from None
