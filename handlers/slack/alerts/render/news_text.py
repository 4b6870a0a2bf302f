"""What a line in an alert's thread says: what has happened since, without naming the contact."""

from __future__ import annotations

from collections.abc import Callable

from bot.consent.alerts import Alert
from bot.consent.use_cases.alerts.readings import SYSTEM
from bot.consent.use_cases.alerts.thread_news import News
from handlers.slack.blocks.formatting import date
from handlers.vocabulary import person, things


def news_line(alert: Alert) -> list[str]:
    """The line; its thread says whom it is about."""
    return [_LINES[News(alert.about or News.HANDLED)](alert)]


def _unstopped(alert: Alert) -> str:
    return (
        f"🟡 The contact texted UNSTOP, {date(alert.first_at)}. The carrier's block is lifted. "
        f"{alert.subject.channel.word} On needs a new permission and a manager."
    )


def _unread(alert: Alert) -> str:
    return (
        f"🔴 The contact texted UNSTOP with other words, {date(alert.first_at)}. The carrier "
        "ignores that."
    )


def _requested(alert: Alert) -> str:
    return f"🟡 {_by(alert)} requested a re-opt-in, {date(alert.first_at)}."


def _returned(alert: Alert) -> str:
    return (
        f"✅ {alert.subject.channel.word} On is YES again since {date(alert.first_at)}: the "
        "re-opt-in is complete."
    )


def _handled(alert: Alert) -> str:
    return f"✓ {_by(alert)} marked it as handled, {date(alert.first_at)}."


def _refusal(alert: Alert) -> str:
    if alert.text == SYSTEM:
        return f"🔴 Nobody answered in time, so it counts as an opt-out, {date(alert.first_at)}."
    what = things(alert.subject.channel)
    return f"🔴 {_by(alert)} answered, {date(alert.first_at)}: an opt-out. No more {what} are sent."


def _no_refusal(alert: Alert) -> str:
    return f"✓ {_by(alert)} answered, {date(alert.first_at)}: no opt-out."


def _by(alert: Alert) -> str:
    return person(alert.text or "")


_LINES: dict[News, Callable[[Alert], str]] = {
    News.UNSTOPPED: _unstopped,
    News.UNREAD: _unread,
    News.REQUESTED: _requested,
    News.RETURNED: _returned,
    News.HANDLED: _handled,
    News.REFUSAL: _refusal,
    News.NO_REFUSAL: _no_refusal,
}
