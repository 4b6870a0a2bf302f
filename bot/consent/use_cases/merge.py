"""Making one contact of two: NO wins, and nothing of the log is lost (rules.md §8.16)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bot.consent.errors import Refused
from bot.consent.log.changes import Act, ConsentChanged, ContactChanged, Noted
from bot.consent.log.entries import (
    ANOTHERS,
    CARRIED,
    MERGED,
    MERGED_INTO,
    REACHES,
    Entry,
    act_of,
    of,
    opts_out,
)
from bot.consent.model import UNSET, Actor, Channel, Consent, ConsentValue, Contact, OptOut, Origin
from bot.consent.permissions import Action, authorize
from bot.consent.store import Records
from bot.consent.use_cases.address_opt_outs import bring
from bot.consent.use_cases.consent_history import refusals_of, standing, statements
from bot.consent.use_cases.contacts import Fields, identity, update
from bot.consent.use_cases.context import Service, present
from bot.consent.use_cases.lists.leaving_entries import left_behind
from bot.consent.use_cases.record import Recorder


def merge(service: Service, kept: str, merged: str, actor: Actor) -> Contact:
    """Makes one contact of two: `kept` stays, and gets what it lacks of `merged`, which goes.

    A NO of either is a NO of the one that stays, and so is Do not contact; a YES fills only what
    was never asked, at the same address. Raises `NotAllowed`, `NotFound`, and `Refused` for a
    contact that was erased, or the same one twice.
    """
    authorize(actor, Action.MERGE)
    if kept == merged:
        raise Refused("These are the same contact.")
    with service.store.transaction() as records:
        recorder = Recorder(
            service=service, records=records, actor=actor.id, source=actor.source, now=service.now()
        )
        contact, other = present(records.contacts, kept), present(records.contacts, merged)
        told = {channel: _told(records, other, channel) for channel in Channel}
        mailbox = other.key(Channel.EMAIL)
        if mailbox is not None and mailbox != contact.key(Channel.EMAIL) and contact.email:
            other = left_behind(recorder, other, mailbox)
        # It goes first, so that its external id is free.
        recorder.record(
            other,
            ContactChanged(
                after="removed",
                reason=f"Merged into contact {contact.id}",
                changes={MERGED_INTO: (None, contact.id)},
            ),
        )
        contact = update(service, recorder, contact, _missing(contact, other), reason=_REASON)
        for channel in Channel:
            # Nobody who merges can undo what they brought as a slip of their own.
            system = replace(recorder, actor="system")
            contact = _consent(system, contact, other, channel, told[channel])
        changes: dict[str, tuple[str | bool | None, str | bool | None]] = {MERGED: (other.id, None)}
        if other.do_not_contact and not contact.do_not_contact:
            changes["do_not_contact"] = (False, True)
        after = recorder.record(
            contact, ContactChanged(after="changed", reason=_REASON, changes=changes)
        )
        assert after is not None
        return after


_REASON = "Two contacts made one"
_REACHES = "An opt-out of this contact counts for another one, since two contacts were made one"


def _missing(contact: Contact, other: Contact) -> Fields:
    """What the contact lacks and the other one has."""
    mine, theirs = identity(contact), identity(other)
    fields: Fields = {name: value for name, value in theirs.items() if value and not mine[name]}
    if "phone" not in fields:
        fields.pop("line", None)
    return fields


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What the other one's entries say of its address."""

    key: str | None = None
    consent: Consent = UNSET
    #: What made that consent.
    made: Entry | None = None
    refusals: list[Entry] = field(default_factory=list)
    #: What the address refused, and none of its entries says.
    at_address: list[OptOut] = field(default_factory=list)


def _told(records: Records, other: Contact, channel: Channel) -> _Told:
    key = other.key(channel)
    if key is None:
        return _Told()
    consent, id = standing(records, other, key)
    current = other.consents.get(key, UNSET)
    made = next((e for e in statements(records, other, key) if e.id == id), None)
    if not current.refused:
        return _Told(key=key, consent=consent, made=made)
    refusals = refusals_of(records, other, key)
    said = {act_of(entry) for entry in refusals if opts_out(entry)}
    left = [r for r in records.addresses.get(key).refusals if r.act not in said]
    return _Told(key=key, consent=current, made=made, refusals=refusals, at_address=left)


def _consent(
    recorder: Recorder, contact: Contact, other: Contact, channel: Channel, told: _Told
) -> Contact:
    address, key = contact.address(channel), contact.key(channel)
    if address is None or key is None:
        return contact
    for entry in told.refusals:
        if not opts_out(entry):
            contact = _carrier_no(recorder, contact, channel, entry)
            continue
        own = of(entry) == other.id
        earlier = CARRIED if own else ANOTHERS
        refusal = OptOut(
            channel=channel,
            since=entry.occurred_at,
            reason=(entry.reason or _REASON) if told.key == key or not act_of(entry) else earlier,
            act=act_of(entry),
            of=contact.id if own else of(entry),
        )
        contact = _refusal(recorder, contact, channel, refusal)
    for refusal in told.at_address:
        contact = _refusal(recorder, contact, channel, refusal)
    current, consent = contact.consent(channel), told.consent
    staff = (
        consent.on is ConsentValue.NO and not consent.refused and current.on is not ConsentValue.NO
    )
    fills = consent.on is ConsentValue.YES and current.on is ConsentValue.UNSET and told.key == key
    if not staff and not fills:
        return contact
    after = recorder.record(
        contact,
        ConsentChanged(
            by=consent.by,
            before=current.on,
            after=consent.on,
            reason=consent.reason or _REASON,
            evidence=consent.evidence if fills else None,
            act=Act(of=contact.id, name=act_of(told.made)) if staff and told.made else None,
        ),
        address=address,
        channel=channel,
        occurred_at=consent.since,
        # Whoever said YES: it goes when their file is undone.
        actor=told.made.actor if fills and told.made else None,
    )
    assert after is not None
    return after


def _refusal(recorder: Recorder, contact: Contact, channel: Channel, refusal: OptOut) -> Contact:
    """A refusal of the other one, as far as it is news: of the address, or of this very contact,
    with whom it goes along from now on."""
    records, key = recorder.records, contact.key(channel) or ""
    own = refusal.act and refusal.of == contact.id
    mine = [
        entry
        for entry in refusals_of(records, contact, key)
        if opts_out(entry) and (not own or of(entry) == contact.id)
    ]
    known = any(act_of(e) == refusal.act and e.occurred_at >= refusal.since for e in mine)
    if known:
        return contact
    whose = records.contacts.get(refusal.of) if refusal.of != contact.id else None
    if whose is not None and not whose.erased:
        # By this it is found here, too, when it is taken back.
        recorder.record(
            whose, Noted(reason=_REACHES, changes={REACHES: (None, contact.id)}), channel=channel
        )
    return bring(recorder, contact, channel, refusal, others=_REASON)


def _carrier_no(recorder: Recorder, contact: Contact, channel: Channel, entry: Entry) -> Contact:
    """What a failed message showed is no opt-out of the address, and stays one contact's."""
    current = contact.consent(channel)
    after = recorder.record(
        contact,
        ConsentChanged(
            again=current.refused,
            by=Origin.CONTACT,
            before=current.on,
            after=ConsentValue.NO,
            reason=entry.reason,
        ),
        address=contact.address(channel),
        channel=channel,
        occurred_at=entry.occurred_at,
        actor=entry.actor,
    )
    assert after is not None
    return after
