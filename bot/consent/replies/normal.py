"""A reply as it is compared: without what phones, keyboards and copying add to the words."""

from __future__ import annotations

import re
import unicodedata

#: No text message is longer (Twilio joins parts up to 1,600 characters). Of anything longer the
#: beginning and the end are read, so that no reply takes long.
LONGEST, TAIL = 1600, 400

#: Zero-width characters, directional marks, variation selectors, tags, soft hyphen, keycap.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u20e3\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
_SPACES = re.compile(r"\s+")
#: "Symbol, other" is where emoji live; modifiers are the skin tones.
_EMOJI = frozenset({"So", "Sk", "Cn", "Co"})


def shown(text: str) -> str:
    """The text in one form of each letter (NFKC), without what can't be seen; long ones cut."""
    text = _cut(text)
    if text.isascii():
        return text
    # Cut again: one character of Arabic script can stand for eighteen.
    return _cut(_INVISIBLE.sub("", unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))))


def without_emoji(text: str, *, instead: str = "") -> str:
    """The text without emoji; `instead` is what stands in their place."""
    if text.isascii():
        return text
    return "".join(instead if unicodedata.category(c) in _EMOJI else c for c in text)


def without_accents(text: str) -> str:
    """The text in base letters: "arrêt" is "arret", "ß" is "ss" already by case folding."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def folded(text: str) -> str:
    """The whole text as a keyword is compared: no emoji, no surrounding space, quotes and
    punctuation, one space between words, case folded."""
    text = without_emoji(text).casefold()
    start, end = 0, len(text)
    while start < end and not text[start].isalnum():
        start += 1
    while end > start and not (text[end - 1].isalnum() or unicodedata.combining(text[end - 1])):
        end -= 1
    return _SPACES.sub(" ", text[start:end])


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST + TAIL else f"{text[:LONGEST]} {text[-TAIL:]}"
