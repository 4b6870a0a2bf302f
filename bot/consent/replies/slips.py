"""A whole text that is an opt-out word with a slip: "Stpo", "stoppp", "unsubcribe"."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from bot.consent.replies.keywords import EVERY, opt_outs
from bot.consent.replies.message_text import without_accents

_FILE = Path(__file__).with_name("slips.txt")
_REPEATED = re.compile(r"(.)\1+")
#: Shorter words have more neighbours than slips; two slips are too many for all but long ones.
_ONE_FROM, _TWO_FROM, _LONGEST = 4, 8, 20
#: The languages whose other words `slips.txt` knows. Of the rest only repeated letters are a slip.
_LANGUAGES = frozenset({"fr", "de", "es", "pt"})


def slip_of(word: str) -> str | None:
    """The opt-out word that was meant by this one; none where it is another word."""
    if not word.isalpha() or not _ONE_FROM <= len(word) <= _LONGEST or is_word(word):
        return None
    plain = _REPEATED.sub(r"\1", word)
    if keyword := _without_repeats().get(plain):
        return keyword
    letters = set(word)
    for keyword, its_letters in _keywords().items():
        allowed = 2 if len(keyword) >= _TWO_FROM else 1
        # A slip changes two letters of the set at most: the quick test that most words fail.
        if (
            len(keyword) >= _ONE_FROM
            and len(letters ^ its_letters) <= 2 * allowed
            and _slips(word, keyword, allowed) <= allowed
        ):
            return keyword
    return None


def is_word(word: str) -> bool:
    """Whether it looks like a slip, but is a word that people text."""
    return word in _words()


def _slips(word: str, keyword: str, enough: int) -> int:
    """How many letters are more, less, other or swapped with the next; may stop counting."""
    if abs(len(word) - len(keyword)) > enough:
        return enough + 1
    before: list[int] = []
    row = list(range(len(keyword) + 1))
    for i, letter in enumerate(word, 1):
        before, last, row = row, before, [i]
        for j, other in enumerate(keyword, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == keyword[j - 2] and word[i - 2] == other:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


@cache
def _keywords() -> dict[str, frozenset[str]]:
    """The words that a slip is measured from, each with its letters."""
    plain = {without_accents(keyword) for keyword in opt_outs(_LANGUAGES)}
    return {
        keyword: frozenset(keyword)
        for keyword in sorted(plain)
        if keyword.isalpha() and len(keyword) >= 3
    }


@cache
def _without_repeats() -> dict[str, str]:
    every = sorted({without_accents(word) for word in EVERY} | _keywords().keys())
    return {_REPEATED.sub(r"\1", word): word for word in every if len(word) >= 3}


@cache
def _words() -> frozenset[str]:
    lines = _FILE.read_text(encoding="utf-8").splitlines()
    return frozenset(
        without_accents(word) for line in lines if not line.startswith("#") for word in line.split()
    )
