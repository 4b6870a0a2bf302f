"""What a row says of consent, and what of it may change (rules.md §4)."""

from __future__ import annotations

from datetime import datetime, time
from enum import Enum, auto

from bot.consent.addresses import key_of
from bot.consent.cases import RE_OPT_IN
from bot.consent.log.changes import Act, ConsentChanged
from bot.consent.log.entries import ANOTHERS, CARRIED, ROW
from bot.consent.model import (
    Channel,
    Consent,
    ConsentValue,
    Contact,
    Origin,
)
from bot.consent.parsing import blank
from bot.consent.records import Contacts
from bot.consent.rules import Imported, import_consent
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.imports.rows import Consequence, OptOutDetails, Row
from bot.consent.use_cases.record import Recorder, new_id


def set_consent(
    recorder: Recorder,
    contact: Contact,
    channel: Channel,
    row: Row,
) -> tuple[Contact, list[Consequence]]:
    """What a row says of one channel. A NO reaches everybody with the address, whatever name the
    row has; our own side's NO stays on this contact."""
    address = contact.address(channel)
    wanted, evidence = row.on(channel), row.proof(channel)
    if address is None or wanted is ConsentValue.UNSET:
        return contact, []
    if wanted is ConsentValue.NO:
        refusal = row.refusal(channel)
        if refusal.by_staff:
            return _switch_off(recorder, contact, channel, refusal)
        return _set_no(recorder, contact, channel, refusal)
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
    service: Service, recorder: Recorder, address: str, channel: Channel, refusal: OptOutDetails
) -> list[Consequence]:
    """An opt-out of an address that nobody has: kept for whoever appears with it."""
    hashed = service.hashed(address)
    known = recorder.records.addresses.get(hashed).refusals
    at = _since(recorder, hashed, refusal)
    recorder.record(
        None,
        ConsentChanged(
            by=Origin.IMPORT,
            before=ConsentValue.UNSET,
            after=ConsentValue.NO,
            reason=refusal.reason or None,
        ),
        address=hashed,
        channel=channel,
        occurred_at=at,
    )
    again = any(one.since >= at and one.act.startswith("import:") for one in known)
    return [] if again else [Consequence.KEPT_FOR_LATER]


def _switch_off(
    recorder: Recorder, contact: Contact, channel: Channel, refusal: OptOutDetails
) -> tuple[Contact, list[Consequence]]:
    """Our own side's NO: it lies under a NO of the contact's, and gives way to a newer YES."""
    current = contact.consent(channel)
    if current.on is ConsentValue.NO:
        return contact, []
    at = _past(recorder, refusal.at) or recorder.now
    if current.on is ConsentValue.YES and _is_newer(current, at, undated=refusal.at is None):
        return contact, [Consequence.OLDER_NO]
    after = recorder.record(
        contact,
        ConsentChanged(
            by=Origin.STAFF,
            before=current.on,
            after=ConsentValue.NO,
            reason=refusal.reason or None,
        ),
        address=contact.address(channel),
        channel=channel,
        occurred_at=at,
    )
    assert after is not None
    return after, [Consequence.SMS_NO if channel is Channel.SMS else Consequence.EMAIL_NO]


def _set_no(
    recorder: Recorder, contact: Contact, channel: Channel, refusal: OptOutDetails
) -> tuple[Contact, list[Consequence]]:
    sms = channel is Channel.SMS
    key = contact.key(channel) or ""
    at = _since(recorder, key, refusal)
    done: list[Consequence] = []
    row = new_id(recorder.now)
    others = [other for other in recorder.records.contacts.at(key) if other.id != contact.id]
    for holder in (contact, *others):
        mine = holder.id == contact.id
        newer = _is_newer(holder.consent(channel), at, undated=at == recorder.now)
        after, what = _refuse(recorder, holder, channel, at, row, of=contact.id, newer=newer)
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
    recorder: Recorder,
    contact: Contact,
    channel: Channel,
    at: datetime,
    row: str,
    *,
    of: str,
    newer: bool,
) -> tuple[Contact, _Refused]:
    own = contact.id == of
    current = contact.consent(channel)
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


def _is_newer(current: Consent, at: datetime, *, undated: bool) -> bool:
    """Whether a YES is newer than a file's NO: by its evidence; and where the file gives no date,
    by an approved re-opt-in."""
    if current.on is not ConsentValue.YES:
        return False
    proof = current.evidence.at if current.evidence else None
    if proof is not None and proof > at:
        # A date without a time is the end of that day: an opt-out of the same day counts.
        return proof.time() != _END_OF_DAY or proof.date() > at.date()
    return undated and (current.reason or "").startswith(RE_OPT_IN)


#: As a date without a time is read.
_END_OF_DAY = time(23, 59, 59)


def _since(recorder: Recorder, key: str, refusal: OptOutDetails) -> datetime:
    """When the contact acted, as the file says; else since a file said so first."""
    return _past(recorder, refusal.at) or _first_seen(recorder, key)


def _past(recorder: Recorder, at: datetime | None) -> datetime | None:
    """Nothing happens in the future."""
    return min(at, recorder.now) if at else None


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
