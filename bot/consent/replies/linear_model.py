"""A small linear model for what no phrase says: weights of words, concepts and their order.

`python -m tests.support.train_replies` writes `weights.json`. It holds what was learnt from
the work half of `tests/data/replies.tsv` and nothing else.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from math import sqrt
from pathlib import Path

from bot.consent.replies.features import END, features

FILE = Path(__file__).with_name("weights.json")
#: A word is named as a reason when it carries at least this share of what the heaviest does.
_WORTH_NAMING = 0.5


class Model:
    """The weight of each feature for a refusal. Positive speaks for one, negative against."""

    def __init__(self, weights: dict[str, float], bias: float) -> None:
        self.weights, self.bias = weights, bias

    def score(self, seen: frozenset[str]) -> float:
        """The log odds of a refusal, by features. Long texts are no more sure than short ones."""
        found = seen & self.weights.keys()
        return self.bias + sum(map(self.weights.__getitem__, sorted(found))) / sqrt(len(found) + 1)

    def reasons(self, words: Sequence[str], *, asks: bool) -> tuple[str, ...]:
        """The words that speak most for a refusal, in reading order; all, where none stands out."""
        shares: defaultdict[int, float] = defaultdict(float)
        for name, start, end in features(words, asks=asks):
            for place in range(start, end):
                shares[place] += self.weights.get(name, 0.0) / (end - start)
        said = [i for i, word in enumerate(words) if word != END]
        heaviest = max((shares[i] for i in said), default=0.0)
        heavy = [i for i in said if shares[i] > 0 and shares[i] >= heaviest * _WORTH_NAMING]
        return tuple(words[i] for i in heavy or said)


@cache
def model() -> Model:
    read = json.loads(FILE.read_text(encoding="utf-8"))
    return Model(read["weights"], read["bias"])
