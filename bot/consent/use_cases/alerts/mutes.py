"""Mute a Slack channel: no alerts for a while, or only some kinds.

The mutes of a channel are one stored value. Optin reads it when it enqueues an alert.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.consent.alerts import OPTIONAL, AlertKind
from bot.consent.errors import Invalid
from bot.consent.model import Actor
from bot.consent.permissions import Action, authorize
from bot.consent.store import Records
from bot.consent.use_cases.context import Service

#: The longest that alerts can be muted.
LONGEST = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutes:
    """What a channel has muted and switched off."""

    until: datetime | None = None
    off: frozenset[AlertKind] = frozenset()

    def muted(self, now: datetime) -> bool:
        return self.until is not None and now < self.until


def mutes(records: Records, slack_channel: str) -> Mutes:
    """What this channel has muted."""
    kept = records.key_value.get(mutes_key(slack_channel))
    if kept is None:
        return Mutes()
    stored = json.loads(kept)
    until = stored["until"]
    return Mutes(
        until=datetime.fromisoformat(until) if until else None,
        off=frozenset(AlertKind(kind) for kind in stored["off"]),
    )


def mute(service: Service, slack_channel: str, length: timedelta, actor: Actor) -> datetime:
    """Mute a channel, and return when the mute ends. Optin counts the alerts until then and posts
    one summary. A length of zero ends the mute now. Reviews and complaints are posted anyway."""
    authorize(actor, Action.QUIET)
    if not timedelta(0) <= length <= LONGEST:
        raise Invalid("Alerts can be muted for a week at most.")
    until = service.now() + length
    with service.store.transaction() as records:
        before = mutes(records, slack_channel)
        _put(records, slack_channel, replace(before, until=until if length else None))
        summary = records.outbox.newest_for(summary_key(slack_channel))
        if summary is not None and summary.delivery.posted_version == 0:
            delivery = replace(summary.delivery, not_before=until)
            records.outbox.put(replace(summary, delivery=delivery))
    return until


def choose_kinds(
    service: Service, slack_channel: str, kinds: Collection[AlertKind], actor: Actor
) -> None:
    """Switch off all optional kinds of alerts except these."""
    authorize(actor, Action.QUIET)
    with service.store.transaction() as records:
        off = frozenset(OPTIONAL).difference(kinds)
        _put(records, slack_channel, replace(mutes(records, slack_channel), off=off))


def alert_settings(service: Service, slack_channel: str) -> Mutes:
    """What this channel has muted, for a caller without a transaction."""
    with service.store.reading() as records:
        return mutes(records, slack_channel)


def summary_key(slack_channel: str) -> str:
    return f"{AlertKind.SUMMARY}:{slack_channel}"


def _put(records: Records, slack_channel: str, changed: Mutes) -> None:
    kept = None
    if changed != Mutes():
        until = changed.until.isoformat() if changed.until else None
        kept = json.dumps({"until": until, "off": sorted(changed.off)})
    records.key_value.put(mutes_key(slack_channel), kept)


def mutes_key(slack_channel: str) -> str:
    """The key of the stored value with a channel's mutes."""
    return f"quiet:{slack_channel}"
