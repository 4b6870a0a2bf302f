"""What words mean in a refusal, whichever language they are in: "schickt", "envoyez" and "send" are
one concept, and so are their misspellings."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from bot.consent.replies.slips import is_word

_FILE = Path(__file__).with_name("concepts.txt")
#: Shorter words have too many neighbours for a slip to be told from another word.
_CORRECTED_FROM, _TWO_SLIPS_FROM = 5, 9


class Concepts:
    """The lexicon of `concepts.txt`, and for misspelled words the entry that was meant."""

    def __init__(self, lines: str) -> None:
        self._words: dict[str, str] = {}
        self._beginnings: dict[str, str] = {}
        for line in lines.splitlines():
            if line.startswith("#"):
                continue
            concept, *words = line.split()
            for word in words:
                if word.endswith("*"):
                    self._beginnings.setdefault(word[:-1], concept)
                else:
                    self._words.setdefault(word, concept)
        self._shortest = min(map(len, self._beginnings))
        self._near: dict[str, str] = {}
        for word in self._words:
            if len(word) >= _CORRECTED_FROM:
                for near in _without_one(word):
                    self._near.setdefault(near, word)

    def of(self, word: str) -> str | None:
        """The concept of a word that is spelled so."""
        if concept := self._words.get(word):
            return concept
        for length in range(len(word), self._shortest - 1, -1):
            if concept := self._beginnings.get(word[:length]):
                return concept
        return None

    def meant(self, word: str) -> str | None:
        """The entry that is one slip away: a letter more, less, other or swapped."""
        if len(word) < _CORRECTED_FROM or not word.isalpha() or is_word(word):
            return None
        if near := self._near.get(word):
            return near
        for shorter in _without_one(word):
            near = shorter if shorter in self._words else self._near.get(shorter)
            if near is not None and len(near) >= _CORRECTED_FROM:
                return near
        return None


def _without_one(word: str) -> list[str]:
    return [word[:i] + word[i + 1 :] for i in range(len(word))]


@cache
def concepts() -> Concepts:
    return Concepts(_FILE.read_text(encoding="utf-8"))
