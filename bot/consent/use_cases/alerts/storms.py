"""Storms: many events of a kind share one card, with lines in its thread and a list at the end."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from bot.consent.alerts import (
    OPTIONAL,
    SINGLY_WITHIN,
    STORM_LINES,
    STORM_QUIET,
    Alert,
    AlertKind,
    Subject,
    revise,
)
from bot.consent.frozen import replace
from bot.consent.model import Channel
from bot.consent.store import Records
from bot.consent.use_cases.context import Service

#: Reasons and senders that an alert counts one by one, at most; the others go together.
_MOST_COUNTED = 20
_OTHERS = "other"
#: Strangers whose last digits are stored as one value: each of them writes it again.
_DIGITS = 20
#: As much of a hash as tells the strangers of one storm apart.
SHORT = slice(-16, None)
#: Kinds of which a storm can be made.
_KINDS = (*OPTIONAL, AlertKind.COMPLAINT)


def join_storm(records: Records, fresh: Alert, now: datetime, *, singles: int) -> bool:
    """Adds the alert to a storm's card and returns True, once there were so many `singles` in a
    minute and until the storm is over. Those stay alerts of their own; the card counts them."""
    key = _key_of(fresh)
    storm = records.outbox.newest_for(key)
    if (
        storm is not None
        and storm.follow_up.ended_at is None
        and within(storm.last_at, now, STORM_QUIET)
    ):
        _join(records, storm, fresh, now)
        return True
    mark = _singly(key)
    sender = fresh.subject.sender or ""
    lately = [
        (at, to)
        for at, to in json.loads(records.key_value.get(mark) or "[]")
        if within(datetime.fromisoformat(at), now, SINGLY_WITHIN)
    ]
    if len(lately) < singles:
        records.key_value.put(mark, json.dumps([*lately, (now.isoformat(), sender)]))
        return False
    records.outbox.put(
        replace(
            fresh,
            key=key,
            kind=AlertKind.STORM,
            about=storm_kind(fresh),
            subject=Subject(channel=fresh.subject.channel, sender=fresh.subject.sender),
            text=None,
            first_at=min(datetime.fromisoformat(at) for at, _ in lately),
            last_at=now,
            count=len(lately) + 1,
            counts=dict(Counter([*(to for _, to in lately), sender])),
        )
    )
    _store_digits(records, fresh.id, 0, fresh)
    return True


def storm_keys(kind: AlertKind, channel: Channel, slack_channel: str) -> tuple[str, str]:
    """The keys of the alert and of the mark that `join_storm` reads."""
    key = _key(kind, channel, slack_channel)
    return key, _singly(key)


def end_storms(service: Service) -> int:
    """Ends storms that nothing has joined for a while; returns how many."""
    if not service.alert_channel:
        return 0
    now = service.now()
    with service.store.reading() as records:
        if not _over(records, service.alert_channel, now):
            return 0
    with service.store.transaction() as records:
        over = _over(records, service.alert_channel, now)
        for storm in over:
            records.outbox.put(revise(storm, follow_up=replace(storm.follow_up, ended_at=now)))
            records.outbox.put(_under(storm, AlertKind.STORM_LIST, now, count=storm.count))
        return len(over)


def live_key(kind: AlertKind, channel: Channel, address: str, day: date) -> str:
    """The key of the day's alert about an address, which is given as its keyed hash."""
    return f"{kind}:{channel}:{address}:{day}"


def counted(alert: Alert, what: str) -> dict[str, int]:
    """The alert's counts with one more of this."""
    if what not in alert.counts and len(alert.counts) >= _MOST_COUNTED:
        what = _OTHERS
    return {**alert.counts, what: alert.counts.get(what, 0) + 1}


def within(at: datetime, now: datetime, length: timedelta) -> bool:
    """In both directions, so that nothing lasts for ever after a clock was set back."""
    return abs(now - at) <= length


def _join(records: Records, storm: Alert, fresh: Alert, now: datetime) -> None:
    count = storm.count + 1
    records.outbox.put(
        revise(
            storm,
            last_at=max(storm.last_at, now),
            count=count,
            counts=counted(storm, fresh.subject.sender or ""),
        )
    )
    _store_digits(records, storm.id, count, fresh)
    if count in STORM_LINES:
        records.outbox.put(_under(storm, AlertKind.STORM_LINE, now, count=count))


def _under(storm: Alert, kind: AlertKind, now: datetime, *, count: int) -> Alert:
    """A line in the storm's thread."""
    return Alert(
        id=secrets.token_hex(16),
        key=f"{kind}:{storm.id}:{count}",
        kind=kind,
        slack_channel=storm.slack_channel,
        first_at=now,
        last_at=now,
        subject=Subject(channel=storm.subject.channel),
        about=storm.about,
        count=count,
        thread=storm.id,
    )


def storm_kind(fresh: Alert) -> AlertKind:
    """The kind of storm that the alert joins. Opt-outs of strangers come in the same rush as those
    of contacts."""
    if fresh.kind is not AlertKind.UNKNOWN:
        return fresh.kind
    return AlertKind.STOP if fresh.subject.channel is Channel.SMS else AlertKind.UNSUBSCRIBE


def _key_of(fresh: Alert) -> str:
    return _key(storm_kind(fresh), fresh.subject.channel, fresh.slack_channel)


def _key(of: AlertKind, channel: Channel, slack_channel: str) -> str:
    return f"{AlertKind.STORM}:{of}:{channel}:{slack_channel}"


def digit_parts(storm: Alert) -> Iterator[str]:
    """The names of the stored values with the last digits of a storm's strangers."""
    return (_part(storm.id, number) for number in range(storm.count // _DIGITS + 1))


def remove_digits(records: Records, storm: Alert) -> None:
    """Removes what was stored for the list of this storm."""
    for part in digit_parts(storm):
        records.key_value.put(part, None)


def _store_digits(records: Records, storm: str, count: int, fresh: Alert) -> None:
    """Of an address that nobody has, the log knows only the hash. The list shows the last digits,
    so they are stored beside the storm's card, and removed with it."""
    if fresh.kind is not AlertKind.UNKNOWN or fresh.subject.address is None:
        return
    part = _part(storm, count // _DIGITS)
    stored = json.loads(records.key_value.get(part) or "{}")
    stored[fresh.subject.address[SHORT]] = fresh.subject.masked
    records.key_value.put(part, json.dumps(stored))


def _part(storm: str, number: int) -> str:
    return f"storm digits:{storm}:{number}"


def _singly(key: str) -> str:
    return f"told singly:{key}"


def _over(records: Records, slack_channel: str, now: datetime) -> list[Alert]:
    return [
        storm
        for kind in _KINDS
        for channel in Channel
        if (storm := records.outbox.newest_for(_key(kind, channel, slack_channel))) is not None
        and storm.follow_up.ended_at is None
        and abs(now - storm.last_at) > STORM_QUIET
    ]
