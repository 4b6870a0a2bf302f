"""What is told to Slack about an event: put beside its entries, posted by the worker later.

A live message is drawn anew rather than followed by another: one per contact and day. What comes
in a rush shares one card.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

from bot.consent.alerts import (
    BOUNCES_WITHIN,
    OPTIONAL,
    Alert,
    AlertKind,
)
from bot.consent.events import Event
from bot.consent.frozen import replace
from bot.consent.model import Channel, Contact
from bot.consent.parsing import masked
from bot.consent.store import Records
from bot.consent.use_cases.alerts.mutes import mutes, summary_key
from bot.consent.use_cases.alerts.storms import counted, join_storm, within
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
    """Puts the alert down, or draws the live one of this contact and day anew.

    Of an address that nobody has, a refusal is told as UNKNOWN.
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
        channel=event.channel,
        contacts=tuple(holder.id for holder in holders[:_MOST]),
        # Never the address itself: alerts outlive the contact.
        address=service.hashed(event.address),
        masked=masked(event.address),
        sender=event.sender,
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
    """The live messages about an address, which is given as its keyed hash, of these days."""
    for day in days:
        for kind in kinds:
            if live := records.outbox.newest_for(live_key(kind, channel, address, day)):
                yield live


def live_key(kind: AlertKind, channel: Channel, address: str, day: date) -> str:
    """Of the live message about an address, which is given as its keyed hash."""
    return f"{kind}:{channel}:{address}:{day}"


def bounce_key(channel: Channel) -> str:
    """Of the message that bounces share."""
    return f"{AlertKind.BOUNCE}:{channel}"


def _review(service: Service, records: Records, fresh: Alert) -> None:
    """Kept where no channel is told, too: its deadline comes all the same."""
    records.outbox.put(
        replace(
            fresh,
            key=f"{AlertKind.REVIEW}:{fresh.id}",
            deadline=service.deadline(fresh.first_at),
            wanted=1 if fresh.slack_channel else 0,
        )
    )


def _live(records: Records, fresh: Alert, now: datetime) -> None:
    """One live message per contact and day; repeats raise its counter."""
    key = _day_key(fresh.kind, fresh)
    live = records.outbox.newest_for(key)
    if live is None:
        _put_new(records, replace(fresh, key=key), now)
        return
    records.outbox.put(
        replace(
            live,
            last_at=max(live.last_at, fresh.last_at),
            count=live.count + 1,
            unstopped_at=None,
            returned_at=None,
            unread_at=None,
            wanted=live.wanted + 1,
        )
    )


def _unstop(records: Records, fresh: Alert, now: datetime, *, known: bool) -> None:
    """Edits the refusal that it answers; without one it is said by itself, if anybody here has
    the number: half done, a manager is missing."""
    at = fresh.first_at
    refusals = (AlertKind.STOP, AlertKind.DRIFT, AlertKind.UNKNOWN)
    for live in live_alerts(records, refusals, fresh.channel, fresh.address or "", [at.date()]):
        said = "unread_at" if fresh.kind is AlertKind.UNREAD else "unstopped_at"
        records.outbox.put(replace(live, **{said: at}, wanted=live.wanted + 1))
        return
    if known:
        _live(records, fresh, now)


def _bounce(records: Records, fresh: Alert, now: datetime) -> None:
    """Bounces that come together share a message."""
    key = bounce_key(fresh.channel)
    live = records.outbox.newest_for(key)
    reason = fresh.text or "The message was not delivered."
    if live is None or live.handled_by or not within(live.first_at, now, BOUNCES_WITHIN):
        # Not when it happened, but when it is told: what comes late shares a message, too.
        first = replace(fresh, key=key, first_at=now, last_at=now, counts={reason: 1})
        _put_new(records, first, now, singly=True)
        return
    records.outbox.put(
        replace(
            live,
            last_at=now,
            count=live.count + 1,
            counts=counted(live, reason),
            contacts=tuple(dict.fromkeys((*live.contacts, *fresh.contacts)))[:_MOST],
            wanted=live.wanted + 1,
        )
    )


def _put_new(records: Records, fresh: Alert, now: datetime, *, singly: bool = False) -> None:
    """The first three of a minute singly; from the fourth on one storm card. Unless the channel
    does not want to be told."""
    wish = mutes(records, fresh.slack_channel)
    if fresh.kind in OPTIONAL and fresh.kind in wish.off:
        return
    if fresh.kind in OPTIONAL and wish.until is not None and wish.muted(now):
        _sum_up(records, fresh, now, wish.until)
        return
    if singly:
        records.outbox.put(fresh)
        return
    if not join_storm(records, fresh, now):
        records.outbox.put(fresh)


def _sum_up(records: Records, fresh: Alert, now: datetime, until: datetime) -> None:
    key = summary_key(fresh.slack_channel)
    summary = records.outbox.newest_for(key)
    if summary is not None and summary.shown == 0:
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
            not_before=until,
        )
    )


def _day_key(kind: AlertKind, fresh: Alert) -> str:
    return live_key(kind, fresh.channel, fresh.address or "", fresh.first_at.date())
