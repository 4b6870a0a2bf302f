"""Enqueue an alert about an event, in the transaction of its entries. The worker posts it later.

There is one message per contact and day: another event of the day updates it. Events that come in
a rush share one card.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

from bot.consent.alerts import (
    NEW_OWNER,
    OPTIONAL,
    Alert,
    AlertKind,
    Delivery,
    FollowUp,
    Subject,
    revise,
)
from bot.consent.events import Event
from bot.consent.frozen import replace
from bot.consent.model import Channel, Contact
from bot.consent.parsing import masked
from bot.consent.store import Records
from bot.consent.use_cases.alerts.alert_settings import AlertSettings, settings_of, summary_key
from bot.consent.use_cases.alerts.storms import counted, join_storm, live_key, within
from bot.consent.use_cases.alerts.thread_news import put_with_news
from bot.consent.use_cases.context import Service

#: Contacts that an alert names, at most.
_MOST = 10


def enqueue(
    service: Service,
    records: Records,
    kind: AlertKind,
    event: Event,
    holders: Sequence[Contact],
    *,
    at: datetime,
    now: datetime,
) -> None:
    """Stores the alert, or updates the one of this contact and day.

    An opt-out from an address that nobody has becomes UNKNOWN.
    """
    if not holders and kind not in (AlertKind.REVIEW, AlertKind.UNSTOP, AlertKind.UNREAD):
        kind = AlertKind.UNKNOWN
    fresh = Alert(
        id=secrets.token_hex(16),
        key="",
        kind=kind,
        slack_channel=service.alert_channel or "",
        first_at=at,
        last_at=at,
        subject=Subject(
            channel=event.channel,
            contacts=tuple(holder.id for holder in holders[:_MOST]),
            # Never the address itself: alerts outlive the contact.
            address=service.hashed(event.address),
            masked=masked(event.address),
            sender=event.sender,
        ),
        text=event.text if kind is AlertKind.REVIEW else event.meaning,
    )
    if kind is AlertKind.REVIEW:
        _review(service, records, fresh)
    elif not fresh.slack_channel:
        return
    elif kind in (AlertKind.UNSTOP, AlertKind.UNREAD):
        _unstop(records, fresh, now, known=bool(holders))
    elif kind is AlertKind.BOUNCE:
        _bounce(records, fresh, now)
    else:
        _live(records, fresh, now)


def live_alerts(
    records: Records,
    kinds: Iterable[AlertKind],
    channel: Channel,
    address: str,
    days: Iterable[date],
) -> Iterator[Alert]:
    """The alerts of these days about an address, which is given as its keyed hash."""
    for day in days:
        for kind in kinds:
            if live := records.outbox.newest_for(live_key(kind, channel, address, day)):
                yield live


def bounce_key(channel: Channel) -> str:
    """Of the alert that bounces share."""
    return f"{AlertKind.BOUNCE}:{channel}"


def _review(service: Service, records: Records, fresh: Alert) -> None:
    """Stored where no channel is told, too: its deadline comes all the same."""
    records.outbox.put(
        replace(
            fresh,
            key=f"{AlertKind.REVIEW}:{fresh.id}",
            follow_up=FollowUp(
                # What no contact wrote never becomes an opt-out by itself.
                deadline=service.deadline(fresh.first_at) if fresh.text != NEW_OWNER else None
            ),
            delivery=Delivery(desired_version=1 if fresh.slack_channel else 0),
        )
    )


def _live(records: Records, fresh: Alert, now: datetime) -> None:
    """One message per contact and day; repeats raise its counter."""
    key = _day_key(fresh.kind, fresh)
    live = records.outbox.newest_for(key)
    if live is None:
        _put_new(records, replace(fresh, key=key), now)
        return
    records.outbox.put(
        revise(
            live,
            last_at=max(live.last_at, fresh.last_at),
            count=live.count + 1,
            follow_up=replace(live.follow_up, unstopped_at=None, returned_at=None, unread_at=None),
        )
    )


def _unstop(records: Records, fresh: Alert, now: datetime, *, known: bool) -> None:
    """Updates the alert about the opt-out. Without one it is an alert of its own, if a contact has
    the number: half done, a manager is missing."""
    at = fresh.first_at
    refusals = (AlertKind.STOP, AlertKind.DRIFT, AlertKind.UNKNOWN)
    subject = fresh.subject
    if fresh.kind is AlertKind.UNSTOP:
        _show_unstop_after_others(records, fresh, now)
    for live in live_alerts(records, refusals, subject.channel, subject.address or "", [at.date()]):
        said = "unread_at" if fresh.kind is AlertKind.UNREAD else "unstopped_at"
        after = revise(live, follow_up=replace(live.follow_up, **{said: at}))
        put_with_news(records, live, after, now)
        return
    if known:
        _live(records, fresh, now)


def _show_unstop_after_others(records: Records, fresh: Alert, now: datetime) -> None:
    """The alert about an UNSTOP that the carrier ignored says that the right one came."""
    at, subject = fresh.first_at, fresh.subject
    unread = (AlertKind.UNREAD,)
    for live in live_alerts(records, unread, subject.channel, subject.address or "", [at.date()]):
        after = revise(live, follow_up=replace(live.follow_up, unstopped_at=at))
        put_with_news(records, live, after, now)


def _bounce(records: Records, fresh: Alert, now: datetime) -> None:
    """Bounces that come together share a message."""
    key = bounce_key(fresh.subject.channel)
    live = records.outbox.newest_for(key)
    reason = fresh.text or "The message was not delivered."
    settings = settings_of(records, fresh.slack_channel)
    together = settings.thresholds.bounces_within
    if live is None or live.follow_up.handled_by or not within(live.first_at, now, together):
        # Not when it happened, but when it is stored: late reports share a message, too.
        first = replace(fresh, key=key, first_at=now, last_at=now, counts={reason: 1})
        if not _is_silenced(records, first, settings, now):
            records.outbox.put(first)
        return
    contacts = dict.fromkeys((*live.subject.contacts, *fresh.subject.contacts))
    records.outbox.put(
        revise(
            live,
            last_at=now,
            count=live.count + 1,
            counts=counted(live, reason),
            subject=replace(live.subject, contacts=tuple(contacts)[:_MOST]),
        )
    )


def _put_new(records: Records, fresh: Alert, now: datetime) -> None:
    """The first alerts of a minute singly; from the channel's threshold on one storm card."""
    settings = settings_of(records, fresh.slack_channel)
    if _is_silenced(records, fresh, settings, now):
        return
    if not join_storm(records, fresh, now, singles=settings.thresholds.singles):
        records.outbox.put(fresh)


def _is_silenced(records: Records, fresh: Alert, settings: AlertSettings, now: datetime) -> bool:
    """Whether the channel has switched the kind off, or is muted. A mute counts it in a summary."""
    if fresh.kind not in OPTIONAL:
        return False
    if fresh.kind in settings.off:
        return True
    if settings.until is None or not settings.muted(now):
        return False
    _sum_up(records, fresh, now, settings.until)
    return True


def _sum_up(records: Records, fresh: Alert, now: datetime, until: datetime) -> None:
    key = summary_key(fresh.slack_channel)
    summary = records.outbox.newest_for(key)
    if summary is not None and summary.delivery.posted_version == 0:
        counts = counted(summary, fresh.kind)
        records.outbox.put(replace(summary, last_at=now, count=summary.count + 1, counts=counts))
        return
    records.outbox.put(
        Alert(
            id=fresh.id,
            key=key,
            kind=AlertKind.SUMMARY,
            slack_channel=fresh.slack_channel,
            first_at=now,
            last_at=now,
            counts={fresh.kind: 1},
            delivery=Delivery(not_before=until),
        )
    )


def _day_key(kind: AlertKind, fresh: Alert) -> str:
    subject = fresh.subject
    return live_key(kind, subject.channel, subject.address or "", fresh.first_at.date())
