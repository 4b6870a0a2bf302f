"""Making one contact of two: NO wins, and nothing of the log is lost (rules.md §8.16)."""

from __future__ import annotations

from bot.consent.addresses import key_of
from bot.consent.errors import Refused
from bot.consent.log.entries import ACT, MERGED, EntryKind, act_of, is_refusal
from bot.consent.model import (
    UNSET,
    Actor,
    Channel,
    Consent,
    ConsentValue,
    Contact,
    Evidence,
    Origin,
)
from bot.consent.permissions import Action, authorize
from bot.consent.store import Records
from bot.consent.use_cases.address_opt_outs import refuse_at, standing, statements
from bot.consent.use_cases.contacts import Fields, identity, update
from bot.consent.use_cases.context import Service, present
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
        recorder = Recorder(records=records, actor=actor.id, source=actor.source, now=service.now())
        contact, other = present(records, kept), present(records, merged)
        told = {channel: _told(records, other, channel) for channel in Channel}
        # It goes first, so that its external id is free.
        recorder.record(
            EntryKind.CONTACT, other, after="removed", reason=f"Merged into contact {contact.id}"
        )
        contact = update(service, recorder, contact, _missing(contact, other), reason=_REASON)
        for channel in Channel:
            contact = _consent(recorder, contact, other, channel, told[channel])
        changes: dict[str, tuple[str | bool | None, str | bool | None]] = {MERGED: (other.id, None)}
        if other.do_not_contact and not contact.do_not_contact:
            changes["do_not_contact"] = (False, True)
        after = recorder.record(
            EntryKind.CONTACT, contact, after="changed", reason=_REASON, changes=changes
        )
        assert after is not None
        return after


_REASON = "Two contacts made one"


def _missing(contact: Contact, other: Contact) -> Fields:
    """What the contact lacks and the other one has."""
    mine, theirs = identity(contact), identity(other)
    fields: Fields = {name: value for name, value in theirs.items() if value and not mine[name]}
    if "phone" not in fields:
        fields.pop("line", None)
    return fields


def _told(records: Records, other: Contact, channel: Channel) -> tuple[Consent, str]:
    """What the other one's entries say of its address, and what recorded that."""
    key = other.key(channel)
    if key is None:
        return UNSET, ""
    consent, _ = standing(records, other, key)
    current = other.consents.get(key, UNSET)
    acts = [act_of(e) for e in statements(records, other, key) if is_refusal(e) and act_of(e)]
    return (current if current.on is ConsentValue.NO else consent), (acts[-1] if acts else "")


def _consent(
    recorder: Recorder,
    contact: Contact,
    other: Contact,
    channel: Channel,
    told: tuple[Consent, str],
) -> Contact:
    consent, act = told
    address, current = contact.address(channel), contact.consent(channel)
    if address is None:
        return contact
    worse = consent.on is ConsentValue.NO and (
        current.on is not ConsentValue.NO or consent.refused > current.refused
    )
    same = other.key(channel) == key_of(address)
    fills = consent.on is ConsentValue.YES and current.on is ConsentValue.UNSET and same
    if not worse and not fills:
        return contact
    evidence: Evidence | None = consent.evidence if fills else None
    after = recorder.record(
        EntryKind.CONSENT,
        contact,
        address=address,
        channel=channel,
        by=Origin.CONTACT if consent.refused else consent.by,
        before=current.on,
        after=consent.on,
        reason=consent.reason or _REASON,
        evidence=evidence,
        occurred_at=consent.since,
        changes={ACT: (None, act)} if consent.refused else None,
    )
    assert after is not None
    if consent.refused:
        refuse_at(
            recorder,
            address,
            channel,
            by=Origin.CONTACT,
            but=after,
            reason=consent.reason or _REASON,
            occurred_at=consent.since,
            changes={ACT: (None, act)},
        )
    return after
