"""The digest of a Slack channel: what happened since its last one, in one message, at an hour that
a manager chose.

It holds counts and nothing of a contact. Where nothing happened there is none.
"""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from bot.consent.alerts import Alert, AlertKind, Delivery
from bot.consent.cases import CaseState
from bot.consent.errors import Invalid
from bot.consent.store import Records
from bot.consent.use_cases.alerts.alert_settings import settings_of
from bot.consent.use_cases.alerts.digest_settings import (
    DigestEvery,
    StoredDigest,
    digest_channels,
    keep_digest,
    read_digest,
)
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.stats import counts_between

#: What `Alert.counts` of a digest begins with: "opt_out sms text", "bounce email hard", "waiting".
OPT_OUT, BOUNCE, WAITING = "opt_out", "bounce", "waiting"
#: Open requests that are counted; more are said as that many.
MOST_WAITING = 1_000
_DAY = timedelta(days=1)
#: What happened earlier than this is in no digest, however long Optin was down.
_LONGEST = timedelta(days=31)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """A digest that has to be posted now."""

    slack_channel: str
    stored: StoredDigest
    day: date
    since: datetime
    until: datetime


def post_digests(service: Service) -> int:
    """Enqueues the digest of each channel where it is due and has anything to say; returns how many
    there were."""
    now = service.now()
    with service.store.reading() as records:
        channels = digest_channels(records.key_value, service.alert_channel)
        found = (_due(name, read_digest(records.key_value, name), now) for name in channels)
        counted = [(due, _counts(records, due.since, due.until)) for due in found if due]
    return sum(_enqueue(service, due, counts, now) for due, counts in counted)


def _enqueue(service: Service, due: _Due, counts: dict[str, int], now: datetime) -> bool:
    channel = due.slack_channel
    with service.store.transaction() as records:
        # Another replica may have done it meanwhile, or a manager has chosen another hour.
        if read_digest(records.key_value, channel) != due.stored:
            return False
        done = replace(due.stored, done=due.day.isoformat(), until=due.until.isoformat())
        keep_digest(records.key_value, channel, done)
        if not counts:
            return False
        muted = settings_of(records, channel)
        records.outbox.put(
            Alert(
                id=secrets.token_hex(16),
                key=f"{AlertKind.DIGEST}:{channel}:{due.day}",
                kind=AlertKind.DIGEST,
                slack_channel=channel,
                first_at=due.since,
                last_at=due.until,
                count=sum(counts.values()),
                counts=counts,
                about=due.stored.settings.every,
                delivery=Delivery(not_before=muted.until if muted.muted(now) else None),
            )
        )
        return True


def _due(slack_channel: str, stored: StoredDigest, now: datetime) -> _Due | None:
    """The digest that is due in this channel."""
    settings = stored.settings
    if settings.every is DigestEvery.OFF:
        return None
    try:
        zone = settings.zone_info
    except Invalid:  # known when it was chosen; the other channels get their digests all the same
        return None
    local = now.astimezone(zone)
    day = local.date() if local.hour >= settings.hour else local.date() - _DAY
    length = 1
    if settings.every is DigestEvery.WEEK:
        day -= (day.weekday() - settings.day) % 7 * _DAY
        length = 7
    until, since = (
        datetime.combine(one, time(settings.hour), zone).astimezone(UTC)
        for one in (day, day - length * _DAY)
    )
    if day.isoformat() <= stored.done or until.isoformat() <= stored.chosen_at:
        return None
    if stored.until:
        since = max(datetime.fromisoformat(stored.until), until - _LONGEST)
    if since >= until:
        return None
    return _Due(slack_channel=slack_channel, stored=stored, day=day, since=since, until=until)


def _counts(records: Records, since: datetime, until: datetime) -> dict[str, int]:
    opt_outs, bounces = counts_between(records.log, since, until)
    counts: Counter[str] = Counter()
    for (channel, source), count in opt_outs.items():
        counts[f"{OPT_OUT} {channel} {source}"] = count
    for (channel, kind), count in bounces.items():
        counts[f"{BOUNCE} {channel} {kind}"] = count
    pending = records.cases.all_open(limit=MOST_WAITING)
    counts[WAITING] = sum(case.state is CaseState.PENDING for case in pending)
    return {name: count for name, count in counts.items() if count}
