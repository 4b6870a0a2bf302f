"""A reply as it is compared: without what phones, keyboards and copying add to the words."""

from __future__ import annotations

import re
import unicodedata

#: No text message is longer (Twilio joins parts up to 1,600 characters). Of anything longer the
#: beginning and the end are read, so that no reply takes long.
LONGEST, TAIL = 1600, 400

#: Zero-width characters, directional marks, variation selectors, tags, soft hyphen, keycap, and
#: the stroke that lengthens Arabic words.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u0640\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u20e3\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
_SPACES = re.compile(r"\s+")
#: "Symbol, other" is where emoji and U+FFFD live, which stands for a repaired NUL or half an emoji
#: (rules.md §2a); modifiers are the skin tones; "Cs" are halves that nobody repaired.
_EMOJI = frozenset({"So", "Sk", "Cn", "Co", "Cs"})
#: Letters that Unicode does not take apart.
#: Unicode gives the white letters on black ("ST🅾🅿") no plain ones.
_WHITE_LETTERS = {
    first + i: letter
    for first in (0x1F150, 0x1F170)
    for i, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
}
_BASE_LETTERS = str.maketrans({"ı": "i", "ł": "l", "đ": "d", "ø": "o"})


def shown(text: str) -> str:
    """The text in one form of each letter (NFKC), without what can't be seen; long ones cut."""
    text = _cut(text)
    if text.isascii():
        return text
    plain = _INVISIBLE.sub("", text).translate(_WHITE_LETTERS)
    # Cut again: one character of Arabic script can stand for eighteen.
    return _cut(_INVISIBLE.sub("", unicodedata.normalize("NFKC", plain)))


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
    return "".join(
        c for c in decomposed if not unicodedata.combining(c) or _is_letter_of_its_own(c)
    ).translate(_BASE_LETTERS)


def _is_letter_of_its_own(mark: str) -> bool:
    """The marks of Indic scripts and of Thai are no accents: they tell "หยุด" from "หยด"."""
    return "\u0900" <= mark <= "\u109f"


def folded(text: str) -> str:
    """The whole text as a keyword is compared: no emoji, no surrounding space, quotes and
    punctuation, one space between words, case folded."""
    text = without_emoji(text).casefold()
    start, end = 0, len(text)
    while start < end and not text[start].isalnum():
        start += 1
    while end > start and not (text[end - 1].isalnum() or _is_mark(text[end - 1])):
        end -= 1
    return _SPACES.sub(" ", text[start:end])


def _is_mark(character: str) -> bool:
    """Whether it belongs to the letter before it, like the vowel at the end of "रोकें"."""
    return unicodedata.category(character).startswith("M")


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST + TAIL else f"{text[:LONGEST]} {text[-TAIL:]}"
