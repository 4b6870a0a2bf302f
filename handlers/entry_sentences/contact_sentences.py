"""What an entry says of replies to read, re-opt-ins, contacts and imports."""

from __future__ import annotations

from collections.abc import Mapping

from bot.consent.alerts import NEW_OWNER
from bot.consent.frozen import replace
from bot.consent.log.entries import (
    MERGED,
    READ_AS_NO_OPT_OUT,
    READ_AS_OPT_OUT,
    UNDO_IMPORT,
    Entry,
)
from handlers.entry_sentences.sentence_style import (
    FIELDS,
    Sentence,
    Style,
    with_reason,
    word_of,
)
from handlers.slack.blocks.formatting import lowered


def hold_sentence(entry: Entry, style: Style) -> Sentence:
    """A reply that a person has to read, or how it was read."""
    reason = entry.reason or ""
    if entry.after == "held":
        if reason == NEW_OWNER:
            return Sentence("The number may have a new owner: a person has to find out")
        if not reason:
            return Sentence("A reply waits to be read")
        if len(reason) > style.room:
            return Sentence("A reply waits to be read", f"“{reason}”")
        return Sentence(f"A reply waits to be read: “{style.say(reason, style.room)}”")
    for ending, text in _READ_AS:
        if reason.endswith(ending):
            quoted = reason.removesuffix(ending)
            return with_reason(
                text, replace(entry, reason=quoted if "“" in quoted else None), style
            )
    return with_reason("The reply was read" if reason else "No reply waits any more", entry, style)


_READ_AS = (
    (READ_AS_OPT_OUT, "The reply counts as an opt-out"),
    (READ_AS_NO_OPT_OUT, "The reply counts as no opt-out"),
)


_CASE: Mapping[str, str] = {
    "pending": "requested",
    "cancelled": "ended without a decision",
    "overtaken": "ended",
}


def case_sentence(entry: Entry, style: Style) -> Sentence:
    """A step of a re-opt-in."""
    channel = f" for {word_of(entry)}" if entry.channel else ""
    if entry.reason == "Withdrawn":
        return Sentence(f"Re-opt-in withdrawn{channel}")
    state = _CASE.get(entry.after, entry.after)
    return with_reason(f"Re-opt-in {state}{channel}", entry, style)


def contact_sentence(entry: Entry, style: Style) -> Sentence:
    """A contact who was added, changed, merged or removed."""
    changes, reason = entry.changes or {}, entry.reason or ""
    imported = "Imported: " if entry.actor.startswith("import:") else ""
    if reason.startswith(UNDO_IMPORT):
        imported, reason = "Import undone: ", reason.removeprefix(UNDO_IMPORT).removeprefix(": ")
    names = [FIELDS[name] for name in changes if name in FIELDS]
    if entry.after in ("added", "removed"):
        text = f"contact {entry.after}"
    elif MERGED in changes:
        text, reason = "another contact became one with this one", ""
    elif names == [FIELDS["do_not_contact"]]:
        text = "Do not contact set" if changes["do_not_contact"][1] else "Do not contact taken off"
    else:
        text = f"{', '.join(names) or 'contact'} changed"
    text = f"{imported}{text}"
    text = text if imported else text[:1].upper() + text[1:]
    if reason and len(reason) <= style.room:
        return Sentence(f"{text}: {style.say(lowered(reason), style.room)}")
    return Sentence(text, reason or None)


def import_sentence(entry: Entry, style: Style) -> Sentence:
    """A file that was imported, with its name."""
    file = style.say(entry.reason or "", style.room)
    return Sentence(f"Import {entry.after}{f': {file}' if file else ''}")


def erased_sentence(entry: Entry, style: Style) -> Sentence:
    """A contact whose personal data is gone."""
    return Sentence("Contact erased")
