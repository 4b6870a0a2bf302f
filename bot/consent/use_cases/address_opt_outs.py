"""Opt-outs that outlive contacts: they stay with the address, and what was made to a person or
given by a file goes along with the contact (rules.md §2, §6).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from bot.consent.addresses import WHATSAPP, key_of
from bot.consent.frozen import replace
from bot.consent.log.entries import (
    ACT,
    CARRIED,
    TAKES_BACK,
    Entry,
    EntryKind,
    Pair,
    act_of,
    consent_of,
    covers,
    is_own,
    is_refusal,
)
from bot.consent.model import (
    UNSET,
    AddressFacts,
    BlockState,
    Bounce,
    Channel,
    Consent,
    ConsentValue,
    Contact,
    Hold,
    OptOut,
    Origin,
)
from bot.consent.store import Records
from bot.consent.use_cases.cases.complete import RE_OPT_IN
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.record import Recorder, history, told_block

#: Behind an import's act, where its opt-outs stay and the rest is taken back.
BUT_OPT_OUTS = "/yes"
_SYSTEM = "system"
_ANOTHERS = "Another contact with this address had refused at a former address"


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
            kept.append(_as_texts(facts, form))
    if not kept and not found.refusals:
        return contact
    system = replace(recorder, actor=actor)
    refusals = [*found.refusals, *(refusal for facts in kept for refusal in facts.refusals)]
    newest = max(refusals, key=lambda refusal: refusal.since, default=None)
    if newest is not None and _stands_against(records, contact, key, newest):
        # Only what went along with this very contact goes along with them again.
        reason = _ANOTHERS if newest.reason == CARRIED else newest.reason
        contact = _refuse(system, contact, channel, replace(newest, reason=reason))
    # What the contact did there stands, too, when a record that is newer is taken back.
    done = max((r for r in refusals if not r.act), key=lambda r: r.since, default=None)
    hidden = done is not None and done is not newest and done not in found.refusals
    if hidden and done and contact.consents.get(key, UNSET).refused:
        contact = _refuse(system, contact, channel, done)
    for facts in kept:
        contact = _take_over(system, contact, channel, facts)
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
        refusal = OptOut(channel=channel, since=entry.occurred_at, reason=CARRIED, act=act)
        contact = _refuse(system, contact, channel, refusal)
        refuse_at(
            replace(system, stores=True),
            contact.address(channel) or "",
            channel,
            by=Origin.CONTACT,
            but=contact,
            reason=_ANOTHERS,
            occurred_at=refusal.since,
            changes={ACT: (None, refusal.act)},
        )
    return contact


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
        if entry.kind is EntryKind.NOTE and consent.on is ConsentValue.NO:
            if entry.by is Origin.CONTACT and consent.by is not Origin.CONTACT:
                consent = replace(consent, by=Origin.CONTACT)
        elif entry.after == ConsentValue.NO and entry.by is Origin.STAFF and consent.refused:
            continue
        elif entry.after == ConsentValue.UNSET:
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
    newest = max(left, key=lambda refusal: refusal.since, default=None)
    if newest is not None and not consent.refused and not _answers(consent, made, newest):
        consent = Consent(
            on=ConsentValue.NO, by=Origin.CONTACT, since=newest.since, reason=newest.reason
        )
    before = contact.consents.get(key, UNSET)
    address = next((a for a in contact.addresses if key_of(a) == key), key)
    changes: dict[str, Pair] = {TAKES_BACK: (None, act)}
    same = (before.on, before.by) == (consent.on, consent.by)
    if same and len(left) == len(records.facts(key).refusals):
        return contact
    # It is as old as it was: a refusal that is told late must not find it newer than itself.
    after = recorder.record(
        EntryKind.NOTE if same else EntryKind.CONSENT,
        contact,
        address=address,
        channel=channel,
        by=Origin.STAFF if same else consent.by,
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
    recorder: Recorder, contact: Contact, channel: Channel, act: str, *, reason: str
) -> list[Contact]:
    """Takes the act back at every address where it reached this contact, for everybody who has it;
    those others for whom something is different now."""
    records = recorder.records
    present = contact.key(channel)
    email = channel is Channel.EMAIL
    keys = [key for key in contact.consents if ("@" in key) is email]
    others: dict[str, Contact] = {}
    for key in dict.fromkeys([*([present] if present else []), *keys]):
        for one in {c.id: c for c in (contact, *records.contacts_at(key))}.values():
            # Read again: the address before may have changed the same contact.
            before = records.contact(one.id)
            if before is None or before.erased:
                continue
            after = settle(recorder, before, key, channel, act, reason=reason)
            if one.id != contact.id and after.consent(channel).on is not before.consent(channel).on:
                others[one.id] = after
    return list(others.values())


def refuse_at(
    recorder: Recorder,
    address: str,
    channel: Channel,
    *,
    by: Origin,
    but: Contact | None = None,
    **entry: object,
) -> list[Contact]:
    """A `no` that reaches everybody with the address, but one: whom it is news for."""
    reached = []
    for holder in recorder.records.contacts_at(key_of(address)):
        if but is not None and holder.id == but.id:
            continue
        consent = holder.consent(channel)
        again = consent.on is ConsentValue.NO and consent.by in (Origin.CONTACT, by)
        recorder.record(
            EntryKind.NOTE if again else EntryKind.CONSENT,
            holder,
            address=holder.address(channel),
            channel=channel,
            by=by,
            before=consent.on,
            after=ConsentValue.NO,
            **entry,  # type: ignore[arg-type]
        )
        if not again:
            reached.append(holder)
    return reached


def _refuse(recorder: Recorder, contact: Contact, channel: Channel, refusal: OptOut) -> Contact:
    current = contact.consent(channel)
    after = recorder.record(
        EntryKind.NOTE if current.refused else EntryKind.CONSENT,
        contact,
        address=contact.address(channel),
        channel=channel,
        by=Origin.CONTACT,
        before=current.on,
        after=ConsentValue.NO,
        reason=refusal.reason or "Refused before this contact was added",
        occurred_at=refusal.since,
        changes={ACT: (None, refusal.act)},
    )
    assert after is not None
    return after


def _stands_against(records: Records, contact: Contact, key: str, refusal: OptOut) -> bool:
    current = contact.consents.get(key, UNSET)
    if current.refused:
        return False
    if current.on is not ConsentValue.YES:
        return True
    return not _answers(*standing(records, contact, key), refusal)


def _answers(consent: Consent, made: str, refusal: OptOut) -> bool:
    """Whether this YES was given knowing of that refusal, by a completed case; or by evidence that
    is newer than what a file says."""
    if consent.on is not ConsentValue.YES:
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
        if entry.kind in (EntryKind.CONSENT, EntryKind.NOTE)
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
        if entry.after != ConsentValue.NO and f"{entry.actor}{BUT_OPT_OUTS}" in taken:
            continue
        # A note of a refusal that an older file gave tells nothing of a consent that is newer.
        if entry.kind is EntryKind.CONSENT or (entry.before, entry.after) == (
            ConsentValue.NO,
            ConsentValue.NO,
        ):
            yield entry


def _last_key(records: Records, contact: Contact, channel: Channel) -> str | None:
    """The address that was taken from the contact last."""
    field = "phone" if channel is Channel.SMS else "email"
    for entry in history(records, contact.id):
        before, _ = (entry.changes or {}).get(field, (None, None))
        if entry.kind is EntryKind.CONTACT and before:
            return key_of(str(before))
    return None


def _take_over(
    recorder: Recorder, contact: Contact, channel: Channel, kept: AddressFacts
) -> Contact:
    """Blocks, a bounce and a hold that were kept under the hash of the address."""
    records = recorder.records
    key, address = contact.key(channel) or "", contact.address(channel)

    def say(kind: EntryKind, **entry: object) -> None:
        nonlocal contact
        after = recorder.record(kind, contact, address=address, channel=channel, **entry)  # type: ignore[arg-type]
        assert after is not None
        contact = after

    for name in {**kept.blocks, **kept.cleared}:
        state, since = kept.block(name)
        known, known_since = records.facts(key).block(name)
        if state is BlockState.UNKNOWN and known is BlockState.BLOCKED:
            state = known
        # The newest act counts, and ties go to the block (rules.md §8.5).
        tie = since == known_since and known is BlockState.NONE is not state
        removed = records.facts(key).removed.get(name)
        gone = removed is not None and since is not None and removed >= since
        if since and not gone and (known_since is None or since > known_since or tie):
            say(
                EntryKind.BLOCK,
                sender=name,
                before=known,
                after=state,
                reason="Known before this contact was added",
                occurred_at=since,
                **told_block(kept.blocks.get(name)),
            )
    proved = records.facts(key).proved_at
    ended = proved is not None and kept.bounced_at is not None and proved >= kept.bounced_at
    if kept.bounce is not Bounce.NO and records.facts(key).bounce is Bounce.NO and not ended:
        say(
            EntryKind.BOUNCE,
            before=Bounce.NO,
            after=kept.bounce,
            by=Origin.CONTACT if kept.complaint else None,
            reason=kept.bounce_reason,
            occurred_at=kept.bounced_at,
        )
    for failed in kept.soft_failures:
        facts = records.facts(key)
        if facts.bounce is Bounce.NO:
            count = len(facts.soft_failures)
            soft: dict[str, Pair] = {"soft": (str(count), str(count + 1))}
            same = facts.bounce
            say(EntryKind.BOUNCE, before=same, after=same, occurred_at=failed, changes=soft)
    if kept.bounce is not Bounce.NO or kept.soft_failures:
        # From now on the address tells it: what a delivery ends there must not come back.
        recorder.record(
            EntryKind.BOUNCE,
            None,
            address=kept.address,
            channel=channel,
            before=kept.bounce,
            after=Bounce.NO,
        )
    if kept.hold and not records.facts(key).hold:
        if records.facts(kept.address).hold:
            recorder.record(
                EntryKind.HOLD,
                None,
                address=kept.address,
                channel=channel,
                before="held",
                after="released",
            )
        say(EntryKind.HOLD, after="held", reason=kept.hold.text, occurred_at=kept.hold.since)
    return contact


def _as_texts(facts: AddressFacts, form: str) -> AddressFacts:
    """What an earlier version kept of a WhatsApp address: no word about texts, and so for a person
    to read (rules.md §2a)."""
    if not form.startswith(WHATSAPP):
        return facts
    newest = facts.refusal
    hold = Hold(since=newest.since, text=newest.reason) if newest else facts.hold
    return AddressFacts(address=facts.address, hold=hold)
