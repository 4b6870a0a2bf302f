"""A storage that went back: it is noticed, marked for all processes, and accepted by a person
(rules.md §8)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Sequence
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
    RememberedHead,
    StorageBehind,
    behind_from,
    mark_text,
    read_mark,
)
from bot.consent.store import Records
from bot.consent.use_cases.accepted_losses import (
    AcceptedLoss,
    accepted_losses,
    has_head,
    note_of_loss,
    remember_acceptance,
)
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.log_tree import log_id
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
    records: Records, heads: Iterable[RememberedHead], now: datetime
) -> StorageBehind | None:
    """What the log lacks of these heads, the largest first. What a person accepted as lost no
    longer counts."""
    end = records.log.head()
    for head in _not_accepted(records, heads):
        if not has_head(records.log, head, end):
            return StorageBehind(
                size=head.size,
                chain=head.chain,
                at=head.at,
                where=head.where,
                present=end[0],
                since=now,
            )
    return None


def _not_accepted(records: Records, heads: Iterable[RememberedHead]) -> list[RememberedHead]:
    """Those that the log has to have, the largest first."""
    losses, last = accepted_losses(records), read_accepted(records.key_value)
    by_size = sorted(heads, key=lambda head: head.size, reverse=True)
    return [head for head in by_size if not _is_accepted(head, losses, last)]


def _is_accepted(
    head: RememberedHead, losses: Sequence[AcceptedLoss], last: datetime | None
) -> bool:
    """Whether it counts as lost where the log lacks it. `last`: when a person last accepted a loss,
    which is all that earlier versions stored."""
    if not losses:
        return last is not None and head.at <= last
    return any(one.covers(head.size, head.chain, head.at) for one in losses)


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


def accept_rollback(
    service: Service, actor: Actor, heads: Iterable[RememberedHead] = ()
) -> StorageBehind:
    """Goes on with the storage as it is: whatever was remembered until now counts as lost. Asks the
    providers' backfill to begin. `heads` are all that are remembered of the log: those that it has
    must hold after this, too. Returns what was lost. Raises `Refused` where nothing was."""
    now = service.now()
    with service.store.transaction() as records:
        known = [head for head in heads if head.log in ("", log_id(records.log))]
        behind = read_mark(records.key_value) or service.heads.behind
        # A log that went back unnoticed may have grown: then only an older head is lost.
        behind = behind or find_behind(records, known, now)
        if behind is None:
            raise Refused("The storage has everything that is remembered of it.")
        begin = _newest_before(records.log, behind) or now - _BEFORE_ALL
        loss = _loss(records, behind, known, now)
        Recorder(
            service=service, records=records, actor=actor.id, source=actor.source, now=now
        ).record(None, loss)
        remember_acceptance(records)
        records.key_value.put(BEHIND, None)
        records.key_value.put(ACCEPTED, max(now, behind.at).isoformat())
        records.key_value.put(BACKFILL, json.dumps([now.isoformat(), begin.isoformat()]))
        _announce_accepted(records, behind, actor, now)
    return behind


def _loss(
    records: Records, behind: StorageBehind, heads: Sequence[RememberedHead], now: datetime
) -> Noted:
    """What the acceptance says. The log agrees with what was remembered up to the largest head that
    it has before the first entry that is lost."""
    end = records.log.head()
    lacked = [
        head for head in _not_accepted(records, heads) if not has_head(records.log, head, end)
    ]
    lost = [(behind.size, behind.chain), *((head.size, head.chain) for head in lacked)]
    times = [(behind.at, behind.chain), *((head.at, head.chain) for head in lacked)]
    first = min(behind.present + 1, *(size for size, _ in lost))
    held = (head.size for head in heads if has_head(records.log, head, end))
    return note_of_loss(
        f"Accepted that the storage went back: {behind.where} remembers entry {behind.size} "
        f"({behind.chain[:16]}…), and the storage ended with entry {behind.present}.",
        lost=max(lost),
        first=first,
        kept=max((size for size in held if size < first), default=0),
        late={chain for at, chain in times if at > now},
    )


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
