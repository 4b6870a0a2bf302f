"""Opt-outs that outlive contacts: they stay with the address, and what was made to a person or
given by a file goes along with the contact (rules.md §2, §6).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from bot.consent.activity import (
    ACT,
    ANOTHERS,
    CARRIED,
    MERGED,
    MERGED_INTO,
    REACHES,
    TAKES_BACK,
    Entry,
    Kind,
    Pair,
    act_of,
    consent_of,
    covers,
    is_own,
    is_refusal,
    of,
    opts_out,
)
from bot.consent.addresses import key_of
from bot.consent.model import (
    UNSET,
    AddressFacts,
    By,
    Channel,
    Consent,
    Contact,
    On,
    Refusal,
)
from bot.consent.replacing import replace
from bot.consent.service.cases.finish import RE_OPT_IN
from bot.consent.service.record import Recorder, history
from bot.consent.service.service import Service
from bot.consent.service.take_over import as_texts, take_over
from bot.consent.store import Records

#: Behind an import's act, where its opt-outs stay and the rest is taken back.
BUT_OPT_OUTS = "/yes"
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
    found = records.facts(key)
    kept = []
    for name, form in service.hashes(key).items():
        facts = records.facts(name)
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
    former = former or _last_key(records, contact, channel)
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
        refusal = Refusal(
            channel=channel, since=entry.occurred_at, reason=CARRIED, act=act, of=contact.id
        )
        contact = bring(system, contact, channel, refusal, others=ANOTHERS)
    return contact


def bring(
    recorder: Recorder, contact: Contact, channel: Channel, refusal: Refusal, *, others: str
) -> Contact:
    """A refusal that comes to the contact's address with them: it reaches everybody who has it,
    with `others` as the reason."""
    contact = _refuse(recorder, contact, channel, refusal)
    refuse_at(
        replace(recorder, stores=True),
        contact.address(channel) or "",
        channel,
        by=By.CONTACT,
        but=contact,
        reason=others,
        occurred_at=refusal.since,
        changes={ACT: (refusal.of or None, refusal.act)},
    )
    return contact


def refusals_of(records: Records, contact: Contact, key: str) -> list[Entry]:
    """The refusals that the contact's entries tell of an address since they agreed there last: the
    newest of each record, of what the contact did, and of what a failed message showed."""
    found: dict[tuple[str, bool], Entry] = {}
    for entry in statements(records, contact, key):
        if entry.after == On.YES and entry.kind is Kind.CONSENT:
            found.clear()
        elif is_refusal(entry):
            kind = act_of(entry), opts_out(entry)
            found[kind] = max(found.get(kind, entry), entry, key=lambda e: e.occurred_at)
    return [*found.values()]


def was_erased(records: Records, id: str) -> bool:
    """Whether this contact was erased: of what was recorded of them, nobody can say any more that
    it was a mistake."""
    contact = records.contact(id)
    return contact is not None and contact.erased


def _carried(entry: Entry) -> bool:
    """It went along with this very contact."""
    return entry.reason == CARRIED


def standing(
    records: Records, contact: Contact, key: str, *, without: Collection[str] = ()
) -> tuple[Consent, str]:
    """The consent that the contact's entries tell at an address, and the id of the entry that made
    it. What was taken back does not count, nor do these acts."""
    consent, made = UNSET, ""
    for entry in statements(records, contact, key, without=without):
        if entry.kind is Kind.NOTE and consent.on is On.NO:
            if entry.by is By.CONTACT and consent.by is not By.CONTACT:
                consent = replace(consent, by=By.CONTACT)
        elif entry.after == On.NO and entry.by is By.STAFF and consent.refused:
            continue
        elif entry.after == On.UNSET:
            consent, made = UNSET, ""
        else:
            consent, made = consent_of(entry), entry.id
    return consent, made


def settle(
    recorder: Recorder, contact: Contact, key: str, channel: Channel, act: str, *, reason: str
) -> Contact:
    """Takes the act back at this address for this contact: the consent is what the other entries
    tell of it, and what others refused there stands."""
    records = recorder.records
    consent, made = standing(records, contact, key, without=(act,))
    left = [r for r in records.facts(key).refusals if not covers(act, r.act)]
    against = [r for r in left if not _answers(consent, made, r)]
    newest = max(against, key=lambda refusal: refusal.since, default=None)
    if newest is not None and not consent.refused:
        consent = Consent(on=On.NO, by=By.CONTACT, since=newest.since, reason=newest.reason)
    before = contact.consents.get(key, UNSET)
    address = next((a for a in contact.addresses if key_of(a) == key), key)
    changes: dict[str, Pair] = {TAKES_BACK: (None, act)}
    same = (before.on, before.by) == (consent.on, consent.by)
    told = any(covers(act, act_of(entry)) for entry in statements(records, contact, key))
    if same and not told and len(left) == len(records.facts(key).refusals):
        return contact
    # It is as old as it was: a refusal that is told late must not find it newer than itself.
    after = recorder.record(
        Kind.NOTE if same else Kind.CONSENT,
        contact,
        address=address,
        channel=channel,
        by=By.STAFF if same else consent.by,
        before=before.on,
        after=before.on if same else consent.on,
        reason=reason,
        evidence=None if same else consent.evidence,
        occurred_at=None if same else consent.since,
        changes=changes,
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
    reached = _reached(records, [id, whose or id], channel, act)
    for key in dict.fromkeys(key for keys in reached.values() for key in keys):
        had = [one for one, keys in reached.items() if key in keys]
        for one in dict.fromkeys([*had, *(holder.id for holder in records.holders(key))]):
            # Read again: the address before may have changed the same contact.
            before = records.contact(one)
            if before is None or before.erased:
                continue
            after = settle(recorder, before, key, channel, act, reason=reason)
            if one != id and after.consent(channel).on is not before.consent(channel).on:
                others[one] = after
        for name in (key, *service.hashes(key)):
            take_from_address(recorder, name, channel, act, reason=reason)
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
    known = recorder.records.facts(address).refusals
    if not any(covers(act, refusal.act) for refusal in known):
        return False
    recorder.record(
        Kind.NOTE,
        recorder.records.contact(teller) if teller else None,
        address=address,
        channel=channel,
        before=On.NO,
        after=On.UNSET,
        reason=reason,
        changes={TAKES_BACK: (None, act)},
    )
    return True


def became(records: Records, id: str) -> Contact | None:
    """The contact that this one became by a merge."""
    for entry in history(records, id):
        if pair := (entry.changes or {}).get(MERGED_INTO):
            return records.contact(str(pair[1])) or became(records, str(pair[1]))
    return None


def _reached(records: Records, ids: list[str], channel: Channel, act: str) -> dict[str, list[str]]:
    """The keys to which the act came with these contacts, and with whom it was recorded of; by
    contact."""
    found: dict[str, list[str]] = {}
    left = [*ids]
    while left:
        one = left.pop()
        if one in found:
            continue
        keys: dict[str, None] = {}
        for entry in history(records, one):
            changes = entry.changes or {}
            others = [changes.get(name, ()) for name in (MERGED, MERGED_INTO, REACHES)]
            left += [str(other) for pair in others for other in pair if other]
            if entry.channel is channel and entry.address and covers(act, act_of(entry)):
                keys[key_of(entry.address)] = None
                left.append(of(entry) or one)
        found[one] = [*keys]
    return found


def refuse_at(
    recorder: Recorder,
    address: str,
    channel: Channel,
    *,
    by: By,
    but: Contact | None = None,
    **entry: object,
) -> list[Contact]:
    """A `no` that reaches everybody with the address, but one: whom it is news for."""
    reached = []
    for holder in recorder.records.holders(key_of(address)):
        if but is not None and holder.id == but.id:
            continue
        consent = holder.consent(channel)
        again = consent.on is On.NO and consent.by in (By.CONTACT, by)
        recorder.record(
            Kind.NOTE if again else Kind.CONSENT,
            holder,
            address=holder.address(channel),
            channel=channel,
            by=by,
            before=consent.on,
            after=On.NO,
            **entry,  # type: ignore[arg-type]
        )
        if not again:
            reached.append(holder)
    return reached


def _refuse(recorder: Recorder, contact: Contact, channel: Channel, refusal: Refusal) -> Contact:
    current = contact.consent(channel)
    after = recorder.record(
        Kind.NOTE if current.refused else Kind.CONSENT,
        contact,
        address=contact.address(channel),
        channel=channel,
        by=By.CONTACT,
        before=current.on,
        after=On.NO,
        reason=refusal.reason or "Refused before this contact was added",
        occurred_at=refusal.since,
        changes={ACT: (refusal.of or None, refusal.act)},
    )
    assert after is not None
    return after


def _against(
    records: Records, contact: Contact, key: str, refusals: list[Refusal]
) -> list[Refusal]:
    """Those that a YES of this contact does not answer."""
    if contact.consents.get(key, UNSET).on is not On.YES:
        return refusals
    consent, made = standing(records, contact, key)
    return [refusal for refusal in refusals if not _answers(consent, made, refusal)]


def is_known(act: str, since: datetime, known: Collection[Refusal]) -> bool:
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


def _answers(consent: Consent, made: str, refusal: Refusal) -> bool:
    """Whether this YES was given knowing of that refusal, by a completed case; or by evidence that
    is newer than what a file says."""
    if consent.on is not On.YES:
        return False
    proof = consent.evidence.at if consent.evidence else None
    newer = proof is not None and proof > refusal.since
    by_case = (consent.reason or "").startswith(RE_OPT_IN)
    return (by_case and made > refusal.entry) or (refusal.act.startswith("import:") and newer)


def statements(
    records: Records, contact: Contact, key: str, *, without: Collection[str] = ()
) -> Iterator[Entry]:
    """The contact's entries about the consent at an address, the oldest first, without those that
    were taken back."""
    told = [
        entry
        for entry in history(records, contact.id)
        if entry.kind in (Kind.CONSENT, Kind.NOTE)
        and entry.address
        and key_of(entry.address) == key
    ]
    taken = {str(back[1]) for entry in told if (back := (entry.changes or {}).get(TAKES_BACK))}
    taken.update(without)
    for act in {entry.actor for entry in told if entry.actor.startswith("import:")}:
        file = records.import_(act.removeprefix("import:"))
        if file is not None and file.undone_at is not None:
            taken.add(f"{act}{BUT_OPT_OUTS}")
    for entry in reversed(told):
        act = act_of(entry)
        if TAKES_BACK in (entry.changes or {}) or any(covers(one, act) for one in taken):
            continue
        if entry.after != On.NO and f"{entry.actor}{BUT_OPT_OUTS}" in taken:
            continue
        # A note of a refusal that an older file gave tells nothing of a consent that is newer.
        if entry.kind is Kind.CONSENT or (entry.before, entry.after) == (On.NO, On.NO):
            yield entry


def _last_key(records: Records, contact: Contact, channel: Channel) -> str | None:
    """The address that was taken from the contact last."""
    field = "phone" if channel is Channel.SMS else "email"
    for entry in history(records, contact.id):
        before, _ = (entry.changes or {}).get(field, (None, None))
        if entry.kind is Kind.CONTACT and before:
            return key_of(str(before))
    return None
