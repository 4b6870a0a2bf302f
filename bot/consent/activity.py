"""The Activity Log: what an entry is, what it does to the state, and the chain that seals it.

State is the fold of the log (rules.md §8.9): `apply` is the only way in which a contact or an
address changes, live and in replay. Each entry carries the hash of the one before, so that nothing
can be changed, dropped or slipped in unseen. Personal text is hashed with a salt of its own:
erasing both leaves the chain whole (reliability.md §5.5).
"""

from __future__ import annotations

import hashlib
from _json import make_encoder
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from json.encoder import JSONEncoder, encode_basestring

from bot.consent.addresses import key_of
from bot.consent.model import (
    AddressFacts,
    Block,
    BlockState,
    Bounce,
    By,
    Channel,
    Consent,
    Contact,
    Deliverability,
    Evidence,
    Hold,
    Line,
    Mark,
    On,
    Refusal,
)
from bot.consent.replacing import replace

#: What stands before the first entry.
GENESIS = "0" * 64

#: What an entry has in `changes` beside fields of a contact. The record that it belongs to
#: (`act_of`), behind the contact of whom that was recorded (`of`); the record that it takes back;
#: the number of a messaging service that the contact texted.
ACT, TAKES_BACK, NUMBER = "act", "takes_back", "number"
#: Of a contact: the id of another one that became one with this one, and of the one that it
#: became; and of one who has what was recorded of this contact by a merge.
MERGED, MERGED_INTO, REACHES = "merged", "merged_into", "reaches"
#: The reason of what went along with a contact to another address.
CARRIED = "Refused at an earlier address"
#: … and of what reached others at that address from them.
ANOTHERS = "Another contact with this address had refused at a former address"
#: Between an import and its row, in an act; and how an import's begins.
ROW, _IMPORT = "#", "import:"
#: Reasons of what puts a consent back to what it was.
UNDO_SLIP, UNDO_IMPORT = "Undo of one's own change", "Undo of an import"
UNDOS = frozenset({UNDO_SLIP, UNDO_IMPORT})
#: How the reason ends where a person read a reply: it is the contact's word, not theirs.
READ_AS_OPT_OUT = " was read as an opt-out"

#: A field of a contact before and after; text, or a flag.
Pair = tuple[str | bool | None, str | bool | None]


class Kind(StrEnum):
    """What an entry tells (contract.md, `optin activity --json`)."""

    CONSENT = "consent"
    BLOCK = "block"
    BOUNCE = "bounce"
    EXPECTED_ERROR = "expected_error"
    HOLD = "hold"
    CASE = "case"
    CONTACT = "contact"
    IMPORT = "import"
    NOTE = "note"
    ERASED = "erased"


#: Entries of these kinds change a contact or an address; the others only tell. But a note of a
#: second STOP makes a block as new as it is.
CHANGING = frozenset({Kind.CONSENT, Kind.BLOCK, Kind.BOUNCE, Kind.HOLD, Kind.CONTACT, Kind.ERASED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the Activity Log."""

    id: str
    kind: Kind
    occurred_at: datetime
    recorded_at: datetime
    #: `slack:U…`, `cli:<user>`, `contact`, `provider:<name>`, `import:<id>` or `system`.
    actor: str
    #: `slack`, `cli`, `import`, `provider:<name>` or `sandbox`.
    source: str
    contact: str | None = None
    #: The contact's version after this entry; 0 where there is no contact.
    version: int = 0
    channel: Channel | None = None
    #: Our sender that a block is about, or a STOP that blocks; or the e-mail provider whose
    #: suppression list it is.
    sender: str | None = None
    by: By | None = None
    #: In the words of `on` and `bounce`; for a contact: "", "added", "changed" or "removed".
    before: str = ""
    after: str = ""
    expected: bool = False
    provider_id: str | None = None

    # Personal: erased together with the salt.
    address: str | None = None
    reason: str | None = None
    evidence: Evidence | None = None
    #: For a contact: each field that changed, before and after.
    changes: Mapping[str, Pair] | None = None
    salt: str = ""

    # The seal, set by the store when the entry is taken in.
    #: Counts from 1 without a gap.
    seq: int = 0
    digest: str = ""
    hash: str = ""

    @property
    def redacted(self) -> bool:
        """Its personal part was erased."""
        return self.seq > 0 and not self.salt


def seal(entry: Entry, *, seq: int, previous: str, salt: str) -> Entry:
    """The entry with its place in the chain.

    `previous` is the hash of the entry before (`GENESIS` for the first), `salt` 32 random
    hexadecimal digits.
    """
    digest = _digest(entry, salt)
    hash = _hash(entry, seq, digest, previous)
    return replace(entry, seq=seq, salt=salt, digest=digest, hash=hash)


def holds(entry: Entry, previous: str) -> bool:
    """Whether the entry is as it was sealed, and follows the one whose hash is `previous`.

    A redacted entry has no personal part left to check; that it may be redacted is for the caller
    to see (its contact was erased).
    """
    if not entry.redacted and _digest(entry, entry.salt) != entry.digest:
        return False
    if entry.redacted and (entry.address or entry.reason or entry.evidence or entry.changes):
        return False
    return _hash(entry, entry.seq, entry.digest, previous) == entry.hash


def redact(entry: Entry) -> Entry:
    """The entry without its personal part; its hash still holds."""
    return replace(entry, address=None, reason=None, evidence=None, changes=None, salt="")


def apply(
    entry: Entry, contact: Contact | None, facts: AddressFacts | None
) -> tuple[Contact | None, AddressFacts | None]:
    """The contact and the address after the entry: live and in replay.

    `facts` are those of `entry.address`, or None where the entry has no address or leaves what is
    known of it alone (`tells_of_address`). A removed contact is None.
    """
    if entry.redacted:
        return contact, facts
    if facts is not None and entry.kind in (Kind.CONSENT, Kind.NOTE):
        facts = _told(entry, facts)
    if entry.kind not in CHANGING:
        return contact, facts
    match entry.kind:
        case Kind.CONTACT:
            return _apply_contact(entry, contact), facts
        case Kind.ERASED:
            return _erased(entry), facts
        case Kind.CONSENT if entry.contact is not None:
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
    if entry.after == On.UNSET:
        return Consent()
    return Consent(
        on=On(entry.after),
        by=entry.by,
        since=entry.occurred_at,
        actor=entry.actor,
        reason=entry.reason,
        evidence=entry.evidence,
        reached=not is_own(entry) and entry.reason != CARRIED,
    )


def _apply_to_address(entry: Entry, facts: AddressFacts) -> AddressFacts:
    match entry.kind:
        case Kind.BOUNCE:
            return _bounced(entry, facts)
        case Kind.BLOCK:
            assert entry.sender is not None
            blocks = dict(facts.blocks)
            state = BlockState(entry.after)
            if state is not BlockState.NONE:
                blocks[entry.sender] = _block(entry, state, blocks.get(entry.sender))
                return replace(facts, blocks=blocks)
            gone = blocks.pop(entry.sender, None)
            if entry.by is By.STAFF:
                # What a person says of a provider's list is no event of that list: one that is
                # told later counts, whatever its time.
                since = gone.since if gone else entry.occurred_at
                return replace(facts, blocks=blocks, removed={**facts.removed, entry.sender: since})
            cleared = {**facts.cleared, entry.sender: entry.occurred_at}
            return replace(facts, blocks=blocks, cleared=cleared)
        case Kind.HOLD:
            held = Hold(since=entry.occurred_at, text=entry.reason or "")
            return replace(facts, hold=held if entry.after == "held" else None)
    return facts


def _bounced(entry: Entry, facts: AddressFacts) -> AddressFacts:
    known = facts.deliverability
    taken, act = (entry.changes or {}).get(TAKES_BACK), act_of(entry)
    if taken:
        marks = tuple(mark for mark in facts.marks if not covers(str(taken[1]), mark.act))
        return replace(facts, marks=marks) if marks or not facts.marks else _stands(facts, known)
    if entry.after == Bounce.YES and act.startswith(_IMPORT):
        if any(mark.act == act for mark in facts.marks):
            return facts  # Each contact with the address has this entry.
        marked = replace(facts, marks=(*facts.marks, Mark(act=act, of=of(entry))), beneath=known)
        if facts.marks:
            return marked
        since, reason = entry.occurred_at, entry.reason
        bounced = Deliverability(bounce=Bounce.YES, bounced_at=since, bounce_reason=reason)
        return _put(marked, bounced)
    soft = (entry.changes or {}).get("soft")
    if soft is not None and entry.before == entry.after:
        count = int(str(soft[1]))
        failed = replace(known, soft_failures=_counted(entry, known.soft_failures, count))
        if count < int(str(soft[0])):
            facts = replace(facts, arrived_at=entry.occurred_at)
        return replace(facts, beneath=failed) if facts.marks else _put(facts, failed)
    bounce = Bounce(entry.after)
    bounced = Deliverability(
        bounce=bounce,
        bounced_at=entry.occurred_at if bounce is not Bounce.NO else None,
        bounce_reason=entry.reason if bounce is Bounce.YES else None,
        # A bounce that the contact caused is a complaint (rules.md §4).
        complaint=bounce is Bounce.YES and entry.by is By.CONTACT,
    )
    facts = replace(facts, proved_at=_proved(entry, facts))
    if not facts.marks or bounce is not Bounce.YES:
        return _stands(facts, bounced)
    since = max(entry.occurred_at, facts.bounced_at or entry.occurred_at)
    return _put(replace(facts, beneath=bounced), replace(bounced, bounced_at=since))


def _stands(facts: AddressFacts, known: Deliverability) -> AddressFacts:
    """Nothing that a file says counts any more."""
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


def is_refusal(entry: Entry) -> bool:
    """Whether the entry tells that the contact refused, for the first time or again."""
    told = entry.kind is Kind.CONSENT or entry.kind is Kind.NOTE
    return told and entry.after == On.NO and entry.by in (By.CONTACT, By.IMPORT)


def tells_of_address(entry: Entry) -> bool:
    """Whether the entry may change what is known of its address."""
    if entry.address is None:
        return False
    return entry.kind is not Kind.CONSENT or entry.contact is None or _tells(entry)


def opts_out(entry: Entry) -> bool:
    """Whether the entry tells of an opt-out that stays with the address. What a carrier says when a
    message fails is a block, and no word of the contact's (rules.md §2)."""
    return is_refusal(entry) and not entry.actor.startswith("provider:")


def act_of(entry: Entry) -> str:
    """What recorded this, as far as it can be taken back as one: a row of an import, or the entry
    of what a person did. Empty for what the contact did: a STOP, an unsubscribe, a reply that
    somebody read."""
    told = (entry.changes or {}).get(ACT)
    if told is not None:
        return str(told[1] or "")
    if TAKES_BACK in (entry.changes or {}):
        return ""
    kind = entry.actor.partition(":")[0]
    if entry.actor.startswith(_IMPORT):
        return f"{entry.actor}{ROW}{entry.id}"
    if kind in ("slack", "cli") and not (entry.reason or "").endswith(READ_AS_OPT_OUT):
        return entry.id
    return ""


def covers(taken: str, act: str) -> bool:
    """Whether this act goes with what is taken back: itself, or the whole file that it was in."""
    return bool(act) and (act == taken or act.startswith(f"{taken}{ROW}"))


def of(entry: Entry) -> str:
    """The id of the contact of whom this was recorded; empty where nobody knows."""
    told = (entry.changes or {}).get(ACT)
    return (str(told[0] or "") if told is not None else entry.contact) or ""


def is_own(entry: Entry) -> bool:
    """Whether it was recorded of this very contact, and did not reach them from another one with
    the same address."""
    return of(entry) == (entry.contact or "")


def _tells(entry: Entry) -> bool:
    return opts_out(entry) or TAKES_BACK in (entry.changes or {}) or entry.reason in UNDOS


def _told(entry: Entry, facts: AddressFacts) -> AddressFacts:
    """An opt-out stays with its address, and what was recorded by mistake goes from it. A STOP
    upon a STOP is a note, and the block that stands is as new as the latest of them."""
    taken = (entry.changes or {}).get(TAKES_BACK)
    # What is left when a record was taken back is no opt-out of its own.
    if opts_out(entry) and not taken:
        facts = replace(_renewed(entry, facts), refusals=_refusals(entry, facts.refusals))
    if taken or (entry.reason in UNDOS and entry.before == On.NO):
        left = tuple(r for r in facts.refusals if not _takes_back(entry, taken, r))
        facts = replace(facts, refusals=left)
    return facts


def _takes_back(entry: Entry, taken: Pair | None, refusal: Refusal) -> bool:
    if taken:
        return covers(str(taken[1]), refusal.act)
    # Versions before 0.2 did not say what they took back: an import, or one's own record.
    return bool(refusal.act) and refusal.act.startswith("import:") is (entry.reason == UNDO_IMPORT)


def _refusals(entry: Entry, known: tuple[Refusal, ...]) -> tuple[Refusal, ...]:
    """One for each record that can be taken back, and the newest of what can't be: what is older
    than that one changes nothing any more, but for the first file that had the address."""
    assert entry.channel is not None
    fresh = Refusal(
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
    number = (entry.changes or {}).get(NUMBER)
    provider = entry.source.removeprefix("provider:") if ":" in entry.source else None
    since = began = entry.occurred_at
    stopped = entry.by is By.CONTACT and not entry.actor.startswith("provider:")
    if standing is not None and standing.state is BlockState.UNKNOWN is not state:
        # Now it is known, and the doubt may be the newer of the two.
        since = max(since, standing.since)
    elif standing is not None and standing.state is state and not stopped:
        began = min(began, standing.began)
    return Block(
        state=state,
        since=since,
        first=began if began < since else None,
        number=str(number[1]) if number else standing.number if standing else None,
        provider=provider or (standing.provider if standing else None),
        stopped=stopped,
    )


def _proved(entry: Entry, facts: AddressFacts) -> datetime | None:
    """When a delivery ended a bounce or a probation: an older bounce that is told late is none."""
    delivered = entry.after == Bounce.NO and entry.source.startswith("provider:")
    return entry.occurred_at if delivered else facts.proved_at


def _renewed(entry: Entry, facts: AddressFacts) -> AddressFacts:
    """The block that stands is as new as the latest STOP."""
    standing = facts.blocks.get(entry.sender or "")
    if standing is None or entry.after != On.NO or standing.since >= entry.occurred_at:
        return facts
    renewed = replace(standing, since=entry.occurred_at, first=None, stopped=True)
    return replace(facts, blocks={**facts.blocks, entry.sender or "": renewed})


def _counted(entry: Entry, failures: tuple[datetime, ...], count: int) -> tuple[datetime, ...]:
    """Soft failures after an entry that says how many there are then. It is there once for each
    contact with the address, and counts once."""
    if count > len(failures):
        return tuple(sorted((*failures, entry.occurred_at)))
    return failures[len(failures) - count :]


def _apply_contact(entry: Entry, contact: Contact | None) -> Contact | None:
    assert entry.contact is not None
    if entry.after == "removed":
        return None
    changes = entry.changes or {}
    # Who became one with this contact is no field of it.
    changed: dict[str, object] = {n: after for n, (_, after) in changes.items() if n != MERGED}
    if "line" in changed:
        line = changed["line"]
        changed["line"] = Line(line) if isinstance(line, str) else None
    changed["version"] = entry.version
    # The names are Contact's own.
    if contact is None:
        return Contact(id=entry.contact, created_at=entry.recorded_at, **changed)  # type: ignore[arg-type]
    return replace(contact, **changed)


def _erased(entry: Entry) -> Contact:
    assert entry.contact is not None
    return Contact(id=entry.contact, version=entry.version, erased=True)


def _digest(entry: Entry, salt: str) -> str:
    evidence = entry.evidence
    return _sha256(
        (
            salt,
            entry.address,
            entry.reason,
            evidence.text if evidence else None,
            _instant(evidence.at) if evidence and evidence.at else None,
            sorted(entry.changes.items()) if entry.changes else [],
        )
    )


def _hash(entry: Entry, seq: int, digest: str, previous: str) -> str:
    """The canonical bytes, pinned by a test: any other order would break all history."""
    return _sha256(
        (
            previous,
            seq,
            entry.id,
            entry.kind,
            _instant(entry.occurred_at),
            _instant(entry.recorded_at),
            entry.actor,
            entry.source,
            entry.contact,
            entry.version,
            entry.channel,
            entry.sender,
            entry.by,
            entry.before,
            entry.after,
            entry.expected,
            entry.provider_id,
            digest,
        )
    )


@lru_cache(maxsize=64)
def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


#: What `json.dumps(…, ensure_ascii=False, separators=(",", ":"))` makes anew at each call, which
#: costs more than the encoding itself.
_encode = make_encoder(
    None, JSONEncoder().default, encode_basestring, None, ":", ",", False, False, False
)


def _sha256(values: Sequence[object]) -> str:
    canonical = "".join(_encode(values, 0))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()
