"""Deciding a case: a manager at the moment of the click, and one decision that wins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.consent.addresses import key_of
from bot.consent.cases import Case, CaseState
from bot.consent.errors import Changed, Invalid, NotFound, OwnRequest, RoleTooOld
from bot.consent.model import Actor, Contact
from bot.consent.parsing import blank, storable
from bot.consent.permissions import Action, authorize
from bot.consent.store import Records
from bot.consent.use_cases.cases.complete import complete, void
from bot.consent.use_cases.cases.refused_tries import check_decider, noting_refusal
from bot.consent.use_cases.cases.requirements import missing_keys
from bot.consent.use_cases.cases.transition import transition
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.known_senders import senders_of
from bot.consent.use_cases.record import Recorder

SELF_APPROVED = "Approved by the one who asked for it, as OPTIN_SELF_APPROVE allows."

#: A role that was read this long ago still counts, once the lock is held: as long as it takes from
#: Slack's answer to the lock where nobody else writes.
_ROLE_HOLDS = timedelta(milliseconds=200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A case after somebody decided it."""

    case: Case
    #: Whether it was this decision that counts. Else the case says who was quicker, and when.
    won: bool


def approve(service: Service, id: str, actor: Actor, *, version: int | None = None) -> Decided:
    """The manager's key. With the contact's there already, the consent is YES now.

    Raises `NotAllowed` for whoever is no manager at this moment, and for the one who asked;
    `NotFound`; `Changed` where the case is not as it was when it was drawn (`version`).
    """
    with noting_refusal(service, id, actor, verb="approve"):
        return _approve(service, id, actor, version)


def _approve(service: Service, id: str, actor: Actor, version: int | None) -> Decided:
    authorize(actor, Action.DECIDE)
    with service.store.transaction() as records:
        case, contact, recorder = _taken_up(service, records, id, actor)
        _check_role_age(recorder, actor)
        if case.state is not CaseState.PENDING:
            return Decided(case=case, won=False)
        own = case.requested_by == actor.id
        if own and not service.self_approve:
            raise OwnRequest
        if ended := _ended(recorder, case, contact):
            return Decided(case=ended, won=False)
        assert contact is not None
        if version is not None and version != case.version:
            raise Changed("This request changed meanwhile. Look at it again, then decide.")
        facts = records.addresses.get(key_of(case.address))
        senders = senders_of(service, records.key_value, facts)
        waits = bool(missing_keys(facts, case.channel, senders))
        approved = transition(
            recorder,
            case,
            CaseState.APPROVED,
            contact,
            why=SELF_APPROVED if own else None,
            tells=waits,
            decided_by=actor.id,
            decided_at=recorder.now,
            self_approved=own,
        )
        if not waits:
            approved = complete(service, recorder, approved, contact)
        return Decided(case=approved, won=True)


def deny(
    service: Service, id: str, reason: str, actor: Actor, *, version: int | None = None
) -> Decided:
    """Raises as `approve` does, and `Invalid` without a reason: whoever asked has to know why."""
    check_decider(service, id, actor, verb="deny")
    if blank(reason):
        raise Invalid("Say why: whoever asked will read it.", field="reason")
    with service.store.transaction() as records:
        case, contact, recorder = _taken_up(service, records, id, actor)
        _check_role_age(recorder, actor)
        if case.state is not CaseState.PENDING:
            return Decided(case=case, won=False)
        if ended := _ended(recorder, case, contact):
            return Decided(case=ended, won=False)
        if version is not None and version != case.version:
            raise Changed("This request changed meanwhile. Look at it again, then decide.")
        why = storable(reason.strip())
        denied = transition(
            recorder,
            case,
            CaseState.DENIED,
            contact,
            why=why,
            decided_by=actor.id,
            decided_at=recorder.now,
            decision=why,
        )
        return Decided(case=denied, won=True)


def cancel(service: Service, id: str, actor: Actor) -> Decided:
    """Takes a request back, also one that was approved and waits for the contact. For whoever
    asked, and for managers."""
    authorize(actor, Action.REQUEST)
    with service.store.transaction() as records:
        case, contact, recorder = _taken_up(service, records, id, actor)
        if case.requested_by != actor.id:
            authorize(actor, Action.DECIDE)
        if not case.open:
            return Decided(case=case, won=False)
        withdrawn = transition(recorder, case, CaseState.CANCELLED, contact, why="Withdrawn")
        return Decided(case=withdrawn, won=True)


def _taken_up(
    service: Service, records: Records, id: str, actor: Actor
) -> tuple[Case, Contact | None, Recorder]:
    case = records.cases.get(id)
    if case is None:
        raise NotFound("There is no such request.")
    recorder = Recorder(
        service=service, records=records, actor=actor.id, source=actor.source, now=service.now()
    )
    return case, records.contacts.get(case.contact), recorder


def _check_role_age(recorder: Recorder, actor: Actor) -> None:
    """Raises `RoleTooOld` where the lock was waited for, so that the role may be lost meanwhile. To
    ask Slack now would keep everybody else from writing: whoever called asks, and tries again."""
    if actor.role_as_of is not None and recorder.now - actor.role_as_of > _ROLE_HOLDS:
        raise RoleTooOld


def _ended(recorder: Recorder, case: Case, contact: Contact | None) -> Case | None:
    """The case where something had voided it."""
    if contact is None:
        return transition(recorder, case, CaseState.CANCELLED, None, actor="system")
    return void(recorder, case, contact)
