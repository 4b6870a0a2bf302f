"""Sentences for the training alone, made from the patterns of `tests/data/replies_patterns`.

A pattern shows the model which words may stand for one another, so that it needs no labelled text
for each. Nothing that is made here is ever measured, and a sentence whose hash says "measure" is
thrown away, so that none says what a measured text says.

A line "@name = a|b" names alternatives. A line that begins with "+" is a refusal, and one that
begins with "-" is none. "{name}" and "[a|b]" stand for one of their alternatives.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

from tests.support.labelled_replies import half

FOLDER = Path(__file__).parents[1] / "data" / "replies_patterns"
_CHOICE = re.compile(r"\[([^\[\]]*)\]|\{(\w+)\}")


def sentences(each: int, seed: int) -> list[tuple[str, bool]]:
    """At most `each` sentences of each pattern, and whether they refuse."""
    made: dict[str, bool] = {}
    for file in sorted(FOLDER.glob("*.txt")):
        chance = random.Random(f"{seed} {file.name}")
        named: dict[str, list[str]] = {}
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("@"):
                name, _, values = line[1:].partition(" =")
                named[name] = values.split("|")
                continue
            for _ in range(each):
                made.setdefault(_sentence(line[2:], named, chance), line.startswith("+"))
    return [(text, refusal) for text, refusal in made.items() if half(text) == "work"]


def _sentence(pattern: str, named: dict[str, list[str]], chance: random.Random) -> str:
    while choice := _CHOICE.search(pattern):
        values = named[choice[2]] if choice[2] else choice[1].split("|")
        pattern = pattern[: choice.start()] + chance.choice(values) + pattern[choice.end() :]
    return " ".join(pattern.split())
