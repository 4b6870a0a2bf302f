"""What time does to a case: reminders, and its end."""

from __future__ import annotations

from bot.consent.alerts import AlertKind
from bot.consent.cases import REMINDERS, Case, CaseState
from bot.consent.frozen import replace
from bot.consent.use_cases.cases.transition import notify_requester, put_message, transition
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.record import Recorder

_AT_ONCE = 100


def run_case_timers(service: Service) -> int:
    """Sends reminders, and ends cases that nobody finished in time; returns how many were due."""
    with service.store.reading() as records:
        due = [case.id for case in records.cases.due(service.now(), limit=_AT_ONCE)]
    for id in due:
        _look_after(service, id)
    return len(due)


def _look_after(service: Service, id: str) -> None:
    now = service.now()
    with service.store.transaction() as records:
        case = records.cases.get(id)
        if case is None or case.next_at is None or case.next_at > now:
            return
        recorder = Recorder(
            service=service, records=records, actor="system", source="slack", now=now
        )
        if now >= case.expires_at:
            transition(recorder, case, CaseState.EXPIRED, records.contacts.get(case.contact))
            return
        # After a long pause one reminder is enough.
        passed = sum(case.requested_at + after <= now for after in REMINDERS)
        if passed > case.reminded:
            case = _remind(recorder, replace(case, reminded=passed))
        ahead = [t for after in REMINDERS if (t := case.requested_at + after) > now]
        following = min([*ahead, case.expires_at])
        records.cases.put(replace(case, reminded=passed, next_at=following))


def _remind(recorder: Recorder, case: Case) -> Case:
    """Managers in the thread of the request; who asked, where the contact is waited for. Returns
    the case, which the reminders follow; the caller stores it."""
    if case.state is CaseState.APPROVED:
        return notify_requester(recorder, case, AlertKind.CASE_REMINDER)
    reminders = []
    for id in case.copies:
        copy = recorder.records.outbox.get(id)
        if copy is not None and copy.kind is AlertKind.CASE:
            reminders.append(
                put_message(recorder, case, AlertKind.CASE_REMINDER, copy.slack_channel, thread=id)
            )
    return replace(case, copies=(*case.copies, *reminders))
