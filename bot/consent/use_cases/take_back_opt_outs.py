"""Takes a mistaken record of an opt-out back, wherever it came to (rules.md §6)."""

from __future__ import annotations

from bot.consent.addresses import key_of
from bot.consent.log.changes import ConsentChanged
from bot.consent.log.entries import (
    MERGED,
    MERGED_INTO,
    REACHES,
    act_of,
    covers,
    of,
)
from bot.consent.model import (
    UNSET,
    Channel,
    Consent,
    ConsentValue,
    Contact,
    Origin,
)
from bot.consent.records import Log
from bot.consent.use_cases.consent_history import _answers, standing, statements
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.lists.wishes import opt_out_taken_back
from bot.consent.use_cases.record import Recorder, history


def settle(
    recorder: Recorder, contact: Contact, key: str, channel: Channel, act: str, *, reason: str
) -> Contact:
    """Takes the act back at this address for this contact: the consent is what the other entries
    tell of it, and what others refused there stands."""
    records = recorder.records
    consent, made = standing(records, contact, key, without=(act,))
    left = [r for r in records.addresses.get(key).refusals if not covers(act, r.act)]
    against = [r for r in left if not _answers(consent, made, r)]
    newest = max(against, key=lambda refusal: refusal.since, default=None)
    if newest is not None and not consent.refused:
        consent = Consent(
            on=ConsentValue.NO, by=Origin.CONTACT, since=newest.since, reason=newest.reason
        )
    before = contact.consents.get(key, UNSET)
    address = next((a for a in contact.addresses if key_of(a) == key), key)
    same = (before.on, before.by) == (consent.on, consent.by)
    told = any(covers(act, act_of(entry)) for entry in statements(records, contact, key))
    if same and not told and len(left) == len(records.addresses.get(key).refusals):
        return contact
    # It is as old as it was: a refusal that is told late must not find it newer than itself.
    after = recorder.record(
        contact,
        ConsentChanged(
            again=same,
            by=Origin.STAFF if same else consent.by,
            before=before.on,
            after=before.on if same else consent.on,
            reason=reason,
            evidence=None if same else consent.evidence,
            takes_back=act,
        ),
        address=address,
        channel=channel,
        occurred_at=None if same else consent.since,
    )
    assert after is not None
    return after


def settle_all(
    service: Service,
    recorder: Recorder,
    id: str,
    channel: Channel,
    act: str,
    *,
    reason: str,
    whose: str = "",
) -> list[Contact]:
    """Takes the act back wherever it came to: at each address of this contact and of `whose` record
    it is, for everybody who has one of them, and under its hash. Those others for whom something is
    different now."""
    records = recorder.records
    others: dict[str, Contact] = {}
    reached = _reached(records.log, [id, whose or id], channel, act)
    for key in dict.fromkeys(key for keys in reached.values() for key in keys):
        had = [one for one, keys in reached.items() if key in keys]
        for one in dict.fromkeys([*had, *(holder.id for holder in records.contacts.at(key))]):
            # Read again: the address before may have changed the same contact.
            before = records.contacts.get(one)
            if before is None or before.erased:
                continue
            after = settle(recorder, before, key, channel, act, reason=reason)
            if one != id and after.consent(channel).on is not before.consent(channel).on:
                others[one] = after
        for name in (key, *service.hashes(key)):
            take_from_address(recorder, name, channel, act, reason=reason)
        opt_out_taken_back(recorder, key, channel)
    return list(others.values())


def take_from_address(
    recorder: Recorder,
    address: str,
    channel: Channel,
    act: str,
    *,
    reason: str,
    teller: str | None = None,
) -> bool:
    """Takes the act from an address that nobody has, or from its hash; whether it was there.
    `teller` is the contact whose entries tell of the address."""
    known = recorder.records.addresses.get(address).refusals
    if not any(covers(act, refusal.act) for refusal in known):
        return False
    recorder.record(
        recorder.records.contacts.get(teller) if teller else None,
        ConsentChanged(
            again=True,
            before=ConsentValue.NO,
            after=ConsentValue.UNSET,
            reason=reason,
            takes_back=act,
            by=None,
        ),
        address=address,
        channel=channel,
    )
    return True


def _reached(log: Log, ids: list[str], channel: Channel, act: str) -> dict[str, list[str]]:
    """The address keys that the act reached, by contact id: those of these contacts, of the contact
    of whom it was recorded, and of contacts merged with them."""
    found: dict[str, list[str]] = {}
    left = [*ids]
    while left:
        one = left.pop()
        if one in found:
            continue
        keys: dict[str, None] = {}
        for entry in history(log, one):
            changes = entry.changes or {}
            others = [changes.get(name, ()) for name in (MERGED, MERGED_INTO, REACHES)]
            left += [str(other) for pair in others for other in pair if other]
            if entry.channel is channel and entry.address and covers(act, act_of(entry)):
                keys[key_of(entry.address)] = None
                left.append(of(entry) or one)
        found[one] = [*keys]
    return found
