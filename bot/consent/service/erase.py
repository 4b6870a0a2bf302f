"""Erasure: the person goes, the fact of a refusal stays as a keyed hash (rules.md §8.15)."""

from __future__ import annotations

from bot.consent.activity import Kind
from bot.consent.authority import Action, authorize
from bot.consent.model import Actor, AddressFacts, By, Channel, Contact, On
from bot.consent.service.record import Recorder
from bot.consent.service.service import Service, present


def erase(service: Service, id: str, actor: Actor) -> Contact:
    """Erases name, addresses and the personal part of the contact's log entries, for good."""
    authorize(actor, Action.ERASE)
    with service.store.transaction() as records:
        contact = present(records, id)
        recorder = Recorder(records=records, actor=actor.id, source=actor.source, now=service.now())
        for address in {*contact.consents, *contact.addresses}:
            _keep_refusal(service, recorder, contact, address)
        # What is redacted tells the fold nothing more, so this comes before the last entry.
        records.redact(contact.id)
        erased = recorder.record(Kind.ERASED, contact)
        assert erased is not None
        return erased


def _keep_refusal(service: Service, recorder: Recorder, contact: Contact, address: str) -> None:
    records = recorder.records
    channel = Channel.EMAIL if "@" in address else Channel.SMS
    hashed = service.hashed(address)
    facts = records.facts(address)
    consent = contact.consents.get(address)
    refusal = consent if consent is not None and consent.refused else facts.refusal
    if refusal is not None:
        recorder.record(
            Kind.CONSENT,
            None,
            address=hashed,
            channel=channel,
            by=By.CONTACT,
            before=On.UNSET,
            after=On.NO,
            reason="Refused before erasure",
            occurred_at=refusal.since,
        )
    others = [holder for holder in records.holders(address) if holder.id != contact.id]
    if others:
        recorder.restate(facts, others[0], channel)
        return
    for sender, block in facts.blocks.items():
        recorder.record(
            Kind.BLOCK,
            None,
            address=hashed,
            channel=channel,
            sender=sender,
            before=block.state,
            after=block.state,
            occurred_at=block.since,
        )
    records.put_facts(AddressFacts(address=address))
