"""What happened, as `Recorder.record` is told it: each kind of change with its own fields.

An entry is flat, and one of its fields, `changes`, holds whatever else a kind has to say. Here each
of those has a name and a type; `log.apply` does what the entry then says.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.consent.frozen import quick
from bot.consent.log.entries import ACT, LEAVING, NUMBER, SOFT, TAKES_BACK, EntryKind, Pair
from bot.consent.model import BlockState, Bounce, ConsentValue, Evidence, Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """The record that an entry belongs to, where it is not the entry itself (`entries.act_of`)."""

    #: The id of the contact of whom it was recorded; None where nobody knows.
    of: str | None
    #: Empty for the contact's own word, which nobody can take back.
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(ABC):
    """What one entry tells."""

    reason: str | None = None

    @abstractmethod
    def fields(self) -> dict[str, Any]:
        """The fields of `Entry` that this change fills."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentChanged(Change):
    """SMS On or Email On. `again` where somebody is NO already and says so once more: then it is a
    note of the log, and the consent stays as it is."""

    before: ConsentValue
    after: ConsentValue
    by: Origin | None
    again: bool = False
    evidence: Evidence | None = None
    #: Our sender, where a STOP to it blocks.
    sender: str | None = None
    #: The number of a messaging service that the contact texted.
    number: str | None = None
    act: Act | None = None
    #: The act that is taken back.
    takes_back: str | None = None

    def fields(self) -> dict[str, Any]:
        return {
            "kind": EntryKind.NOTE if self.again else EntryKind.CONSENT,
            "before": self.before,
            "after": self.after,
            "by": self.by,
            "reason": self.reason,
            "evidence": self.evidence,
            "sender": self.sender,
            "changes": _pairs(self.act, self.takes_back, self.number),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockChanged(Change):
    """What a carrier, or an e-mail provider's list, keeps of an address for one sender."""

    sender: str
    before: BlockState
    after: BlockState
    by: Origin | None = None
    #: The number of a messaging service that the contact texted.
    number: str | None = None
    #: Optin begins to take the address off the provider's list (True), or gives that up (False);
    #: the entry itself stands as before.
    leaving: bool | None = None

    def fields(self) -> dict[str, Any]:
        changes = _pairs(number=self.number)
        if self.leaving is not None:
            changes = {LEAVING: (not self.leaving, self.leaving), **(changes or {})}
        return {
            "kind": EntryKind.BLOCK,
            "sender": self.sender,
            "before": self.before,
            "after": self.after,
            "by": self.by,
            "reason": self.reason,
            "changes": changes,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceChanged(Change):
    """SMS Bounce or Email Bounce, or what counts towards one."""

    before: Bounce
    after: Bounce
    #: The contact, of a complaint.
    by: Origin | None = None
    #: How many soft failures there were before, and are now.
    soft: tuple[int, int] | None = None
    #: What shows that the address works, where a person cleared the bounce.
    evidence: Evidence | None = None
    #: The file that says so, of a mark.
    act: Act | None = None
    #: The act whose marks are taken back.
    takes_back: str | None = None

    def fields(self) -> dict[str, Any]:
        changes = _pairs(self.act, self.takes_back)
        if self.soft is not None:
            before, after = self.soft
            changes = {SOFT: (str(before), str(after)), **(changes or {})}
        return {
            "kind": EntryKind.BOUNCE,
            "before": self.before,
            "after": self.after,
            "by": self.by,
            "reason": self.reason,
            "evidence": self.evidence,
            "changes": changes,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldChanged(Change):
    """A reply waits for somebody to read it, or does not any longer. `reason` is what was written,
    or what it was read as."""

    held: bool

    def fields(self) -> dict[str, Any]:
        return {
            "kind": EntryKind.HOLD,
            "before": "" if self.held else "held",
            "after": "held" if self.held else "released",
            "reason": self.reason,
        }


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ContactChanged(Change):
    """A contact is `added`, `changed` or `removed`."""

    after: str
    #: Each field that changed, before and after; also who became one with whom (`entries.MERGED`).
    changes: Mapping[str, Pair] | None = None

    def fields(self) -> dict[str, Any]:
        return {
            "kind": EntryKind.CONTACT,
            "after": self.after,
            "reason": self.reason,
            "changes": self.changes,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactErased(Change):
    """All that is personal goes."""

    def fields(self) -> dict[str, Any]:
        return {"kind": EntryKind.ERASED}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseMoved(Change):
    """A re-opt-in case goes from one state to the next."""

    case: str
    before: str
    after: str
    evidence: Evidence | None

    def fields(self) -> dict[str, Any]:
        return {
            "kind": EntryKind.CASE,
            "before": self.before,
            "after": self.after,
            "reason": self.reason,
            "evidence": self.evidence,
            "changes": {"case": (None, self.case)},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportMoved(Change):
    """An import is `started`, `finished` or `undone`; `reason` is its file's name."""

    after: str

    def fields(self) -> dict[str, Any]:
        return {"kind": EntryKind.IMPORT, "after": self.after, "reason": self.reason}


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorExpected(Change):
    """A message to somebody who had just said STOP failed, as it must."""

    sender: str | None

    def fields(self) -> dict[str, Any]:
        return {
            "kind": EntryKind.EXPECTED_ERROR,
            "sender": self.sender,
            "reason": self.reason,
            "expected": True,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted(Change):
    """Something to know, which changes nothing."""

    changes: Mapping[str, Pair] | None = None

    def fields(self) -> dict[str, Any]:
        return {"kind": EntryKind.NOTE, "reason": self.reason, "changes": self.changes}


def _pairs(
    act: Act | None = None, takes_back: str | None = None, number: str | None = None
) -> dict[str, Pair] | None:
    pairs: dict[str, Pair] = {}
    if act is not None:
        pairs[ACT] = (act.of, act.name)
    if takes_back is not None:
        pairs[TAKES_BACK] = (None, takes_back)
    if number is not None:
        pairs[NUMBER] = (None, number)
    return pairs or None
