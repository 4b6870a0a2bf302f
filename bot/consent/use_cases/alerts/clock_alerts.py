"""Tell the alert channel that the clock of a machine may be wrong, and when that is over."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime

from bot.consent.alerts import INSTALLER, Alert, AlertKind, revise
from bot.consent.records import KeyValue
from bot.consent.use_cases.context import Service

#: The name under which the present fault is stored, for `optin doctor`.
_KEPT = "clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockFault:
    """What shows that a clock is wrong."""

    #: Names what it was compared with.
    kind: str
    #: After "The clock of this machine may be wrong: ", without a full stop.
    clause: str


def report_clock(service: Service, fault: ClockFault | None) -> None:
    """Stores the fault and enqueues its alert, unless they stand; or says that it is over. The same
    kind on the same day has one alert. Raises `StorageFailed`."""
    now = service.now()
    with service.store.transaction() as records:
        text = records.key_value.get(_KEPT)
        known = json.loads(text) if text else {}
        if known.get("kind") == (fault.kind if fault else None):
            return
        if known and (before := records.outbox.newest_for(known["key"])) is not None:
            records.outbox.put(revise(before, text="", last_at=now))
        if fault is None:
            records.key_value.put(_KEPT, None)
            return
        key = f"{AlertKind.CLOCK}:{fault.kind}:{now.date()}"
        kept = {"kind": fault.kind, "key": key, "clause": fault.clause}
        records.key_value.put(_KEPT, json.dumps(kept))
        again = records.outbox.newest_for(key)
        if again is not None:
            records.outbox.put(revise(again, text=fault.clause, last_at=now))
        else:
            records.outbox.put(_alert(service, key, fault.clause, now))


def known_clock_fault(key_value: KeyValue) -> str | None:
    """The clause of the fault that the running bot found; None where there is none."""
    text = key_value.get(_KEPT)
    return str(json.loads(text)["clause"]) if text else None


def _alert(service: Service, key: str, clause: str, now: datetime) -> Alert:
    return Alert(
        id=secrets.token_hex(16),
        key=key,
        kind=AlertKind.CLOCK,
        slack_channel=service.alert_channel or INSTALLER,
        first_at=now,
        last_at=now,
        text=clause,
    )
