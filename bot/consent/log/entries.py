"""An entry of the Activity Log: its fields, and what it tells of an opt-out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.consent.frozen import quick
from bot.consent.model import (
    Channel,
    ConsentValue,
    Evidence,
    Origin,
)

#: What an entry has in `changes` beside fields of a contact. The record that it belongs to
#: (`act_of`), behind the contact of whom that was recorded (`of`); the record that it takes back;
#: the number of a messaging service that the contact texted; how many soft failures there were;
#: whether Optin takes the address off the provider's list.
ACT, TAKES_BACK, NUMBER, SOFT, LEAVING = "act", "takes_back", "number", "soft", "leaving"
#: Of a contact: the id of another one that became one with this one, and of the one that it
#: became; and of one who has what was recorded of this contact by a merge.
MERGED, MERGED_INTO, REACHES = "merged", "merged_into", "reaches"
#: Of a note that an evidence pack was made: the SHA-256 of its manifest.
PACK_MANIFEST = "evidence_manifest"
#: Of a note that somebody tried to decide a case and was refused: the case.
REFUSED_TRY = "refused_try"
#: Of a note that a person accepted that the log lost its end: the number and the hash of the newest
#: entry that was remembered, the first entry that is certainly lost, up to which entry the log
#: agreed with what was remembered, and the hashes of lost heads whose time is after the note.
ROLLBACK_LOST, ROLLBACK_FIRST = "rollback_lost", "rollback_first"
ROLLBACK_KEPT, ROLLBACK_LATE = "rollback_kept", "rollback_late"
#: The reason of what went along with a contact to another address.
CARRIED = "Refused at an earlier address"
#: … and of what reached others at that address from them.
ANOTHERS = "Another contact with this address had refused at a former address"
#: Between an import and its row, in an act; and how an import's begins.
ROW, _IMPORT = "#", "import:"
#: Reasons of what puts a consent back to what it was.
UNDO_SLIP, UNDO_IMPORT = "Undo of one's own change", "Undo of an import"
UNDOS = frozenset({UNDO_SLIP, UNDO_IMPORT})
#: How the reason ends where a person read a reply. An opt-out is the contact's word, not theirs.
READ_AS_OPT_OUT, READ_AS_NO_OPT_OUT = " was read as an opt-out", " was read as no opt-out"

#: A field of a contact before and after; text, or a flag.
Pair = tuple[str | bool | None, str | bool | None]
#: By channel, the answer before and after an entry.
Answers = Mapping[str, tuple[str, str]]


class EntryKind(StrEnum):
    """What an entry reports, as `optin activity --json` names it."""

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
CHANGING = frozenset(
    {
        EntryKind.CONSENT,
        EntryKind.BLOCK,
        EntryKind.BOUNCE,
        EntryKind.HOLD,
        EntryKind.CONTACT,
        EntryKind.ERASED,
    }
)


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the Activity Log."""

    id: str
    kind: EntryKind
    occurred_at: datetime
    recorded_at: datetime
    #: `slack:U…`, `cli:<user>`, `api:<key>`, `contact`, `provider:<name>`, `import:<id>` or
    #: `system`. The provider of an event that a program reported is `api:<key>`.
    actor: str
    #: `slack`, `cli`, `api`, `import`, `provider:<name>` or `sandbox`.
    source: str
    contact: str | None = None
    #: The contact's version after this entry; 0 where there is no contact.
    version: int = 0
    channel: Channel | None = None
    #: Our sender that a block is about, or a STOP that blocks; or the e-mail provider whose
    #: suppression list it is.
    sender: str | None = None
    by: Origin | None = None
    #: In the words of `on` and `bounce`; for a contact: "", "added", "changed" or "removed".
    before: str = ""
    after: str = ""
    expected: bool = False
    provider_id: str | None = None
    #: By channel, the answer (`rules.Answer`) before and after; None where the entry changes none,
    #: and in entries of a version that did not keep it.
    answers: Answers | None = None

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


def is_refusal(entry: Entry) -> bool:
    """Whether the entry tells that the contact refused, for the first time or again."""
    told = entry.kind is EntryKind.CONSENT or entry.kind is EntryKind.NOTE
    return told and entry.after == ConsentValue.NO and entry.by in (Origin.CONTACT, Origin.IMPORT)


def changed_nothing(entry: Entry) -> bool:
    """Whether all is as it was: a failure that only counts, a STOP that is said again, a block that
    stands already. What a person takes back is an act, whatever it changed."""
    if entry.kind is EntryKind.EXPECTED_ERROR or is_of_a_pack(entry):
        return True
    if entry.kind not in (EntryKind.BLOCK, EntryKind.BOUNCE, EntryKind.NOTE):
        return False
    return entry.before == entry.after != "" and TAKES_BACK not in (entry.changes or {})


def is_of_a_pack(entry: Entry) -> bool:
    """Whether it notes that an evidence pack was made."""
    return entry.kind is EntryKind.NOTE and PACK_MANIFEST in (entry.changes or {})


def is_refused_try(entry: Entry) -> bool:
    """Whether it notes that somebody tried to decide a case and was refused."""
    return entry.kind is EntryKind.NOTE and REFUSED_TRY in (entry.changes or {})


def last_that_matters(entries: Sequence[Entry]) -> Entry | None:
    """The newest entry that changed something, of a contact's entries, newest first.

    An opt-out has an entry for the block besides its own. Of the two, this is its own.
    """
    found = next(
        (one for one in entries if not (changed_nothing(one) or is_refused_try(one))), None
    )
    if found is None or found.kind is not EntryKind.BLOCK or found.by is not Origin.CONTACT:
        return found
    return next((entry for entry in entries if _is_opt_out_of(entry, found)), found)


def _is_opt_out_of(entry: Entry, block: Entry) -> bool:
    """Whether the block came with this opt-out: both are of one event of the provider's."""
    told = entry.kind is EntryKind.CONSENT or entry.kind is EntryKind.NOTE
    return told and entry.provider_id == block.provider_id is not None


def tells_of_address(entry: Entry) -> bool:
    """Whether the entry may change what is known of its address."""
    if entry.address is None:
        return False
    return entry.kind is not EntryKind.CONSENT or entry.contact is None or _tells(entry)


def opts_out(entry: Entry) -> bool:
    """Whether the entry tells of an opt-out that stays with the address. What a carrier says when a
    message fails is a block, and no word of the contact's (rules.md §2)."""
    return is_refusal(entry) and not entry.actor.startswith("provider:")


def act_of(entry: Entry) -> str:
    """What recorded this, as far as it can be taken back as one: a row of an import, or the entry
    of what a person did or a program stated. Empty for what the contact did: a STOP, an
    unsubscribe, a reply that somebody read."""
    told = (entry.changes or {}).get(ACT)
    if told is not None:
        return str(told[1] or "")
    if TAKES_BACK in (entry.changes or {}):
        return ""
    kind = entry.actor.partition(":")[0]
    if entry.actor.startswith(_IMPORT):
        return f"{entry.actor}{ROW}{entry.id}"
    if kind in ("slack", "cli", "api") and not (entry.reason or "").endswith(READ_AS_OPT_OUT):
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
