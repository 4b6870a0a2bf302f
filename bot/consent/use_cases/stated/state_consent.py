"""Stating a consent: NO at once, YES where the contact was never asked, and a case where they had
refused (rules.md §4, §6, §8.3)."""

from __future__ import annotations

from bot.consent import gates
from bot.consent.addresses import key_of
from bot.consent.frozen import replace
from bot.consent.gates import THINGS
from bot.consent.log.changes import ConsentChanged
from bot.consent.model import (
    Actor,
    Channel,
    ConsentValue,
    Contact,
    Evidence,
    Origin,
)
from bot.consent.permissions import Action, authorize
from bot.consent.use_cases.cases.complete import void
from bot.consent.use_cases.cases.hourly_requests import announce_hourly
from bot.consent.use_cases.cases.request import CaseRequest, asked, open_case
from bot.consent.use_cases.cases.requirements import latest_refusal
from bot.consent.use_cases.context import Service, present
from bot.consent.use_cases.record import Recorder
from bot.consent.use_cases.set_consent import set_no
from bot.consent.use_cases.stated.pending_consents import ask_to_confirm
from bot.consent.use_cases.stated.statement import (
    ConsentStatement,
    Stated,
    StatedEvidence,
    StatedStatus,
    Withheld,
    read_evidence,
    read_refusal,
)


def state_consent(
    service: Service,
    id: str,
    statement: ConsentStatement,
    actor: Actor,
    *,
    token: str | None = None,
) -> Stated:
    """Does what a statement may do. A pending one gets the `token`, or a new one.

    Raises `Withheld` where a gate stands in the way of YES, `NeedsEvidence` and `Invalid` for the
    evidence, and `NotFound`.
    """
    authorize(actor, Action.STATE)
    channel = statement.channel
    with service.store.transaction() as records:
        contact = present(records.contacts, id)
        recorder = Recorder(
            service=service, records=records, actor=actor.id, source=actor.source, now=service.now()
        )
        if statement.status is StatedStatus.NO:
            return _refuse(recorder, contact, channel, statement.evidence)
        evidence = read_evidence(statement.evidence, recorder.now)
        check_withheld(service, recorder, contact, channel, evidence)
        if is_proven(contact, channel):
            return Stated(contact=contact, channel=channel, changed=False)
        if statement.status is StatedStatus.PENDING:
            return ask_to_confirm(service, recorder, contact, channel, evidence, token=token)
        return agree(service, recorder, contact, channel, evidence)


def is_proven(contact: Contact, channel: Channel) -> bool:
    """Whether there is nothing to add: a YES with its evidence."""
    consent = contact.consent(channel)
    return consent.on is ConsentValue.YES and not consent.unproven


def agree(
    service: Service, recorder: Recorder, contact: Contact, channel: Channel, evidence: Evidence
) -> Stated:
    """YES where the contact was never asked, and evidence for a YES without any. Whoever refused
    gets a case."""
    current = contact.consent(channel)
    if current.refused:
        ask = CaseRequest(channel=channel, evidence=evidence.text, evidence_at=evidence.at)
        case = open_case(service, recorder, contact, ask, announce=announce_hourly)
        return Stated(contact=_again(recorder, contact), channel=channel, changed=False, case=case)
    after = recorder.record(
        contact,
        ConsentChanged(
            by=Origin.CONTACT, before=current.on, after=ConsentValue.YES, evidence=evidence
        ),
        address=contact.address(channel),
        channel=channel,
        occurred_at=evidence.at,
    )
    assert after is not None
    return Stated(contact=after, channel=channel, changed=True)


def check_withheld(
    service: Service, recorder: Recorder, contact: Contact, channel: Channel, evidence: Evidence
) -> None:
    """Raises `Withheld` where no evidence of a program leads to YES, nor to a case."""
    records, current = recorder.records, contact.consent(channel)
    address, things = contact.address(channel), THINGS[channel]
    if address is None:
        gate = gates.NO_ADDRESS[channel]
        raise Withheld(gate.reason, gate)
    for holder in (contact, *records.contacts.at(key_of(address))):
        for gate in gates.do_not_contact(holder):
            raise Withheld(_forbidden(contact, holder, channel), gate)
    if current.on is not ConsentValue.NO:
        return
    (gate,) = gates.consent(current, channel)
    if not current.refused:
        raise Withheld(
            f"We switched {channel.word} off ourselves, and no program switches it on again. An "
            "agent can, with the evidence.",
            gate,
        )
    other = records.cases.open_for(contact.id, channel)
    if other is not None and not void(recorder, other, contact):
        raise Withheld(asked(other, service.times).sentence, gate, case=other)
    refused_at = latest_refusal(records, contact, channel)
    if refused_at is not None and evidence.at is not None and evidence.at <= refused_at:
        raise Withheld(
            f"The contact refused {things} on {service.times.moment(refused_at)}: the evidence "
            "has to be newer than that.",
            replace(gate, since=refused_at),
        )


def _forbidden(contact: Contact, holder: Contact, channel: Channel) -> str:
    if holder.id == contact.id:
        return "This contact is marked Do not contact."
    noun = "number" if channel is Channel.SMS else "address"
    return f"Another contact with this {noun} is marked Do not contact."


def _refuse(
    recorder: Recorder, contact: Contact, channel: Channel, stated: StatedEvidence | None
) -> Stated:
    """At once, on every holder of the address."""
    if contact.address(channel) is None:
        gate = gates.NO_ADDRESS[channel]
        raise Withheld(gate.reason, gate)
    evidence, reason = read_refusal(stated, recorder.now)
    at = evidence.at if evidence else None
    if _is_known(recorder, contact, channel, evidence):
        return Stated(contact=contact, channel=channel, changed=False)
    was = contact.consent(channel)
    done = set_no(
        recorder,
        contact,
        channel,
        Origin.CONTACT,
        reason=reason,
        evidence=evidence,
        occurred_at=at,
    )
    after = _again(recorder, contact)
    also = len(done[1].also) if done else 0
    return Stated(
        contact=after, channel=channel, changed=after.consent(channel) != was or also > 0, also=also
    )


def _is_known(
    recorder: Recorder, contact: Contact, channel: Channel, evidence: Evidence | None
) -> bool:
    """Whether this very NO was stated before, as when the answer to it was lost."""
    if evidence is None:
        return False
    return all(
        consent.on is ConsentValue.NO
        and consent.by is Origin.CONTACT
        and (consent.actor, consent.since) == (recorder.actor, evidence.at)
        for holder in recorder.records.contacts.at(contact.key(channel) or "")
        for consent in (holder.consent(channel),)
    )


def _again(recorder: Recorder, contact: Contact) -> Contact:
    return present(recorder.records.contacts, contact.id)
