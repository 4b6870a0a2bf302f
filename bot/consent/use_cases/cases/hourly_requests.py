"""The requests of programs, which come to the approvals channel as one message an hour.

Hundreds may sign up again in one day, and a message for each would drown what people ask for. A
message names up to 20; the others follow with the next.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.consent.alerts import Alert, AlertKind
from bot.consent.cases import Case, CaseState
from bot.consent.frozen import replace
from bot.consent.records import KeyValue
from bot.consent.use_cases.cases.transition import CaseLog
from bot.consent.use_cases.context import Service

#: Requests that one message names.
MOST_REQUESTS = 20
EVERY = timedelta(hours=1)
_WAITING = "requests_of_programs"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRequests:
    """The cases that no message names yet, the oldest first."""

    cases: Sequence[str] = ()
    #: When the next message is due.
    due_at: datetime | None = None


def announce_hourly(log: CaseLog, case: Case) -> None:
    """The next hourly message names this case."""
    waiting = _read(log.records.key_value)
    due_at = waiting.due_at or log.now + EVERY
    _put(log.records.key_value, WaitingRequests(cases=(*waiting.cases, case.id), due_at=due_at))


def post_hourly_requests(service: Service) -> int:
    """Puts the message that is due into the outbox. Returns how many requests it names."""
    now = service.now()
    with service.store.reading() as records:
        if not _is_due(_read(records.key_value), now):
            return 0
    with service.store.transaction() as records:
        waiting = _read(records.key_value)
        if not _is_due(waiting, now):
            return 0
        found = (records.cases.get(id) for id in waiting.cases)
        # Somebody may have decided it meanwhile, from the list of open requests.
        pending = [case for case in found if case and case.state is CaseState.PENDING]
        named, left = pending[:MOST_REQUESTS], pending[MOST_REQUESTS:]
        # An hour later the next one is due: what comes until then goes with it.
        due_at = now + EVERY if named else None
        _put(
            records.key_value, WaitingRequests(cases=tuple(case.id for case in left), due_at=due_at)
        )
        if not named or not service.approval_channel:
            return 0
        alert = Alert(
            id=secrets.token_hex(16),
            key=f"{AlertKind.CASE_LIST}:{named[0].id}",
            kind=AlertKind.CASE_LIST,
            slack_channel=service.approval_channel,
            first_at=now,
            last_at=now,
            about=" ".join(case.id for case in named),
        )
        records.outbox.put(alert)
        for case in named:
            records.cases.put(replace(case, copies=(*case.copies, alert.id)))
        return len(named)


def _is_due(waiting: WaitingRequests, now: datetime) -> bool:
    return waiting.due_at is not None and waiting.due_at <= now


def _read(key_value: KeyValue) -> WaitingRequests:
    text = key_value.get(_WAITING)
    if text is None:
        return WaitingRequests()
    kept = json.loads(text)
    return WaitingRequests(
        cases=tuple(kept["cases"]), due_at=datetime.fromisoformat(kept["due_at"])
    )


def _put(key_value: KeyValue, waiting: WaitingRequests) -> None:
    if waiting.due_at is None:
        key_value.put(_WAITING, None)
        return
    kept = {"cases": list(waiting.cases), "due_at": waiting.due_at.isoformat()}
    key_value.put(_WAITING, json.dumps(kept))
