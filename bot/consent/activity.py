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

from bot.consent.model import (
    AddressFacts,
    Block,
    BlockState,
    Bounce,
    By,
    Channel,
    Consent,
    Contact,
    Evidence,
    Hold,
    Line,
    On,
    Refusal,
)
from bot.consent.replacing import replace

#: What stands before the first entry.
GENESIS = "0" * 64

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

    `facts` are those of `entry.address`, or None where the entry has no address. A removed
    contact is None.
    """
    if entry.redacted:
        return contact, facts
    if entry.kind is Kind.NOTE and facts is not None:
        return contact, _renewed(entry, facts)
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
            consents = {**contact.consents, entry.address: _consent(entry)}
            return replace(contact, version=entry.version, consents=consents), facts
    if contact is not None:
        contact = replace(contact, version=entry.version)
    assert facts is not None
    return contact, _apply_to_address(entry, facts)


def _consent(entry: Entry) -> Consent:
    if entry.after == On.UNSET:
        return Consent()
    return Consent(
        on=On(entry.after),
        by=entry.by,
        since=entry.occurred_at,
        actor=entry.actor,
        reason=entry.reason,
        evidence=entry.evidence,
    )


def _apply_to_address(entry: Entry, facts: AddressFacts) -> AddressFacts:
    match entry.kind:
        case Kind.CONSENT:  # nobody has this address: kept for whoever appears with it
            assert entry.channel is not None
            refusal = Refusal(
                channel=entry.channel, since=entry.occurred_at, reason=entry.reason or ""
            )
            return replace(facts, refusal=refusal if entry.after == On.NO else None)
        case Kind.BOUNCE:
            soft = (entry.changes or {}).get("soft")
            if soft is not None and entry.before == entry.after:
                return replace(facts, soft_failures=_counted(entry, facts, int(str(soft[1]))))
            bounce = Bounce(entry.after)
            bounced = bounce is Bounce.YES
            return replace(
                facts,
                soft_failures=(),
                bounce=bounce,
                bounced_at=entry.occurred_at if bounce is not Bounce.NO else None,
                bounce_reason=entry.reason if bounced else None,
                # A bounce that the contact caused is a complaint (rules.md §4).
                complaint=bounced and entry.by is By.CONTACT,
            )
        case Kind.BLOCK:
            assert entry.sender is not None
            blocks, cleared = dict(facts.blocks), dict(facts.cleared)
            state = BlockState(entry.after)
            if state is BlockState.NONE:
                blocks.pop(entry.sender, None)
                cleared[entry.sender] = entry.occurred_at
            else:
                blocks[entry.sender] = Block(state=state, since=entry.occurred_at)
            return replace(facts, blocks=blocks, cleared=cleared)
        case Kind.HOLD:
            held = Hold(since=entry.occurred_at, text=entry.reason or "")
            return replace(facts, hold=held if entry.after == "held" else None)
    return facts


def _renewed(entry: Entry, facts: AddressFacts) -> AddressFacts:
    """A STOP upon a STOP is a note, and the block that stands is as new as the latest of them."""
    standing = facts.blocks.get(entry.sender or "")
    if standing is None or entry.after != On.NO or standing.since >= entry.occurred_at:
        return facts
    renewed = Block(state=standing.state, since=entry.occurred_at)
    return replace(facts, blocks={**facts.blocks, entry.sender or "": renewed})


def _counted(entry: Entry, facts: AddressFacts, count: int) -> tuple[datetime, ...]:
    """Soft failures after an entry that says how many there are then. It is there once for each
    contact with the address, and counts once."""
    failures = facts.soft_failures
    if count > len(failures):
        return tuple(sorted((*failures, entry.occurred_at)))
    return failures[len(failures) - count :]


def _apply_contact(entry: Entry, contact: Contact | None) -> Contact | None:
    assert entry.contact is not None
    if entry.after == "removed":
        return None
    changed: dict[str, object] = {name: after for name, (_, after) in (entry.changes or {}).items()}
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
