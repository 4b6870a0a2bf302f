"""What one row does: whom it means, and what it may change (rules.md §4)."""

from __future__ import annotations

import re
from datetime import datetime
from enum import Enum, auto

from bot.consent.addresses import key_of
from bot.consent.errors import Invalid
from bot.consent.log.changes import Act, BounceChanged, ConsentChanged
from bot.consent.log.entries import ANOTHERS, CARRIED, ROW, covers
from bot.consent.model import (
    AddressFacts,
    Bounce,
    Channel,
    Consent,
    ConsentValue,
    Contact,
    Evidence,
    Origin,
)
from bot.consent.parsing import blank, fold
from bot.consent.records import Contacts
from bot.consent.rules import Imported, import_consent
from bot.consent.use_cases.cases.complete import RE_OPT_IN
from bot.consent.use_cases.contacts import Fields
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.imports.rows import Consequence
from bot.consent.use_cases.record import Recorder, new_id


def match(contacts: Contacts, fields: Fields) -> Contact | None:
    """The contact that a row means: by external id; else the same name at the same address, or
    both addresses the same. Another name at the same number is another person; no name is whoever
    has it.

    Raises `Invalid` where the external id is that of somebody who has neither a word of the name
    nor an address in common with the row: a row never moves one person's record onto another.
    """
    external_id = fields.get("external_id")
    name = fold(fields.get("name") or "")
    phone, email = (_key(fields.get(field)) for field in ("phone", "email"))
    if external_id and (contact := contacts.by_external_id(external_id)):
        same_words = set(name.split()) & set(fold(contact.name).split())
        if not same_words and not {phone, email} & {*contact.keys}:
            raise Invalid(
                "Another contact has this external id, with another name and other addresses."
            )
        return contact
    holders = {holder.id: holder for key in (phone, email) if key for holder in contacts.at(key)}
    for holder in holders.values():
        if external_id and holder.external_id:
            continue
        same = phone and email and holder.keys == (phone, email)
        if same or not name or fold(holder.name) == name:
            return holder
    return None


def read_external_id(fields: Fields) -> None:
    """Takes a placeholder out. Raises `Invalid` for an id that a spreadsheet has rounded: several
    people would share it."""
    id = fields.get("external_id") or ""
    if id.strip().lower() in _PLACEHOLDERS or not id.strip(" -_.#/"):
        fields.pop("external_id", None)
    elif _ROUNDED.fullmatch(id.strip()):
        raise Invalid(
            "A spreadsheet has rounded this external id (it ends in E+…). Format the column as "
            "text and export it again."
        )


def but_same_addresses(contact: Contact, fields: Fields) -> Fields:
    """The fields without an address that the contact has already in another spelling. A number
    that is seen with Argentina's mobile 9 is a mobile: that form stays."""
    fields = dict(fields)
    phone, email = fields.get("phone"), fields.get("email")
    same = phone and contact.phone and key_of(phone) == key_of(contact.phone)
    if same and len(phone or "") <= len(contact.phone or ""):
        fields.pop("phone")
        fields.pop("line", None)
    if email and contact.email and key_of(email) == key_of(contact.email):
        fields.pop("email")
    return fields


def apart(contacts: Contacts, contact: Contact, fields: Fields) -> dict[Channel, str]:
    """Addresses of a row without a name that are not this contact's: they have another one, or
    somebody else has this. Nobody can say whose the row is, so it moves no address."""
    found = {}
    for channel in Channel:
        address = fields.get("phone" if channel is Channel.SMS else "email")
        other = address and contact.key(channel) != key_of(address)
        if address and other and (contact.key(channel) or contacts.at(key_of(address))):
            found[channel] = address
    return found


#: What systems export where there is no id.
_PLACEHOLDERS = frozenset(
    {"0", "n/a", "na", "#n/a", "none", "null", "nil", "nan", "undefined", "unknown", "(none)"}
)
_ROUNDED = re.compile(r"[+-]?\d+([.,]\d+)?[eE]\+?\d+", re.ASCII)


def set_consent(
    recorder: Recorder,
    contact: Contact,
    channel: Channel,
    wanted: ConsentValue,
    evidence: Evidence | None,
) -> tuple[Contact, list[Consequence]]:
    """What a row says of one channel. A NO reaches everybody with the address, whatever name the
    row has."""
    address = contact.address(channel)
    if address is None or wanted is ConsentValue.UNSET:
        return contact, []
    if wanted is ConsentValue.NO:
        return _set_no(recorder, contact, channel)
    sms = channel is Channel.SMS
    current = contact.consent(channel)
    proof = evidence if evidence and not blank(evidence.text) else None
    imported = import_consent(current, wanted, proof is not None)
    if imported is Imported.SET and _not_to_be_contacted(
        recorder.records.contacts, contact, address
    ):
        imported = Imported.KEPT
    if imported is Imported.KEPT:
        return contact, [Consequence.SMS_KEPT if sms else Consequence.EMAIL_KEPT]
    if imported is Imported.UNCHANGED:
        return contact, []
    after = recorder.record(
        contact,
        ConsentChanged(by=Origin.IMPORT, before=current.on, after=ConsentValue.YES, evidence=proof),
        address=address,
        channel=channel,
        occurred_at=evidence.at if evidence else None,
    )
    assert after is not None
    done = [Consequence.SMS_YES if sms else Consequence.EMAIL_YES]
    return after, done if proof else [*done, Consequence.UNPROVEN]


def refuse_nobody(
    service: Service, recorder: Recorder, address: str, channel: Channel
) -> Consequence:
    """An opt-out of an address that nobody has: kept for whoever appears with it."""
    hashed = service.hashed(address)
    recorder.record(
        None,
        ConsentChanged(by=Origin.IMPORT, before=ConsentValue.UNSET, after=ConsentValue.NO),
        address=hashed,
        channel=channel,
        occurred_at=_first_seen(recorder, hashed),
    )
    return Consequence.KEPT_FOR_LATER


def bounce_nobody(
    service: Service, recorder: Recorder, address: str, channel: Channel
) -> list[Consequence]:
    """A bounce of an address that nobody has, kept for whoever appears with it."""
    hashed = service.hashed(address)
    facts = recorder.records.addresses.get(hashed)
    if _says_so(recorder, facts):
        return []
    recorder.record(
        None,
        BounceChanged(before=facts.bounce, after=Bounce.YES, reason=_BOUNCED),
        address=hashed,
        channel=channel,
    )
    return [] if facts.bounce is Bounce.YES else [Consequence.BOUNCED]


def _set_no(
    recorder: Recorder, contact: Contact, channel: Channel
) -> tuple[Contact, list[Consequence]]:
    sms = channel is Channel.SMS
    key = contact.key(channel) or ""
    at = _first_seen(recorder, key)
    done: list[Consequence] = []
    row = new_id(recorder.now)
    others = [other for other in recorder.records.contacts.at(key) if other.id != contact.id]
    for holder in (contact, *others):
        mine = holder.id == contact.id
        after, what = _refuse(recorder, holder, channel, at, row, of=contact.id)
        if mine:
            contact = after
        elif after is not holder:
            recorder.records.contacts.put(after)
        if what is _Refused.NEWER_YES:
            done.append(Consequence.OLDER_NO)
        elif what is _Refused.NEWS:
            done.append((Consequence.SMS_NO if sms else Consequence.EMAIL_NO) if mine else _ALSO)
    return contact, done


class _Refused(Enum):
    NEWS = auto()
    AGAIN = auto()
    #: The YES is newer, so the file's NO is only noted.
    NEWER_YES = auto()


_ALSO = Consequence.ALSO_NO


def _refuse(
    recorder: Recorder, contact: Contact, channel: Channel, at: datetime, row: str, *, of: str
) -> tuple[Contact, _Refused]:
    own = contact.id == of
    current = contact.consent(channel)
    newer = current.on is ConsentValue.YES and _is_newer(current, at, recorder.now)
    again = current.refused
    if again and not own and recorder.wrote(contact.id, channel, own=False):
        return contact, _Refused.AGAIN  # the same file says it twice
    after = recorder.record(
        contact,
        ConsentChanged(
            again=newer or again,
            by=Origin.IMPORT,
            before=current.on,
            after=ConsentValue.NO,
            act=None if own else Act(of=of, name=f"{recorder.actor}{ROW}{row}"),
        ),
        address=contact.address(channel),
        channel=channel,
        occurred_at=at,
        id=row if own else None,
    )
    assert after is not None
    if newer:
        return after, _Refused.NEWER_YES
    return after, _Refused.AGAIN if again else _Refused.NEWS


def _is_newer(current: Consent, at: datetime, now: datetime) -> bool:
    """Whether a YES is newer than a file's NO: by its evidence; and where the file gives no date,
    by an approved re-opt-in."""
    proof = current.evidence.at if current.evidence else None
    if proof is not None and proof > at:
        return True
    return at == now and (current.reason or "").startswith(RE_OPT_IN)


def _first_seen(recorder: Recorder, key: str) -> datetime:
    """A file that gives no date says NO since a file said so first."""
    known = recorder.records.addresses.get(key).refusals
    # What came along from another address says nothing of this one.
    files = [refusal for refusal in known if refusal.act.startswith("import:")]
    seen = [refusal.since for refusal in files if refusal.reason not in (CARRIED, ANOTHERS)]
    return min(seen, default=recorder.now)


def _not_to_be_contacted(contacts: Contacts, contact: Contact, address: str) -> bool:
    """Whether anybody at this very address is marked Do not contact: then a file is not enough,
    since it may be the same person under another spelling."""
    if contact.do_not_contact:
        return True
    others = contacts.at(key_of(address))
    return any(other.do_not_contact for other in others)


def _key(address: str | None) -> str | None:
    return key_of(address) if address else None


_BOUNCED = "Marked as bounced in an import"


def mark_bounced(recorder: Recorder, contact: Contact, channel: Channel) -> bool:
    address = contact.address(channel)
    if address is None:
        return False
    facts = recorder.records.addresses.get(key_of(address))
    if _says_so(recorder, facts):
        return False
    recorder.record_for_holders(
        address,
        BounceChanged(before=facts.bounce, after=Bounce.YES, reason=_BOUNCED),
        channel=channel,
        told_of=contact,
    )
    return facts.bounce is not Bounce.YES


def _says_so(recorder: Recorder, facts: AddressFacts) -> bool:
    """Whether it is known to bounce, apart from files that may be undone before this one; or this
    file has said so."""
    told = any(covers(recorder.actor, mark.act) for mark in facts.marks)
    return facts.deliverability.bounce is Bounce.YES or told
