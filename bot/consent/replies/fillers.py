"""A whole text that is nothing but opt-out words, repeated or with fillers around them: "STOPALL
please", "END. Thank you", "CANCEL CANCEL", "stop off my list"."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from bot.consent.replies.keywords import EVERY
from bot.consent.replies.message_text import without_accents
from bot.consent.replies.slips import slip_of

_FILE = Path(__file__).with_name("fillers.txt")
#: Scripts without spaces carry their courtesy on the word.
_BEFORE = "请 請 麻烦 麻煩 กรุณา ช่วย โปรด"
_BEHIND = (
    "吧 谢谢 謝謝 してください して下さい をお願いします お願いします "
    "해주세요 주세요 ครับ ค่ะ คะ ด้วย ขอบคุณ"
)
_SEPARATORS = re.compile(r"[^\w'\u0300-\u109f]+")
_APOSTROPHES = re.compile("['’‘`´ʼ]")
#: Longer texts are read in their own words.
_LONGEST = 16
#: Outside the packs that hold them, other readings are likelier: a touchdown.
_ONLY_IN_PACK = frozenset({"td"})


def only_stop_words(plain: str) -> bool:
    """Whether a folded text without accents says nothing else. The words of every language count:
    one whose pack is off is a probable refusal (rules.md §5)."""
    words, fillers, most = _known()
    if not plain.isascii():
        plain = _on_the_word().sub("", plain).strip()
    if plain in words or (not plain.isascii() and plain.replace(" ", "") in words):
        return True
    said = [word for word in _SEPARATORS.split(_APOSTROPHES.sub("", plain)) if word]
    found, at = 0, 0
    while at < len(said) <= _LONGEST:
        pair = " ".join(said[at : at + 2])
        if pair in words and at + 1 < len(said):
            found, at = found + 1, at + 2
        elif said[at] in words:
            found, at = found + 1, at + 1
        elif skipped := _filler(said, at, fillers, most):
            at += skipped
        elif slip_of(said[at]):
            found, at = found + 1, at + 1
        else:
            return False
    return found > 0 and at == len(said)


def _filler(said: list[str], at: int, fillers: frozenset[str], most: int) -> int:
    """How many words the filler has that begins here; 0 where none does."""
    for length in range(min(most, len(said) - at), 0, -1):
        if " ".join(said[at : at + length]) in fillers:
            return length
    return 0


@cache
def _on_the_word() -> re.Pattern[str]:
    before, behind = (
        "|".join(sorted(map(without_accents, words.split()), key=len, reverse=True))
        for words in (_BEFORE, _BEHIND)
    )
    return re.compile(f"^(?:{before})+|(?:{behind})+$")


@cache
def _known() -> tuple[frozenset[str], frozenset[str], int]:
    words = frozenset(without_accents(word) for word in EVERY) - _ONLY_IN_PACK
    fillers = frozenset(
        without_accents(filler.strip())
        for line in _FILE.read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
        for filler in line.split("/")
    )
    return words, fillers, max(filler.count(" ") + 1 for filler in fillers)
