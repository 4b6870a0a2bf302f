"""What an entry of the Activity Log says happened, in one sentence, by its kind.

A sentence holds what the entry holds and no more. The time, the person and the source stand below
it (`entry_lines.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.consent.known_providers import KnownProviders
from bot.consent.log.entries import Entry, EntryKind
from handlers.entry_sentences.consent_sentences import consent_sentence, note_sentence
from handlers.entry_sentences.contact_sentences import (
    case_sentence,
    contact_sentence,
    erased_sentence,
    hold_sentence,
    import_sentence,
)
from handlers.entry_sentences.delivery_sentences import (
    block_sentence,
    bounce_sentence,
    expected_sentence,
)
from handlers.entry_sentences.sentence_style import FIELDS, Sentence, Style
from handlers.slack.blocks.formatting import shown

__all__ = ["FIELDS", "Sentence", "Style", "plain_sentence", "sentence"]


def sentence(entry: Entry, style: Style) -> Sentence:
    """What happened."""
    return _BY_KIND[entry.kind](entry, style)


def plain_sentence(entry: Entry, providers: KnownProviders) -> str:
    """The same for a terminal."""
    return sentence(entry, Style(providers=providers, say=shown)).text


_BY_KIND: Mapping[EntryKind, Callable[[Entry, Style], Sentence]] = {
    EntryKind.CONSENT: consent_sentence,
    EntryKind.NOTE: note_sentence,
    EntryKind.BLOCK: block_sentence,
    EntryKind.BOUNCE: bounce_sentence,
    EntryKind.EXPECTED_ERROR: expected_sentence,
    EntryKind.HOLD: hold_sentence,
    EntryKind.CASE: case_sentence,
    EntryKind.CONTACT: contact_sentence,
    EntryKind.IMPORT: import_sentence,
    EntryKind.ERASED: erased_sentence,
}
