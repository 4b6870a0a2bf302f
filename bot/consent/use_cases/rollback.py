"""A storage that went back: it is noticed, marked for all processes, and accepted by a person
(rules.md §8)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.consent.alerts import INSTALLER, Alert, AlertKind, revise
from bot.consent.errors import Refused
from bot.consent.log.changes import Noted
from bot.consent.model import Actor
from bot.consent.records import KeyValue, Log
from bot.consent.storage_behind import (
    ACCEPTED,
    BEHIND,
    LogEnd,
    RememberedHead,
    StorageBehind,
    behind_from,
    mark_text,
    read_mark,
)
from bot.consent.store import Records
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.record import Recorder

#: The key value that asks the providers' backfill to begin at once, and from when on.
BACKFILL = "backfill-from"
#: How far back the backfill goes where the storage has no entry at all.
_BEFORE_ALL = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillRequest:
    """The providers are to be asked once more for what came since then."""

    #: Tells it from an earlier one.
    id: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackNews:
    """What an alert of the kind BEHIND says."""

    behind: StorageBehind
    #: Who accepted it, and when; None until then.
    accepted_by: str | None = None
    accepted_at: datetime | None = None


def find_behind(
    log: Log, heads: Iterable[RememberedHead], accepted: datetime | None, now: datetime
) -> StorageBehind | None:
    """What the log lacks of these heads, the largest first. A head that was remembered before a
    person accepted a rollback no longer counts."""
    end = log.head()
    for head in sorted(heads, key=lambda head: head.size, reverse=True):
        if accepted is not None and head.at <= accepted:
            continue
        if not has_head(log, head, end):
            return StorageBehind(
                size=head.size,
                chain=head.chain,
                at=head.at,
                where=head.where,
                present=end[0],
                since=now,
            )
    return None


def has_head(log: Log, head: RememberedHead, end: LogEnd) -> bool:
    """Whether the log has this entry. `end` is where the log ends."""
    if head.size >= end[0]:
        return (head.size, head.chain) == end
    entries = log.entries(before=head.size + 1, limit=1)
    return bool(entries) and entries[0].hash == head.chain


def mark_behind(service: Service, found: StorageBehind) -> None:
    """Tells every process of this storage, and the alert channel. Raises `StorageFailed`."""
    with service.store.transaction() as records:
        known = read_mark(records.key_value)
        if known is not None and known.size >= found.size:
            return
        if known is None:
            _announce(service, records, found)
        else:
            found = replace(found, present=known.present, since=known.since)
        records.key_value.put(BEHIND, mark_text(found))


def accept_rollback(service: Service, actor: Actor) -> StorageBehind:
    """Goes on with the storage as it is: whatever was remembered until now counts as lost. Asks the
    providers' backfill to begin. Returns what was lost. Raises `Refused` where nothing was."""
    now = service.now()
    with service.store.transaction() as records:
        behind = read_mark(records.key_value) or service.heads.behind
        if behind is None:
            raise Refused("The storage has everything that is remembered of it.")
        begin = _newest_before(records.log, behind) or now - _BEFORE_ALL
        said = (
            f"Accepted that the storage went back: {behind.where} remembers entry {behind.size} "
            f"({behind.chain[:16]}…), and the storage ended with entry {behind.present}."
        )
        Recorder(
            service=service, records=records, actor=actor.id, source=actor.source, now=now
        ).record(None, Noted(reason=said))
        records.key_value.put(BEHIND, None)
        records.key_value.put(ACCEPTED, max(now, behind.at).isoformat())
        records.key_value.put(BACKFILL, json.dumps([now.isoformat(), begin.isoformat()]))
        _announce_accepted(records, behind, actor, now)
    return behind


def read_accepted(key_value: KeyValue) -> datetime | None:
    """Until when whatever was remembered is accepted as lost."""
    text = key_value.get(ACCEPTED)
    return datetime.fromisoformat(text) if text else None


def backfill_request(text: str | None) -> BackfillRequest | None:
    """What the key value `BACKFILL` says."""
    if text is None:
        return None
    asked, since = json.loads(text)
    return BackfillRequest(id=asked, since=datetime.fromisoformat(since))


def rollback_news(alert: Alert) -> RollbackNews:
    """What an alert of the kind BEHIND is about."""
    kept = json.loads(alert.text or "{}")
    by, at = kept.pop("accepted_by", None), kept.pop("accepted_at", None)
    return RollbackNews(
        behind=behind_from(kept),
        accepted_by=by,
        accepted_at=datetime.fromisoformat(at) if at else None,
    )


def _announce(service: Service, records: Records, found: StorageBehind) -> None:
    now = service.now()
    records.outbox.put(
        Alert(
            id=secrets.token_hex(16),
            key=_key(found),
            kind=AlertKind.BEHIND,
            slack_channel=service.alert_channel or INSTALLER,
            first_at=now,
            last_at=now,
            text=mark_text(found),
        )
    )


def _announce_accepted(records: Records, behind: StorageBehind, actor: Actor, at: datetime) -> None:
    alert = records.outbox.newest_for(_key(behind))
    if alert is not None:
        kept = json.loads(alert.text or "{}")
        text = json.dumps({**kept, "accepted_by": actor.id, "accepted_at": at.isoformat()})
        records.outbox.put(revise(alert, text=text, last_at=at))


def _key(behind: StorageBehind) -> str:
    return f"{AlertKind.BEHIND}:{behind.since.isoformat()}"


def _newest_before(log: Log, behind: StorageBehind) -> datetime | None:
    """When the newest entry was recorded that the storage still had when it went back."""
    entries = log.entries(before=behind.present + 1, limit=1)
    return entries[0].recorded_at if entries else None
