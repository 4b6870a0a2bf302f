"""Apply an entry to the state.

State is the fold of the log (rules.md §8.9): `apply` is the only way in which a contact or an
address changes, live and in replay.
"""

from __future__ import annotations

from datetime import datetime

from bot.consent.addresses import key_of
from bot.consent.frozen import replace
from bot.consent.log.entries import (
    _IMPORT,
    CARRIED,
    CHANGING,
    LEAVING,
    MERGED,
    NUMBER,
    SOFT,
    TAKES_BACK,
    UNDO_IMPORT,
    UNDOS,
    Entry,
    EntryKind,
    Pair,
    act_of,
    covers,
    is_own,
    of,
    opts_out,
)
from bot.consent.model import (
    AddressFacts,
    Block,
    BlockState,
    Bounce,
    Consent,
    ConsentValue,
    Contact,
    Deliverability,
    Hold,
    LineType,
    Mark,
    OptOut,
    Origin,
)


def apply(
    entry: Entry, contact: Contact | None, facts: AddressFacts | None
) -> tuple[Contact | None, AddressFacts | None]:
    """The contact and the facts of the address after the entry.

    `facts` are those of `entry.address`. They are None if the entry has no address or can't change
    its facts (`tells_of_address`). The contact is None if the entry removes it.
    """
    if entry.redacted:
        return contact, facts
    if facts is not None and entry.kind in (EntryKind.CONSENT, EntryKind.NOTE):
        facts = _with_opt_outs(entry, facts)
    if entry.kind not in CHANGING:
        return contact, facts
    match entry.kind:
        case EntryKind.CONTACT:
            return _apply_contact(entry, contact), facts
        case EntryKind.ERASED:
            return _erased(entry), facts
        case EntryKind.CONSENT if entry.contact is not None:
            assert contact is not None
            assert entry.address is not None
            consents = {**contact.consents, key_of(entry.address): consent_of(entry)}
            return replace(contact, version=entry.version, consents=consents), facts
    if contact is not None:
        contact = replace(contact, version=entry.version)
    assert facts is not None
    return contact, _apply_to_address(entry, facts)


def consent_of(entry: Entry) -> Consent:
    """The consent that an entry makes."""
    if entry.after == ConsentValue.UNSET:
        return Consent()
    return Consent(
        on=ConsentValue(entry.after),
        by=entry.by,
        since=entry.occurred_at,
        actor=entry.actor,
        reason=entry.reason,
        evidence=entry.evidence,
        reached=not is_own(entry) and entry.reason != CARRIED,
    )


def _apply_to_address(entry: Entry, facts: AddressFacts) -> AddressFacts:
    match entry.kind:
        case EntryKind.BOUNCE:
            return _bounced(entry, facts)
        case EntryKind.BLOCK:
            assert entry.sender is not None
            blocks = dict(facts.blocks)
            state = BlockState(entry.after)
            if state is not BlockState.NONE:
                blocks[entry.sender] = _block(entry, state, blocks.get(entry.sender))
                return replace(facts, blocks=blocks)
            gone = blocks.pop(entry.sender, None)
            if entry.by is Origin.STAFF:
                # A person's statement about a provider's list is not an event of that list. An
                # event that arrives later counts, even if it is older.
                since = gone.since if gone else entry.occurred_at
                return replace(facts, blocks=blocks, removed={**facts.removed, entry.sender: since})
            cleared = {**facts.cleared, entry.sender: entry.occurred_at}
            return replace(facts, blocks=blocks, cleared=cleared)
        case EntryKind.HOLD:
            held = Hold(since=entry.occurred_at, text=entry.reason or "")
            return replace(facts, hold=held if entry.after == "held" else None)
    return facts


def _bounced(entry: Entry, facts: AddressFacts) -> AddressFacts:
    known = facts.deliverability
    taken, act = (entry.changes or {}).get(TAKES_BACK), act_of(entry)
    if taken:
        marks = tuple(mark for mark in facts.marks if not covers(str(taken[1]), mark.act))
        return replace(facts, marks=marks) if marks or not facts.marks else _unmarked(facts, known)
    if entry.after == Bounce.YES and act.startswith(_IMPORT):
        if any(mark.act == act for mark in facts.marks):
            return facts  # Each contact with the address has such an entry; it counts once.
        marked = replace(facts, marks=(*facts.marks, Mark(act=act, of=of(entry))), beneath=known)
        complaint = entry.by is Origin.CONTACT
        if facts.marks:
            return replace(marked, complaint=facts.complaint or complaint)
        since, reason = entry.occurred_at, entry.reason
        bounced = Deliverability(
            bounce=Bounce.YES, bounced_at=since, bounce_reason=reason, complaint=complaint
        )
        return _put(marked, bounced)
    soft = (entry.changes or {}).get(SOFT)
    if soft is not None and entry.before == entry.after:
        count = int(str(soft[1]))
        failed = replace(known, soft_failures=_counted(entry, known.soft_failures, count))
        if count < int(str(soft[0])):
            facts = replace(facts, arrived_at=entry.occurred_at)
        return replace(facts, beneath=failed) if facts.marks else _put(facts, failed)
    return _bounce_changed(entry, facts)


def _bounce_changed(entry: Entry, facts: AddressFacts) -> AddressFacts:
    bounce = Bounce(entry.after)
    bounced = Deliverability(
        bounce=bounce,
        bounced_at=entry.occurred_at if bounce is not Bounce.NO else None,
        bounce_reason=entry.reason if bounce is Bounce.YES else None,
        # A bounce that the contact caused is a complaint (rules.md §4).
        complaint=bounce is Bounce.YES and entry.by is Origin.CONTACT,
    )
    facts = replace(facts, proved_at=_proved(entry, facts))
    if not facts.marks or bounce is not Bounce.YES:
        return _unmarked(facts, bounced)
    since = max(entry.occurred_at, facts.bounced_at or entry.occurred_at)
    return _put(replace(facts, beneath=bounced), replace(bounced, bounced_at=since))


def _unmarked(facts: AddressFacts, known: Deliverability) -> AddressFacts:
    """Facts with this deliverability, and without the bounces that files reported."""
    return _put(replace(facts, marks=(), beneath=None), known)


def _put(facts: AddressFacts, known: Deliverability) -> AddressFacts:
    return replace(
        facts,
        bounce=known.bounce,
        bounced_at=known.bounced_at,
        bounce_reason=known.bounce_reason,
        complaint=known.complaint,
        soft_failures=known.soft_failures,
    )


def _with_opt_outs(entry: Entry, facts: AddressFacts) -> AddressFacts:
    """Facts with the entry's opt-out, or without the opt-outs that the entry takes back. A STOP
    after a STOP is a note, and renews the block."""
    taken = (entry.changes or {}).get(TAKES_BACK)
    # An entry that takes a record back restores an older consent: that is no new opt-out.
    if opts_out(entry) and not taken:
        facts = replace(_renewed(entry, facts), refusals=_refusals(entry, facts.refusals))
    if taken or (entry.reason in UNDOS and entry.before == ConsentValue.NO):
        left = tuple(r for r in facts.refusals if not _takes_back(entry, taken, r))
        facts = replace(facts, refusals=left)
    return facts


def _takes_back(entry: Entry, taken: Pair | None, refusal: OptOut) -> bool:
    if taken:
        return covers(str(taken[1]), refusal.act)
    # Entries of versions before 0.2 do not name the record: an import, or a person's own.
    return bool(refusal.act) and refusal.act.startswith("import:") is (entry.reason == UNDO_IMPORT)


def _refusals(entry: Entry, known: tuple[OptOut, ...]) -> tuple[OptOut, ...]:
    """The opt-outs of an address with the entry's added.

    The newest opt-out that can't be taken back makes older ones irrelevant, so they are dropped.
    Only the first file that had the address stays. Newer ones stay, one for each record that can be
    taken back.
    """
    assert entry.channel is not None
    fresh = OptOut(
        channel=entry.channel,
        since=entry.occurred_at,
        reason=entry.reason or "",
        entry=entry.id,
        act=act_of(entry),
        of=of(entry) if act_of(entry) else "",
    )
    if not known:
        return (fresh,)
    same = next((refusal for refusal in known if refusal.act == fresh.act), None)
    if same is not None and same.since >= fresh.since:
        return known
    newest = max((r.since for r in (*known, fresh) if not r.act), default=None)
    left = [r for r in known if r is not same] + [fresh]
    files = [r for r in left if r.act.startswith("import:")]
    first = min(files, key=lambda refusal: refusal.since, default=None)
    stand = [r for r in left if not r.act or newest is None or r.since > newest or r is first]
    return tuple(sorted(stand, key=lambda refusal: (refusal.since, refusal.entry)))


def _block(entry: Entry, state: BlockState, standing: Block | None) -> Block:
    if leaving := (entry.changes or {}).get(LEAVING):
        # Optin's own plan: the provider told nothing new of the entry.
        known = standing or Block(state=state, since=entry.occurred_at)
        return replace(known, state=state, leaving=bool(leaving[1]))
    number = (entry.changes or {}).get(NUMBER)
    since = began = entry.occurred_at
    stopped = entry.by is Origin.CONTACT and not entry.actor.startswith("provider:")
    if standing is not None and standing.state is BlockState.UNKNOWN is not state:
        # The entry settles an unknown block, which may be newer than the entry.
        since = max(since, standing.since)
    elif standing is not None and standing.state is state and not stopped:
        began = min(began, standing.began)
    return Block(
        state=state,
        since=since,
        first=began if began < since else None,
        number=str(number[1]) if number else standing.number if standing else None,
        providers=_with_provider(entry, standing),
        stopped=stopped,
    )


def _with_provider(entry: Entry, standing: Block | None) -> tuple[str, ...]:
    """All providers that reported the block, including the entry's."""
    known = standing.providers if standing else ()
    kind, _, provider = entry.source.partition(":")
    return (*known, provider) if kind == "provider" and provider not in known else known


def _proved(entry: Entry, facts: AddressFacts) -> datetime | None:
    """When a delivery last ended a bounce or a probation. A late report of an older bounce does
    not count."""
    delivered = entry.after == Bounce.NO and entry.source.startswith("provider:")
    return entry.occurred_at if delivered else facts.proved_at


def _renewed(entry: Entry, facts: AddressFacts) -> AddressFacts:
    """Facts whose block dates from the latest STOP."""
    standing = facts.blocks.get(entry.sender or "")
    if standing is None or entry.after != ConsentValue.NO:
        return facts
    renewed = replace(standing, providers=_with_provider(entry, standing))
    if standing.since < entry.occurred_at:
        renewed = replace(renewed, since=entry.occurred_at, first=None, stopped=True)
    return replace(facts, blocks={**facts.blocks, entry.sender or "": renewed})


def _counted(entry: Entry, failures: tuple[datetime, ...], count: int) -> tuple[datetime, ...]:
    """The soft failures after an entry that states their count. Each contact with the address has
    such an entry, and the stated count keeps the failure from counting twice."""
    if count > len(failures):
        return tuple(sorted((*failures, entry.occurred_at)))
    return failures[len(failures) - count :]


def _apply_contact(entry: Entry, contact: Contact | None) -> Contact | None:
    assert entry.contact is not None
    if entry.after == "removed":
        return None
    changes = entry.changes or {}
    # The id of a merged contact is not a field of this one.
    changed: dict[str, object] = {n: after for n, (_, after) in changes.items() if n != MERGED}
    if "line" in changed:
        line = changed["line"]
        changed["line"] = LineType(line) if isinstance(line, str) else None
    changed["version"] = entry.version
    # The keys are names of Contact's fields, which no type says: hence the ignored one.
    if contact is None:
        return Contact(id=entry.contact, created_at=entry.recorded_at, **changed)  # type: ignore[arg-type]
    return replace(contact, **changed)


def _erased(entry: Entry) -> Contact:
    assert entry.contact is not None
    return Contact(id=entry.contact, version=entry.version, erased=True)
