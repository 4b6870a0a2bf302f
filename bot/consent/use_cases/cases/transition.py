"""One step of a case: the state it comes to, its entry in the log, and what is told of it."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any, Protocol

from bot.consent.alerts import Alert, AlertKind, Subject, redraw
from bot.consent.cases import OPEN, Case, CaseState
from bot.consent.frozen import replace
from bot.consent.log.changes import CaseMoved, Change
from bot.consent.model import Channel, Contact, Evidence
from bot.consent.parsing import masked
from bot.consent.records import Outbox
from bot.consent.store import Records

_SLACK = "slack:"


class CaseLog(Protocol):
    """What a transition needs of the recorder, which calls cases after each change and so can't be
    imported here."""

    @property
    def records(self) -> Records:
        """Those of the transaction."""

    @property
    def actor(self) -> str:
        """Who acts, where a transition names nobody else."""

    @property
    def now(self) -> datetime:
        """The moment of the whole transaction."""

    def record(
        self,
        contact: Contact | None,
        change: Change,
        *,
        address: str | None = None,
        channel: Channel | None = None,
        actor: str | None = None,
    ) -> Contact | None:
        """Appends an entry to the log, and applies it."""


def transition(
    log: CaseLog,
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
    who = actor or log.actor
    after = replace(case, state=state, version=case.version + 1, **changes)
    if state not in OPEN:
        after = replace(after, ended_by=who, ended_at=log.now, ended_why=why, next_at=None)
    redraw_case(log.records.outbox, after)
    if tells:
        after = notify_requester(log, after)
    log.records.cases.put(after)
    log_transition(log, after, contact, before=case.state, actor=who, why=why)
    return after


def log_transition(
    log: CaseLog,
    case: Case,
    contact: Contact | None,
    *,
    before: str,
    actor: str | None = None,
    why: str | None = None,
    evidence: Evidence | None = None,
) -> None:
    """Each step has one entry, which names its case."""
    log.record(
        contact,
        CaseMoved(
            case=case.id,
            before=before,
            after=case.state,
            reason=why,
            evidence=evidence,
        ),
        address=case.address or None,
        channel=case.channel,
        actor=actor,
    )


def redraw_case(outbox: Outbox, case: Case) -> None:
    """Has every copy of its message updated."""
    for id in case.copies:
        copy = outbox.get(id)
        if copy is not None:
            outbox.put(redraw(copy))


def notify_requester(log: CaseLog, case: Case, kind: AlertKind = AlertKind.CASE_TOLD) -> Case:
    """By direct message, unless it was done by themselves, or at the command line. Returns the
    case, which the message follows from now on; the caller stores it."""
    who = case.requested_by
    if not who.startswith(_SLACK) or who == log.actor:
        return case
    message = put_message(log, case, kind, who.removeprefix(_SLACK))
    return replace(case, copies=(*case.copies, message))


def put_message(
    log: CaseLog, case: Case, kind: AlertKind, slack_channel: str, *, thread: str = ""
) -> str:
    """Puts a message about the case into the outbox; its id. `slack_channel` may be a person."""
    id = secrets.token_hex(16)
    log.records.outbox.put(
        Alert(
            id=id,
            key=f"{kind}:{case.id}:{case.version}:{case.reminded}:{slack_channel}",
            kind=kind,
            slack_channel=slack_channel,
            first_at=log.now,
            last_at=log.now,
            subject=Subject(
                channel=case.channel, contacts=(case.contact,), masked=masked(case.address)
            ),
            about=case.id,
            text=case.state if kind is not AlertKind.CASE else None,
            thread=thread or None,
        )
    )
    return id
