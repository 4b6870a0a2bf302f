"""What one row does: whom it means, and what it may change (rules.md §4)."""

from __future__ import annotations

from bot.consent.activity import Kind
from bot.consent.model import UNSET, Bounce, By, Channel, Contact, Evidence, On
from bot.consent.reading import blank, fold
from bot.consent.rules import Imported, import_consent
from bot.consent.service.change import note_again
from bot.consent.service.contacts import Fields
from bot.consent.service.imports.rows import Consequence
from bot.consent.service.record import Recorder
from bot.consent.store import Records


def match(records: Records, fields: Fields) -> Contact | None:
    """The contact that a row means: by external id; else the same name at the same address, or
    both addresses the same. Another name at the same number is another person."""
    external_id = fields.get("external_id")
    if external_id and (contact := records.by_external_id(external_id)):
        return contact
    name = fold(fields["name"] or "")
    phone, email = fields.get("phone"), fields.get("email")
    holders = {
        holder.id: holder
        for address in (phone, email)
        if address
        for holder in records.holders(address)
    }
    for holder in holders.values():
        if external_id and holder.external_id:
            continue
        same = phone and email and (holder.phone, holder.email) == (phone, email)
        if same or fold(holder.name) == name:
            return holder
    return None


def set_consent(
    recorder: Recorder, contact: Contact, channel: Channel, wanted: On, evidence: Evidence | None
) -> tuple[Contact, list[Consequence]]:
    address = contact.address(channel)
    if address is None or wanted is On.UNSET:
        return contact, []
    sms = channel is Channel.SMS
    current = contact.consent(channel)
    proof = evidence if evidence and not blank(evidence.text) else None
    imported = import_consent(current, wanted, proof is not None)
    if (
        imported is Imported.SET
        and wanted is On.YES
        and _refused_by_another(recorder.records, contact, address)
    ):
        imported = Imported.KEPT
    if imported is Imported.KEPT:
        return contact, [Consequence.SMS_KEPT if sms else Consequence.EMAIL_KEPT]
    if imported is Imported.UNCHANGED:
        if wanted is On.NO:
            note_again(recorder, contact, channel, by=By.IMPORT)
        return contact, []
    agreed = evidence.at if evidence and wanted is On.YES else None
    after = recorder.record(
        Kind.CONSENT,
        contact,
        address=address,
        channel=channel,
        by=By.IMPORT,
        before=current.on,
        after=wanted,
        evidence=proof if wanted is On.YES else None,
        occurred_at=agreed,
    )
    assert after is not None
    if wanted is On.NO:
        return after, [Consequence.SMS_NO if sms else Consequence.EMAIL_NO]
    done = [Consequence.SMS_YES if sms else Consequence.EMAIL_YES]
    return after, done if proof else [*done, Consequence.UNPROVEN]


def _refused_by_another(records: Records, contact: Contact, address: str) -> bool:
    """Whether somebody else at this very address said no, or may not be contacted: then a file is
    not enough, since it may be the same person under another spelling."""
    return any(
        other.id != contact.id
        and (other.do_not_contact or other.consents.get(address, UNSET).refused)
        for other in records.holders(address)
    )


def mark_bounced(recorder: Recorder, contact: Contact, channel: Channel) -> bool:
    address = contact.address(channel)
    if address is None:
        return False
    facts = recorder.records.facts(address)
    if facts.bounce is Bounce.YES:
        return False
    recorder.record_for_holders(
        Kind.BOUNCE,
        address,
        channel=channel,
        before=facts.bounce,
        after=Bounce.YES,
        reason="Marked as bounced in an import",
    )
    return True
