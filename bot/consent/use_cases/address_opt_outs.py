"""Opt-outs that outlive contacts: they stay with the address, and what was made to a person or
given by a file goes along with the contact (rules.md §2, §6).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from bot.consent.addresses import key_of
from bot.consent.frozen import replace
from bot.consent.log.changes import Act, ConsentChanged
from bot.consent.log.entries import (
    ANOTHERS,
    CARRIED,
    Entry,
    EntryKind,
    act_of,
    is_own,
    is_refusal,
)
from bot.consent.model import (
    UNSET,
    AddressFacts,
    Channel,
    ConsentValue,
    Contact,
    OptOut,
    Origin,
)
from bot.consent.records import Log
from bot.consent.store import Records
from bot.consent.use_cases.consent_history import _answers, refusals_of, standing, statements
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.record import Recorder, history
from bot.consent.use_cases.take_back_opt_outs import settle
from bot.consent.use_cases.take_over import as_texts, take_over

_SYSTEM = "system"
_TAKEN_BACK = "Recorded by mistake, and taken back while this contact was elsewhere"


def gain(
    service: Service,
    recorder: Recorder,
    contact: Contact,
    channel: Channel,
    *,
    actor: str = _SYSTEM,
) -> Contact:
    """Applies what is known of an address to whoever appears with it: what it refused when others
    had it, or nobody, or before its contact was erased. In the name of `actor`."""
    key = contact.key(channel)
    if key is None:
        return contact
    records = recorder.records
    hashes = service.hashes(key)
    known = any(map(records.addresses.knows, (key, *hashes)))
    if not known and not contact.consents.get(key, UNSET).refused:
        return contact
    found = records.addresses.get(key)
    kept = []
    for name, form in hashes.items():
        facts = records.addresses.get(name)
        if not facts.empty:
            kept.append(as_texts(facts, form))
    system = replace(recorder, actor=actor)
    contact = _without_taken_back(system, contact, channel, [found, *kept])
    if not kept and not found.refusals:
        return contact
    hashed = [refusal for facts in kept for refusal in facts.refusals]
    against = _against(records, contact, key, [*found.refusals, *hashed])
    # Each is recorded, since each can be taken back by itself.
    news = [
        one for one in against if one in hashed and not is_known(one.act, one.since, found.refusals)
    ]
    newest = max(against, key=lambda refusal: refusal.since, default=None)
    if newest is not None and newest not in news and not contact.consents.get(key, UNSET).refused:
        news.append(newest)
    for refusal in sorted(news, key=lambda refusal: refusal.since, reverse=True):
        # Only what went along with this very contact goes along with them again.
        reason = ANOTHERS if refusal.reason == CARRIED else refusal.reason
        contact = _refuse(system, contact, channel, replace(refusal, reason=reason))
    for facts in kept:
        contact = take_over(system, contact, channel, facts)
    return contact


def carry(
    recorder: Recorder,
    contact: Contact,
    former: str | None,
    channel: Channel,
    *,
    actor: str = _SYSTEM,
) -> Contact:
    """What the contact refused to a person, or a file says they refused, goes along from the
    `former` address, given as its key, with its old date. The rest stays behind."""
    records = recorder.records
    key = contact.key(channel)
    former = former or _last_key(records.log, contact, channel)
    if key is None or former is None or former == key:
        return contact
    if not contact.consents.get(former, UNSET).refused:
        return contact
    known = {act_of(entry) for entry in statements(records, contact, key)}
    #: The newest of each record, since each can be taken back by itself.
    recorded: dict[str, Entry] = {}
    for entry in statements(records, contact, former):
        act = act_of(entry)
        if is_refusal(entry) and act and act not in known and (is_own(entry) or _carried(entry)):
            recorded[act] = max(recorded.get(act, entry), entry, key=lambda e: e.occurred_at)
    system = replace(recorder, actor=actor)
    for act, entry in recorded.items():
        refusal = OptOut(
            channel=channel, since=entry.occurred_at, reason=CARRIED, act=act, of=contact.id
        )
        contact = bring(system, contact, channel, refusal, others=ANOTHERS)
    return contact


def bring(
    recorder: Recorder, contact: Contact, channel: Channel, refusal: OptOut, *, others: str
) -> Contact:
    """A refusal that comes to the contact's address with them: it reaches everybody who has it,
    with `others` as the reason."""
    contact = _refuse(recorder, contact, channel, refusal)
    refuse_at(
        replace(recorder, stores=True),
        contact.address(channel) or "",
        channel,
        by=Origin.CONTACT,
        but=contact,
        reason=others,
        occurred_at=refusal.since,
        act=Act(of=refusal.of or None, name=refusal.act),
    )
    return contact


def _carried(entry: Entry) -> bool:
    """It went along with this very contact."""
    return entry.reason == CARRIED


def refuse_at(
    recorder: Recorder,
    address: str,
    channel: Channel,
    *,
    by: Origin,
    act: Act,
    reason: str | None,
    but: Contact | None = None,
    occurred_at: datetime | None = None,
) -> list[Contact]:
    """Sets NO for every contact with the address except `but`. Returns those who were not NO
    already."""
    reached = []
    for holder in recorder.records.contacts.at(key_of(address)):
        if but is not None and holder.id == but.id:
            continue
        consent = holder.consent(channel)
        again = consent.on is ConsentValue.NO and consent.by in (Origin.CONTACT, by)
        recorder.record(
            holder,
            ConsentChanged(
                again=again,
                by=by,
                before=consent.on,
                after=ConsentValue.NO,
                reason=reason,
                act=act,
            ),
            address=holder.address(channel),
            channel=channel,
            occurred_at=occurred_at,
        )
        if not again:
            reached.append(holder)
    return reached


def _refuse(recorder: Recorder, contact: Contact, channel: Channel, refusal: OptOut) -> Contact:
    current = contact.consent(channel)
    after = recorder.record(
        contact,
        ConsentChanged(
            again=current.refused,
            by=Origin.CONTACT,
            before=current.on,
            after=ConsentValue.NO,
            reason=refusal.reason or "Refused before this contact was added",
            act=Act(of=refusal.of or None, name=refusal.act),
        ),
        address=contact.address(channel),
        channel=channel,
        occurred_at=refusal.since,
    )
    assert after is not None
    return after


def _against(records: Records, contact: Contact, key: str, refusals: list[OptOut]) -> list[OptOut]:
    """Those that a YES of this contact does not answer."""
    if contact.consents.get(key, UNSET).on is not ConsentValue.YES:
        return refusals
    consent, made = standing(records, contact, key)
    return [refusal for refusal in refusals if not _answers(consent, made, refusal)]


def is_known(act: str, since: datetime, known: Collection[OptOut]) -> bool:
    """Whether an address has it already, or a newer one that can't be taken back."""
    return any(one.act in ("", act) and one.since >= since for one in known)


def _without_taken_back(
    recorder: Recorder, contact: Contact, channel: Channel, known: list[AddressFacts]
) -> Contact:
    """Whoever comes back to an address may still have a NO there that was taken back meanwhile."""
    key = contact.key(channel) or ""
    if not contact.consents.get(key, UNSET).refused:
        return contact
    left = [refusal for facts in known for refusal in facts.refusals]
    for entry in refusals_of(recorder.records, contact, key):
        act = act_of(entry)
        if act and not is_known(act, entry.occurred_at, left):
            contact = settle(recorder, contact, key, channel, act, reason=_TAKEN_BACK)
    return contact


def _last_key(log: Log, contact: Contact, channel: Channel) -> str | None:
    """The address that was taken from the contact last."""
    field = "phone" if channel is Channel.SMS else "email"
    for entry in history(log, contact.id):
        before, _ = (entry.changes or {}).get(field, (None, None))
        if entry.kind is EntryKind.CONTACT and before:
            return key_of(str(before))
    return None
