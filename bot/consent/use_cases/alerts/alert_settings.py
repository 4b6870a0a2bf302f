"""The alert settings of a Slack channel: muted for a while, only some kinds, and from how many
events on Optin groups them.

The settings of a channel are one stored value. Optin reads it when it enqueues an alert.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.consent.alerts import BOUNCES_WITHIN, OPTIONAL, SINGLES, AlertKind
from bot.consent.errors import Invalid
from bot.consent.model import Actor
from bot.consent.permissions import Action, authorize
from bot.consent.store import Records
from bot.consent.use_cases.context import Service

#: The longest that alerts can be muted.
LONGEST = timedelta(days=7)
#: More single alerts a minute than this would be slower than Slack's limit of one a second.
MOST_SINGLES = 50
_SHORTEST_GROUP, _LONGEST_GROUP = timedelta(minutes=1), timedelta(hours=1)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """From how many events on a channel gets one message instead of several."""

    #: Alerts of a kind in a minute that are posted singly. The next one makes a storm card.
    singles: int = SINGLES
    #: Bounces within this time share a message.
    bounces_within: timedelta = BOUNCES_WITHIN


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings:
    """What a channel has muted and switched off, its thresholds, and whether it wants threads."""

    until: datetime | None = None
    off: frozenset[AlertKind] = frozenset()
    thresholds: Thresholds = field(default_factory=Thresholds)
    #: Later news of an alert go to its thread, too.
    threads: bool = False

    def muted(self, now: datetime) -> bool:
        return self.until is not None and now < self.until


def settings_of(records: Records, slack_channel: str) -> AlertSettings:
    """The settings of this channel, inside a transaction."""
    kept = records.key_value.get(settings_key(slack_channel))
    if kept is None:
        return AlertSettings()
    stored = json.loads(kept)
    until = stored["until"]
    # Versions before 0.2 stored no thresholds.
    minutes = stored.get("bounce_minutes", BOUNCES_WITHIN // _MINUTE)
    return AlertSettings(
        until=datetime.fromisoformat(until) if until else None,
        off=frozenset(AlertKind(kind) for kind in stored["off"]),
        thresholds=Thresholds(
            singles=stored.get("singles", SINGLES), bounces_within=minutes * _MINUTE
        ),
        threads=stored.get("threads", False),
    )


def alert_settings(service: Service, slack_channel: str) -> AlertSettings:
    """The settings of this channel, for a caller without a transaction."""
    with service.store.reading() as records:
        return settings_of(records, slack_channel)


def mute(service: Service, slack_channel: str, length: timedelta, actor: Actor) -> datetime:
    """Mute a channel, and return when the mute ends. Optin counts the alerts until then and posts
    one summary. A length of zero ends the mute now. Reviews and complaints are posted anyway."""
    change_alert_settings(service, slack_channel, actor, mute_for=length)
    return service.now() + length


def choose_kinds(
    service: Service, slack_channel: str, kinds: Collection[AlertKind], actor: Actor
) -> None:
    """Switch off all optional kinds of alerts except these."""
    change_alert_settings(service, slack_channel, actor, kinds=kinds)


def change_alert_settings(
    service: Service,
    slack_channel: str,
    actor: Actor,
    *,
    mute_for: timedelta | None = None,
    kinds: Collection[AlertKind] | None = None,
    thresholds: Thresholds | None = None,
    threads: bool | None = None,
) -> AlertSettings:
    """Change what is given, and return the settings of the channel. They hold from the next event
    on. Raises `NotAllowed` for anybody but a manager, and `Invalid`."""
    authorize(actor, Action.QUIET)
    if mute_for is not None and not timedelta(0) <= mute_for <= LONGEST:
        raise Invalid("Alerts can be muted for a week at most.")
    if thresholds is not None:
        _check(thresholds)
    with service.store.transaction() as records:
        changed = settings_of(records, slack_channel)
        if kinds is not None:
            changed = replace(changed, off=frozenset(OPTIONAL).difference(kinds))
        if thresholds is not None:
            changed = replace(changed, thresholds=thresholds)
        if threads is not None:
            changed = replace(changed, threads=threads)
        if mute_for is not None:
            until = service.now() + mute_for
            changed = replace(changed, until=until if mute_for else None)
            _move_summary(records, slack_channel, until)
        _put(records, slack_channel, changed)
        return changed


def summary_key(slack_channel: str) -> str:
    return f"{AlertKind.SUMMARY}:{slack_channel}"


def settings_key(slack_channel: str) -> str:
    """The key of the stored value with a channel's settings."""
    return f"quiet:{slack_channel}"


def _check(thresholds: Thresholds) -> None:
    if not 1 <= thresholds.singles <= MOST_SINGLES:
        raise Invalid(f"Between 1 and {MOST_SINGLES} alerts a minute can be posted singly.")
    if not _SHORTEST_GROUP <= thresholds.bounces_within <= _LONGEST_GROUP:
        raise Invalid("Bounces can be grouped for between a minute and an hour.")


def _move_summary(records: Records, slack_channel: str, until: datetime) -> None:
    """A summary that waits is posted when the mute ends."""
    summary = records.outbox.newest_for(summary_key(slack_channel))
    if summary is not None and summary.delivery.posted_version == 0:
        delivery = replace(summary.delivery, not_before=until)
        records.outbox.put(replace(summary, delivery=delivery))


def _put(records: Records, slack_channel: str, changed: AlertSettings) -> None:
    kept = None
    if changed != AlertSettings():
        stored: dict[str, object] = {
            "until": changed.until.isoformat() if changed.until else None,
            "off": sorted(changed.off),
        }
        if changed.thresholds != Thresholds():
            stored["singles"] = changed.thresholds.singles
            stored["bounce_minutes"] = changed.thresholds.bounces_within // _MINUTE
        if changed.threads:
            stored["threads"] = True
        kept = json.dumps(stored)
    records.key_value.put(settings_key(slack_channel), kept)
