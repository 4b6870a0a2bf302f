"""What an entry says of SMS On and Email On, and what a contact or a person wrote."""

from __future__ import annotations

import re

from bot.consent.known_providers import PROGRAM
from bot.consent.log.entries import (
    TAKES_BACK,
    UNDO_IMPORT,
    UNDO_SLIP,
    Entry,
    EntryKind,
    is_of_a_pack,
    is_refused_try,
)
from bot.consent.model import ConsentValue
from handlers.entry_sentences.sentence_style import (
    SHORT,
    Sentence,
    Style,
    clause_of,
    number_of,
    provider_of,
    value_of,
    with_reason,
    word_of,
)


def consent_sentence(entry: Entry, style: Style) -> Sentence:
    """SMS On or Email On, or what the contact did to change it."""
    field = f"{word_of(entry)} On"
    if said := contacts_words(entry, style):
        return said
    reason = entry.reason or ""
    if entry.actor.startswith("import:") and not reason.startswith(UNDO_IMPORT):
        return with_reason(f"Imported: {field} {value_of(entry.after)}", entry, style)
    if reason == UNDO_SLIP:
        return Sentence(f"Undone: {_back_to(entry)}")
    if reason.startswith(UNDO_IMPORT):
        left = reason.removeprefix(UNDO_IMPORT).removeprefix(": ") or None
        return Sentence(f"Import undone: {_back_to(entry)}", left)
    if TAKES_BACK in (entry.changes or {}):
        return with_reason(_back_to(entry), entry, style)
    done = "stays" if entry.before == entry.after else "set to"
    return with_reason(f"{field} {done} {value_of(entry.after)}", entry, style)


def _back_to(entry: Entry) -> str:
    stays = entry.before == entry.after
    return f"{word_of(entry)} On {'stays' if stays else 'back to'} {value_of(entry.after)}"


def note_sentence(entry: Entry, style: Style) -> Sentence:
    """A person's note, an opt-out that is said again, or what a provider or Optin adds."""
    if entry.after == ConsentValue.NO and TAKES_BACK not in (entry.changes or {}):
        return _said_again(entry, style)
    if entry.after:
        return consent_sentence(entry, style)
    reason = entry.reason or ""
    if not reason:
        return Sentence("Note")
    if is_of_a_pack(entry) or is_refused_try(entry):
        return Sentence(style.say(reason, style.room))
    if entry.actor.startswith(("slack:", "cli:")):
        whole = len(reason) <= style.room
        return Sentence(f"Note: {style.say(reason, style.room)}", None if whole else reason)
    said = clause_of(entry, style)
    text = style.say(said, style.room) or "Note"
    return Sentence(text[:1].upper() + text[1:], None if len(said) <= style.room else said)


def _said_again(entry: Entry, style: Style) -> Sentence:
    """A NO beside one that stands, or an older one than the YES that stands."""
    if said := contacts_words(entry, style):
        return Sentence(f"{said.text}, again", said.left)
    field = f"{word_of(entry)} On"
    if entry.actor.startswith("import:"):
        if entry.before == ConsentValue.YES:
            return with_reason(
                f"Imported: {field} NO, older than the YES, which stays", entry, style
            )
        return with_reason(f"Imported: {field} NO, which it was already", entry, style)
    return with_reason(f"{field} stays {value_of(entry.before)}", entry, style)


#: A text of the contact's, and what Optin adds to it.
_REPLIED = re.compile(r"Replied (?:“(.*)”|with (an opt-(?:out|in) word))(?:\. (.*))?", re.DOTALL)
_UNSUBSCRIBED = re.compile(r"Unsubscribed(?: from (.*?))?(?:\. (Told late: .*))?", re.DOTALL)


def contacts_words(entry: Entry, style: Style) -> Sentence | None:
    """What the contact did themselves, where the entry tells how."""
    if entry.actor != "contact":
        return None
    reason = entry.reason or ""
    if replied := _REPLIED.fullmatch(reason):
        words, stood_for, left = replied.groups()
        word = stood_for or _quoted(words, style)
        to = f" to {number}" if (number := number_of(entry, style)) else ""
        return Sentence(f"Texted {word}{to}", left)
    if unsubscribed := _UNSUBSCRIBED.fullmatch(reason):
        scope, left = unsubscribed.groups()
        return Sentence(_unsubscribed(scope, provider_of(entry), style), left)
    if reason == "Reported our e-mail as spam":
        return Sentence(reason)
    if entry.kind is EntryKind.CONSENT and not reason:
        return Sentence(f"{word_of(entry)} On set to {value_of(entry.after)} by the contact")
    return None


def _quoted(words: str, style: Style) -> str:
    """A keyword as it is; other words in quotation marks."""
    said = style.say(words, style.room)
    return said if words.isascii() and words.isalpha() and words.isupper() else f"“{said}”"


def _unsubscribed(scope: str | None, provider: str, style: Style) -> str:
    known = style.providers.by_id.get(provider)
    if known and known.ours:
        return "Unsubscribed by the link in an e-mail"
    group = f" from {style.say(scope, SHORT)}" if scope else ""
    # What a program reports happened elsewhere. The line below names the program.
    provider = "" if provider.startswith(PROGRAM) else provider
    at = f" at {style.say(style.providers.label(provider), SHORT)}" if provider else ""
    return f"Unsubscribed{group}{at}"
