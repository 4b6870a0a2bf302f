"""What a step of a history writes into the Activity Log: who did it, and nothing twice (rules.md
§8.9, §8.5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from bot.consent.log.entries import Entry, EntryKind
from bot.consent.store import Store

#: Who may stand in the entries of each step beside Optin itself. A person is the one who acts, and
#: a manager whose approval the step completes; `contact` and `provider:` are the other side.
_PEOPLE = ("slack:", "cli:")
_EVENTS = ("contact", "provider:", *_PEOPLE)
ACTORS: dict[str, tuple[str, ...]] = {
    "texts": _EVENTS,
    "whatsapps": ("contact",),
    "is_rejected": ("provider:",),
    "fails": ("provider:",),
    "is_delivered": ("provider:", *_PEOPLE),
    "is_told_again": ("provider:",),
    "clicks": ("contact", "provider:"),
    "imports_file": ("import:", "cli:"),
    # Whoever gave the YES that goes along, or failed to reach them.
    "merges": ("import:", "provider:", *_PEOPLE),
}
#: What Optin does by itself.
_SYSTEM = "system"


def written(store: Store, since: int) -> list[Entry]:
    """The entries behind this `seq`, the oldest first."""
    with store.reading() as records:
        newest = records.log.head()[0]
        return records.log.entries(limit=newest - since)[::-1] if newest > since else []


def faults(step: str, entries: Sequence[Entry]) -> Iterator[str]:
    """What is wrong with the entries of one step, in sentences."""
    allowed = ACTORS.get(step, _PEOPLE)
    for entry in entries:
        if not entry.actor.startswith((_SYSTEM, *allowed)):
            yield f"{step} wrote an entry ({entry.kind}) in the name of {entry.actor}"
        same = entry.before == entry.after and entry.kind in (EntryKind.BLOCK, EntryKind.CONTACT)
        if same and entry.kind is EntryKind.CONTACT and entry.changes:
            continue
        if entry.kind is EntryKind.CONSENT and entry.before == entry.after == "YES":
            # Evidence for a YES that had none.
            same = entry.evidence is None
        if same and entry.kind is not EntryKind.BLOCK:
            yield f"{step} wrote a change ({entry.kind}) that changes nothing"
    if step == "erases":
        return  # What is left is told once more, also of several messages of one moment.
    told = Counter(_what(e) for e in entries if e.kind in _CHANGES)
    for what, count in told.items():
        if count > 1:
            yield f"{step} wrote the same {count} times: {what}"


_CHANGES = {EntryKind.CONSENT, EntryKind.BLOCK, EntryKind.BOUNCE, EntryKind.HOLD}


def _what(entry: Entry) -> tuple[object, ...]:
    changes = sorted(map(str, (entry.changes or {}).items()))
    whose = (entry.kind, entry.contact, entry.address, entry.channel, entry.sender)
    return (*whose, entry.before, entry.after, entry.occurred_at, *changes)
