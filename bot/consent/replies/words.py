"""A reply as words: what was meant by "st0p", "S T O P", "m'envoyez" and "don t"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.consent.replies.message_text import shown, without_accents, without_emoji

_SPELLED_OUT = re.compile(r"(?<!\w)\w(?:[ .\-_*]\w){2,}(?!\w)")
_MASKED = re.compile(r"\bf[*#@$!\-]{1,}(?:[ck]{0,2})(ing|in|er)?")
_ELISION = re.compile(r"\b([cdjlmnst]|qu)'(?=\w)")
_TOKEN = re.compile(r"[^\W_]+|[#?]|[.!;,:\n]+")
_LETTERS = str.maketrans("013457$@", "oieastsa")
_ORDINAL = re.compile(r"\d+(?:st|nd|rd|th)")
_REPEATED = re.compile(r"(.)\1{2,}")
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "ʼ": "'"})
#: The halves of a word that a lost apostrophe leaves behind.
_HALVES = {
    ("don", "t"): "dont", ("do", "nt"): "dont", ("didn", "t"): "didnt", ("won", "t"): "wont",
    ("can", "t"): "cant", ("isn", "t"): "isnt", ("doesn", "t"): "doesnt", ("i", "m"): "im",
    ("un", "subscribe"): "unsubscribe", ("un", "sub"): "unsub", ("n", "°"): "numero",
}  # fmt: skip


#: Spellings by ear, as the phrases write them.
_SAME = {
    "aint": "not", "stap": "stop", "tezt": "text", "tect": "text", "texr": "text", "txet": "text",
    "wnat": "want", "wong": "wrong", "wrng": "wrong",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a text in order; `ends` are the places where a sentence may end."""

    words: tuple[str, ...]
    ends: frozenset[int]
    asks: bool

    def clauses(self) -> str:
        """The words with a space between them, and "|" where a sentence may end."""
        marked = list(self.words)
        for end in sorted(self.ends, reverse=True):
            marked.insert(end, "|")
        return " ".join(marked)


def read_words(text: str) -> Words:
    """Case, accents, emoji and most spelling tricks are gone; commas and stops become `ends`."""
    text = shown(text).translate(_APOSTROPHES)
    text = without_accents(without_emoji(text, instead=" ").casefold())
    text = _SPELLED_OUT.sub(_join, text)
    text = _MASKED.sub("fuck ", text)
    text = _ELISION.sub(r"\1 ", text).replace("'", "")
    words: list[str] = []
    ends = set()
    asks = False
    for token in _TOKEN.findall(text):
        if token == "?":
            asks = True
            ends.add(len(words))
        elif not (token[0].isalnum() or token[0] == "#"):
            ends.add(len(words))
        else:
            _add(words, token)
    return Words(tuple(words), frozenset(ends - {0, len(words)}), asks)


def _add(words: list[str], token: str) -> None:
    if token == "#":
        token = "number"
    elif token.isdigit():
        token = "0" * min(len(token), 6)
    elif _ORDINAL.fullmatch(token):
        token = "0th"
    elif any(c.isdigit() for c in token) and sum(c.isalpha() for c in token) >= 2:
        unmasked = token.translate(_LETTERS)
        token = unmasked if unmasked.isalpha() else token
    token = _REPEATED.sub(r"\1", token)
    token = _SAME.get(token, token)
    if words and (whole := _HALVES.get((words[-1], token))):
        words[-1] = whole
    else:
        words.append(token)


def _join(spelled: re.Match[str]) -> str:
    letters = re.sub(r"[ .\-_*]", "", spelled[0])
    return letters if letters.isalpha() else spelled[0]
