"""An alert's later news as lines in its thread, where the channel wants them.

The alert's message shows the same by itself, but Slack notifies nobody of an update. There is one
line for a change, none for a repeat, and at most one of a kind in an hour.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from bot.consent.alerts import Alert, AlertKind, DeliveryState, Subject
from bot.consent.store import Records
from bot.consent.use_cases.alerts.alert_settings import settings_of

#: No second line of a kind before this.
_APART = timedelta(hours=1)


class News(StrEnum):
    """What a line says."""

    UNSTOPPED = "unstopped"
    #: UNSTOP with other words, which the carrier ignores.
    UNREAD = "unread"
    REQUESTED = "requested"
    RETURNED = "returned"
    HANDLED = "handled"
    #: A review's answers.
    REFUSAL = "refusal"
    NO_REFUSAL = "none"


def put_with_news(records: Records, before: Alert, after: Alert, now: datetime) -> None:
    """Stores the alert, and what is new about it for its thread."""
    records.outbox.put(after)
    for news, by, at in _since(before, after):
        put_news(records, after, news, now, by=by, at=at)


def put_news(
    records: Records,
    alert: Alert,
    news: News,
    now: datetime,
    *,
    by: str | None = None,
    at: datetime | None = None,
) -> None:
    """Stores one line for the thread of this alert."""
    delivery = alert.delivery
    unposted = delivery.ts is None and delivery.state is not DeliveryState.SENDING
    if not alert.slack_channel or unposted:  # the message itself says it
        return
    settings = settings_of(records, alert.slack_channel)
    if not settings.threads or settings.muted(now):
        return
    key = f"{AlertKind.NEWS}:{alert.id}:{news}"
    last = records.outbox.newest_for(key)
    if last is not None and abs(now - last.last_at) < _APART:
        return
    records.outbox.put(
        Alert(
            id=secrets.token_hex(16),
            key=key,
            kind=AlertKind.NEWS,
            slack_channel=alert.slack_channel,
            first_at=at or now,
            last_at=now,
            subject=Subject(channel=alert.subject.channel),
            about=news,
            text=by,
            thread=alert.id,
        )
    )


def _since(before: Alert, after: Alert) -> Iterator[tuple[News, str | None, datetime | None]]:
    """What is new, by whom, and since when."""
    was, then = before.follow_up, after.follow_up
    if then.unstopped_at and not was.unstopped_at:
        yield News.UNSTOPPED, None, then.unstopped_at
    if then.unread_at and not was.unread_at:
        yield News.UNREAD, None, then.unread_at
    if then.returned_at and not was.returned_at:
        yield News.RETURNED, None, then.returned_at
    if then.answer and not was.answer:
        yield News(then.answer), then.handled_by, then.handled_at
    elif then.handled_by and not was.handled_by:
        yield News.HANDLED, then.handled_by, then.handled_at
