"""One step of a case: the state it comes to, its entry in the log, and what is told of it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from bot.consent.alerts import Alert, AlertKind, anew
from bot.consent.cases import OPEN, Case, CaseState
from bot.consent.frozen import replace
from bot.consent.log.entries import EntryKind
from bot.consent.model import Contact, Evidence
from bot.consent.parsing import masked
from bot.consent.store import Records

if TYPE_CHECKING:
    from bot.consent.use_cases.record import Recorder

_SLACK = "slack:"


def transition(
    recorder: Recorder,
    case: Case,
    state: CaseState,
    contact: Contact | None,
    *,
    actor: str | None = None,
    why: str | None = None,
    tells: bool = True,
    **changes: Any,
) -> Case:
    """The case in its new state: stored, logged, drawn anew, and told to whoever asked unless more
    follows. `actor` is who did it, where it is not the recorder's."""
    who = actor or recorder.actor
    after = replace(case, state=state, version=case.version + 1, **changes)
    if state not in OPEN:
        after = replace(after, ended_by=who, ended_at=recorder.now, ended_why=why, next_at=None)
    recorder.records.put_case(after)
    log_transition(recorder, after, contact, before=case.state, actor=who, why=why)
    redraw_case(recorder.records, after)
    if tells:
        notify_requester(recorder, after)
    return after


def log_transition(
    recorder: Recorder,
    case: Case,
    contact: Contact | None,
    *,
    before: str,
    actor: str | None = None,
    why: str | None = None,
    evidence: Evidence | None = None,
) -> None:
    """Each step has one entry, which names its case."""
    recorder.record(
        EntryKind.CASE,
        contact,
        address=case.address or None,
        channel=case.channel,
        before=before,
        after=case.state,
        reason=why,
        evidence=evidence,
        changes={"case": (None, case.id)},
        actor=actor,
    )


def redraw_case(records: Records, case: Case) -> None:
    """Every copy of it is drawn anew, by the outbox."""
    for id in case.copies:
        copy = records.alert(id)
        if copy is not None:
            records.put_alert(anew(copy))


def notify_requester(recorder: Recorder, case: Case, kind: AlertKind = AlertKind.CASE_TOLD) -> None:
    """By direct message, unless it was done by themselves, or at the command line."""
    who = case.requested_by
    if who.startswith(_SLACK) and who != recorder.actor:
        put_message(recorder, case, kind, who.removeprefix(_SLACK))


def put_message(
    recorder: Recorder, case: Case, kind: AlertKind, slack_channel: str, *, thread: str = ""
) -> str:
    """Puts a message about the case into the outbox; its id. `slack_channel` may be a person."""
    id = secrets.token_hex(16)
    recorder.records.put_alert(
        Alert(
            id=id,
            key=f"{kind}:{case.id}:{case.version}:{case.reminded}:{slack_channel}",
            kind=kind,
            slack_channel=slack_channel,
            first_at=recorder.now,
            last_at=recorder.now,
            channel=case.channel,
            contacts=(case.contact,),
            masked=masked(case.address),
            about=case.id,
            text=case.state if kind is not AlertKind.CASE else None,
            thread=thread or None,
        )
    )
    return id
