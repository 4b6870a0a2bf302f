"""How steps of Slack's workflows end: kept in the transaction that made the change, told later.

Slack is told at least once, also after a restart. A step that waits for a re-opt-in ends when the
request does. A replica claims an end before it tells it, so that the others leave it alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.consent.cases import OPEN, CaseState
from bot.consent.errors import NotFound
from bot.consent.frozen import replace
from bot.consent.model import Actor
from bot.consent.permissions import Action, authorize
from bot.consent.records import KeyValue
from bot.consent.store import Records
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.idempotency import joined

#: An end that was told is remembered for so long: Slack may repeat its event.
KEEP_ENDS = timedelta(hours=24)
#: Whoever has to tell an end tells it within this time; then another replica does.
_CLAIM = timedelta(seconds=60)
_NAME = "step:"
_AT_ONCE = 50

#: What became of a re-opt-in, in the word of the step's output.
OUTCOMES: Mapping[CaseState, str] = {
    CaseState.COMPLETED: "approved",
    CaseState.DENIED: "denied",
    CaseState.CANCELLED: "cancelled",
    CaseState.EXPIRED: "expired",
    CaseState.OVERTAKEN: "overtaken",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnd:
    """A step that has ended, or waits for a re-opt-in."""

    at: datetime
    outputs: Mapping[str, str] = field(default_factory=dict)
    #: The re-opt-in that it waits for, by its id.
    case: str | None = None
    #: Until when somebody is telling it.
    claimed_until: datetime | None = None
    told: bool = False


def end_step(
    service: Service, execution: str, work: Callable[[Service], Mapping[str, str]]
) -> None:
    """Does the work of a step and keeps its outputs, in one transaction; once for each execution.
    `work` asks use cases with the service that it is given. Raises what it raises."""
    with service.store.transaction() as records:
        if records.key_value.get(_NAME + execution) is None:
            outputs = dict(work(joined(service, records)))
            _put(records.key_value, execution, StepEnd(at=service.now(), outputs=outputs))


def wait_for_case(service: Service, execution: str, case: str, actor: Actor) -> None:
    """The step ends when this re-opt-in does. Raises `NotFound`."""
    authorize(actor, Action.LOOK)
    with service.store.transaction() as records:
        if records.cases.get(case) is None:
            raise NotFound("There is no such request.")
        if records.key_value.get(_NAME + execution) is None:
            _put(records.key_value, execution, StepEnd(at=service.now(), case=case))


def claim_ends(service: Service, execution: str | None = None) -> dict[str, Mapping[str, str]]:
    """The outputs of steps that have ended and were not told yet, by execution: of all of them, or
    of this one. Whoever claims them tells them."""
    with service.store.reading() as records:
        due = [name for name, _ in _due(records, service.now(), execution)]
    if not due:
        return {}
    with service.store.transaction() as records:
        now = service.now()
        claimed = {}
        for name, end in [*_due(records, now, execution)][:_AT_ONCE]:
            _put(records.key_value, name, replace(end, claimed_until=now + _CLAIM))
            claimed[name] = _outputs(records, end)
        return claimed


def end_was_told(service: Service, execution: str) -> None:
    """Slack knows it, or wants to know of it no more."""
    with service.store.transaction() as records:
        end = _get(records.key_value, execution)
        if end is not None:
            _put(records.key_value, execution, replace(end, told=True, at=service.now()))


def sweep_ends(service: Service) -> int:
    """Removes ends that were told long ago; how many."""
    oldest = service.now() - KEEP_ENDS
    with service.store.reading() as records:
        old = [name for name, end in _all(records) if end.told and end.at <= oldest]
    if old:
        with service.store.transaction() as records:
            for name in old:
                records.key_value.put(_NAME + name, None)
    return len(old)


def _due(records: Records, now: datetime, execution: str | None) -> Iterator[tuple[str, StepEnd]]:
    for name, end in _all(records):
        if end.told or (execution is not None and name != execution):
            continue
        if end.claimed_until is not None and now < end.claimed_until:
            continue
        if end.case is not None:
            case = records.cases.get(end.case)
            if case is not None and case.state in OPEN:
                continue
        yield name, end


def _outputs(records: Records, end: StepEnd) -> Mapping[str, str]:
    if end.case is None:
        return end.outputs
    case = records.cases.get(end.case)
    return {"outcome": OUTCOMES[case.state] if case is not None else "cancelled"}


def _all(records: Records) -> Iterator[tuple[str, StepEnd]]:
    for name, text in [*records.key_value.all()]:
        if name.startswith(_NAME):
            yield name.removeprefix(_NAME), _read(text)


def _get(key_value: KeyValue, execution: str) -> StepEnd | None:
    text = key_value.get(_NAME + execution)
    return None if text is None else _read(text)


def _put(key_value: KeyValue, execution: str, end: StepEnd) -> None:
    told = {
        "at": end.at.isoformat(),
        "outputs": dict(end.outputs),
        "case": end.case,
        "claimed_until": end.claimed_until.isoformat() if end.claimed_until else None,
        "told": end.told,
    }
    key_value.put(_NAME + execution, json.dumps(told))


def _read(text: str) -> StepEnd:
    kept = json.loads(text)
    claimed = kept["claimed_until"]
    return StepEnd(
        at=datetime.fromisoformat(kept["at"]),
        outputs=kept["outputs"],
        case=kept["case"],
        claimed_until=datetime.fromisoformat(claimed) if claimed else None,
        told=kept["told"],
    )
