"""Erasure: the person goes, the fact of a refusal stays as a keyed hash (rules.md §8.15)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from bot.consent.activity import Entry, Kind, apply
from bot.consent.authority import Action, authorize
from bot.consent.model import UNSET, Actor, AddressFacts, By, Channel, Contact, On
from bot.consent.service.cases.forget import forget_cases
from bot.consent.service.record import Recorder, history
from bot.consent.service.reviews import forget
from bot.consent.service.service import Service, present
from bot.consent.store import Records


def erase(service: Service, id: str, actor: Actor) -> Contact:
    """Erases name, addresses and the personal part of the contact's log entries, for good.

    Reads the whole log once: what it still tells of these addresses is what stays known of them.
    That takes a minute where there are millions of entries, so others write meanwhile.
    """
    authorize(actor, Action.ERASE)
    with service.store.reading() as records:
        contact = present(records, id)
        known, _ = records.head()
        told = {address: AddressFacts(address=address) for address in _addresses(records, contact)}
        _fold(told, contact, records.log())
    with service.store.transaction() as records:
        contact = present(records, id)
        recorder = Recorder(records=records, actor=actor.id, source=actor.source, now=service.now())
        addresses = _addresses(records, contact)
        if told.keys() >= set(addresses):
            _fold(told, contact, reversed(list(_since(records, known))))
        else:  # they were changed in this very minute
            told = {address: AddressFacts(address=address) for address in addresses}
            _fold(told, contact, records.log())
        for address, left in told.items():
            _keep_refusal(service, recorder, contact, address)
            _leave(service, recorder, contact, left)
        forget_cases(recorder, contact)
        forget(records, contact.id)
        # What is redacted tells the fold nothing more, so this comes before the last entry.
        records.redact(contact.id)
        erased = recorder.record(Kind.ERASED, contact)
        assert erased is not None
        return erased


def _addresses(records: Records, contact: Contact) -> list[str]:
    """Former ones, too."""
    addresses = dict.fromkeys((*contact.addresses, *contact.consents))
    for entry in history(records, contact.id):
        before_and_after = [(entry.changes or {}).get(field, ()) for field in ("phone", "email")]
        for text in (entry.address, *(text for pair in before_and_after for text in pair)):
            if isinstance(text, str) and text:
                addresses[text] = None
    return list(addresses)


def _since(records: Records, known: int) -> Iterator[Entry]:
    """The entries behind the one with this `seq`, newest first."""
    before: int | None = None
    while page := records.entries(before=before, limit=100):
        for entry in page:
            if entry.seq <= known:
                return
            yield entry
        before = page[-1].seq


def _fold(told: dict[str, AddressFacts], contact: Contact, entries: Iterable[Entry]) -> None:
    """Into what the entries of others tell of these addresses."""
    for entry in entries:
        if entry.address not in told or entry.contact == contact.id:
            continue
        if entry.kind is not Kind.CONSENT or entry.contact is None:
            _, facts = apply(entry, None, told[entry.address])
            assert facts is not None
            told[entry.address] = facts


def _keep_refusal(service: Service, recorder: Recorder, contact: Contact, address: str) -> None:
    """A refusal of the contact's, or Do not contact, under the hash of the address."""
    records = recorder.records
    hashed = service.hashed(address)
    kept = records.facts(hashed).refusal
    since = _refused_since(recorder, contact, address)
    if since is None or (kept is not None and kept.since >= since):
        return
    recorder.record(
        Kind.CONSENT,
        None,
        address=hashed,
        channel=_channel(address),
        by=By.CONTACT,
        before=On.UNSET,
        after=On.NO,
        reason="Refused before erasure",
        occurred_at=since,
    )


def _refused_since(recorder: Recorder, contact: Contact, address: str) -> datetime | None:
    consent = contact.consents.get(address, UNSET)
    if consent.refused:
        return consent.since or recorder.now
    if contact.do_not_contact and address in contact.addresses:
        return recorder.now
    facts = recorder.records.facts(address)
    if facts.refusal:
        return facts.refusal.since
    # A reply that nobody has judged yet, and nobody can any more, counts as what it may be.
    others = any(holder.id != contact.id for holder in recorder.records.holders(address))
    return facts.hold.since if facts.hold and not others else None


def _leave(service: Service, recorder: Recorder, contact: Contact, left: AddressFacts) -> None:
    """What is known of the address stays with whoever else has it; else only what the log still
    tells of it, and a block under its hash."""
    records, address, channel = recorder.records, left.address, _channel(left.address)
    facts = records.facts(address)
    others = [holder for holder in records.holders(address) if holder.id != contact.id]
    if others:
        recorder.restate(facts, left, others[0], channel)
        return
    for sender in {**facts.blocks, **facts.cleared}:
        state, since = facts.block(sender)
        recorder.record(
            Kind.BLOCK,
            None,
            address=service.hashed(address),
            channel=channel,
            sender=sender,
            before=state,
            after=state,
            occurred_at=since,
        )
    records.put_facts(left)


def _channel(address: str) -> Channel:
    return Channel.EMAIL if "@" in address else Channel.SMS
