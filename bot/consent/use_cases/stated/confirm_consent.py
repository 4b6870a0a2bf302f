"""The contact confirms a pending consent, once (double opt-in)."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.consent import gates
from bot.consent.addresses import key_of
from bot.consent.cases import CONTACT, Case, CaseState
from bot.consent.errors import NotFound, Refused
from bot.consent.frozen import replace
from bot.consent.gates import THINGS
from bot.consent.model import Actor, Channel, Contact, Evidence
from bot.consent.permissions import Action, authorize
from bot.consent.use_cases.cases.complete import complete
from bot.consent.use_cases.cases.requirements import latest_refusal, missing_keys
from bot.consent.use_cases.cases.transition import transition
from bot.consent.use_cases.context import Service, present
from bot.consent.use_cases.known_senders import senders_of
from bot.consent.use_cases.record import Recorder
from bot.consent.use_cases.stated.pending_consents import (
    PendingConsent,
    get_pending,
    put_pending,
    use,
)
from bot.consent.use_cases.stated.state_consent import agree, check_withheld, is_proven
from bot.consent.use_cases.stated.statement import Stated, Withheld

_UNKNOWN = (
    "There is no such confirmation. It may have expired: a confirmation works for 7 days. Ask the "
    "contact to sign up again."
)
_EVER = datetime.min.replace(tzinfo=UTC)
#: Why a case was approved that no manager decided.
CONFIRMED = "Confirmed by the contact's own link, as OPTIN_CONFIRMED_OPT_IN allows."


def confirm(service: Service, token: str, actor: Actor) -> Stated:
    """Fills the consent that waits for this token with the evidence of both times.

    Raises `NotFound` for a token that is unknown or expired, `Refused` where it was used or the
    address was changed since, and `Withheld` where the contact has refused since.
    """
    authorize(actor, Action.STATE)
    now = service.now()
    with service.store.transaction() as records:
        pending = get_pending(records.key_value, token)
        if pending is None or pending.expires_at <= now:
            raise NotFound(_UNKNOWN)
        if pending.used_at is not None:
            day = service.times.day(pending.used_at)
            raise Refused(f"This was confirmed already, on {day}. Nothing was changed.")
        recorder = Recorder(
            service=service, records=records, actor=actor.id, source=actor.source, now=now
        )
        contact = _check_current(service, recorder, pending)
        evidence = Evidence(text=_both_times(pending, now), at=now)
        check_withheld(service, recorder, contact, pending.channel, evidence)
        put_pending(records.key_value, token, use(pending, now))
        if is_proven(contact, pending.channel):
            return Stated(contact=contact, channel=pending.channel, changed=False)
        stated = agree(service, recorder, contact, pending.channel, evidence)
        if stated.case is not None and _completes(service, recorder, stated.case):
            return _complete(service, recorder, stated.case, stated.contact)
        return stated


def _check_current(service: Service, recorder: Recorder, pending: PendingConsent) -> Contact:
    """The contact, if nothing has overtaken what they confirm."""
    channel = pending.channel
    contact = present(recorder.records.contacts, pending.contact)
    address = contact.address(channel)
    if address is None or service.hashed(address) != pending.address:
        noun = "phone number" if channel is Channel.SMS else "e-mail address"
        raise Refused(f"The {noun} was changed since, so this confirmation does nothing.")
    refused_at = latest_refusal(recorder.records, contact, channel)
    if refused_at is not None and refused_at > (pending.refused_at or _EVER):
        told = gates.consent(contact.consent(channel), channel) or [gates.NEVER_ASKED[channel]]
        raise Withheld(
            f"The contact has refused {THINGS[channel]} since, so this confirmation does nothing.",
            replace(told[0], since=refused_at),
        )
    return contact


def _both_times(pending: PendingConsent, now: datetime) -> str:
    signed_up, confirmed = (f"{at:%Y-%m-%d %H:%M} UTC" for at in (pending.occurred_at, now))
    return f"{pending.evidence} (signed up {signed_up}, confirmed {confirmed})"


def _completes(service: Service, recorder: Recorder, case: Case) -> bool:
    """Whether the contact's own link stands for the manager's approval (`OPTIN_CONFIRMED_OPT_IN`).
    After a spam complaint, and while a reply waits to be read, a manager decides all the same."""
    if not service.confirmed_opt_in or case.channel is not Channel.EMAIL:
        return False
    facts = recorder.records.addresses.get(key_of(case.address))
    senders = senders_of(service, recorder.records.key_value, facts)
    waits = missing_keys(facts, case.channel, senders)
    return not (waits or facts.complaint or facts.hold)


def _complete(service: Service, recorder: Recorder, case: Case, contact: Contact) -> Stated:
    """In the name of the contact."""
    approved = transition(
        recorder,
        case,
        CaseState.APPROVED,
        contact,
        actor=CONTACT,
        why=CONFIRMED,
        tells=False,
        decided_by=CONTACT,
        decided_at=recorder.now,
    )
    done = complete(service, recorder, approved, contact)
    after = present(recorder.records.contacts, contact.id)
    changed = done.state is CaseState.COMPLETED
    return Stated(contact=after, channel=case.channel, changed=changed, case=done)
