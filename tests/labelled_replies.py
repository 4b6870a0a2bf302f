"""Replies as people write them, each labelled refusal or not, in two halves: one to work on (the
model is fitted to it), and one that is only ever measured.

The half is told by a hash of what the text says, so that light variations of one text ("Stop texting
me", "please stop texting me!") never straddle the two.

Texts noted "greeted" had fallen to the measure half when they were written, after their like had been
worked on; with a greeting in front they stand in the work half, and without it nowhere.
"""

from __future__ import annotations

import csv
import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FILE = Path(__file__).parent / "data" / "replies.tsv"
#: More texts to fit the model to, which are never measured. None says what a text of `FILE` says.
TRAINING_FILE = Path(__file__).parent / "data" / "replies_training.tsv"
LANGUAGES = ("en", "fr", "de", "es", "pt")
_WORD, _REPEATED = re.compile(r"\w+"), re.compile(r"(.)\1+")
Half = Literal["work", "measure"]

#: Words that do not make it another text.
_FILLERS = frozenset(
    {
        "please", "pls", "plz", "thanks", "thank", "thx", "you", "svp", "merci", "bitte", "danke",
        "por", "favor", "gracias", "obrigado", "obrigada", "sorry", "hi", "hello", "the", "a", "now",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    text: str
    language: str
    refusal: bool
    note: str

    @property
    def half(self) -> Half:
        return half(self.text)


def load() -> list[Labelled]:
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [
            Labelled(
                text=row["text"],
                language=row["language"],
                refusal={"yes": True, "no": False}[row["refusal"]],
                note=row["note"],
            )
            for row in rows
        ]


def load_training() -> list[tuple[str, bool]]:
    """The texts of `TRAINING_FILE`, and whether they refuse."""
    with TRAINING_FILE.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [(row["text"], {"yes": True, "no": False}[row["refusal"]]) for row in rows]


def half(text: str) -> Half:
    digest = hashlib.sha256(skeleton(text).encode()).digest()
    return "measure" if digest[0] & 1 else "work"


def skeleton(text: str) -> str:
    """What a text says: its words without courtesy, or the text itself where it has none."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("'", ""))
    words = _WORD.findall("".join(c for c in decomposed if not unicodedata.combining(c)))
    words = [_REPEATED.sub(r"\1", word) for word in words]
    return " ".join(w for w in words if w not in _FILLERS) or " ".join(words) or text
