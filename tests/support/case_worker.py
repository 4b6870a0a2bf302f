"""Does what a line of its input says, on a storage that others use at the same time.

    python tests/support/case_worker.py

An order is a JSON object on a line: what to `do`, `who` does it, `at` which time, and what with. For
each it writes a line with what came of it. `open` opens the storage at a `url`: alerts go to the
Slack `channel`, if there is one. `close` closes it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.consent.errors import OptinError
from bot.consent.model import Actor, Channel, Role
from bot.consent.use_cases import (
    CaseRequest,
    Decided,
    Details,
    Service,
    approve,
    cancel,
    deny,
    edit,
    ingest,
    request,
    run_case_timers,
)
from bot.runtime.clock import Stopped
from tests.support.consent_fixtures import open_service_at
from tests.support.take_fixtures import text

Order = dict[str, Any]


def carry_out(service: Service, order: Order) -> dict[str, Any]:
    """What came of it: whether it counts, and the case as it was shown to whoever did it."""
    service = replace(service, now=Stopped(datetime.fromisoformat(order["at"])))
    who = Actor(id=order.get("who", ""), role=Role(order.get("role", "manager")), source="slack")
    try:
        match order["do"]:
            case "approve":
                return _told(approve(service, order["case"], who, version=1))
            case "deny":
                return _told(deny(service, order["case"], "No proof", who, version=1))
            case "cancel":
                return _told(cancel(service, order["case"], who))
            case "request":
                case_ = request(
                    service,
                    order["contact"],
                    CaseRequest(channel=Channel.SMS, evidence="a call"),
                    who,
                )
                return _told(Decided(case=case_, won=True))
            case "renumber":
                edit(service, order["contact"], Details(phone=order["phone"]), who)
            case "expire":
                run_case_timers(service)
            case "text":
                occurred_at = order.get("occurred_at")
                event = text(
                    order["words"],
                    id=order["id"],
                    address=order["phone"],
                    occurred_at=datetime.fromisoformat(occurred_at) if occurred_at else None,
                )
                ingest(service, [event])
    except OptinError as refusal:
        return {"refused": refusal.sentence}
    return {}


def _told(decided: Decided) -> dict[str, Any]:
    case = decided.case
    at = case.decided_at or case.ended_at
    return {
        "won": decided.won,
        "state": str(case.state),
        "by": case.decided_by or case.ended_by,
        "at": at.isoformat() if at else None,
    }


def main() -> None:
    service: Service | None = None
    for line in sys.stdin:
        order = json.loads(line)
        answer: dict[str, Any] = {}
        if order["do"] == "open":
            service = _opened(order["url"], order["channel"])
        else:
            assert service is not None
            if order["do"] == "close":
                service.store.close()
            else:
                answer = carry_out(service, order)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _opened(url: str, channel: str | None) -> Service:
    service = open_service_at(url, Stopped(datetime.fromisoformat("2026-11-03T14:02+00:00")))
    return replace(service, alert_channel=channel, approval_channel=channel)


if __name__ == "__main__":
    main()
