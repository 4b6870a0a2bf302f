"""Fit the weights of the reply model to the work half, to the texts for training alone and to
sentences made from patterns:
`python -m tests.train_replies`. It takes some minutes.

Logistic regression by AdaGrad with weight decay; no randomness but a fixed seed, so that the same
texts give the same file.
"""

from __future__ import annotations

import json
import math
import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from bot.consent.replies.model import FILE, Model
from bot.consent.replies.read import seen_by_model
from tests.labelled_replies import Labelled, load, load_training
from tests.replies_patterns import sentences

SEED, EPOCHS, RATE, DECAY = 7, 15, 0.3, 2e-3
#: Sentences of a pattern.
OF_A_PATTERN = 300
#: What a text weighs, and a sentence of a pattern; and each of them without the innocent phrases,
#: which were written for the work half: of other texts they know less.
WEIGHTS, PATTERN_WEIGHTS = (1.0, 0.7), (0.35, 0.2)
#: Features of a single text say nothing of others.
SEEN_AT_LEAST = 2
#: Smaller weights change no reading, and the file is read by people too.
KEPT_FROM = 0.15

#: The features of a text, whether it refuses, and what it weighs.
Row = tuple[list[str], bool, float]


def fit(rows: Sequence[Row]) -> Model:
    counted = Counter(name for found, _, _ in rows for name in found)
    kept = [[name for name in found if counted[name] >= SEEN_AT_LEAST] for found, _, _ in rows]
    weights = {name: 0.0 for found in kept for name in found}
    squares = dict.fromkeys(weights, 1e-2)
    bias, bias_squares = 0.0, 1e-2
    chance = random.Random(SEED)
    order = list(range(len(rows)))
    for _ in range(EPOCHS):
        chance.shuffle(order)
        for i in order:
            found, (_, refusal, weighs) = kept[i], rows[i]
            norm = math.sqrt(len(found) + 1)
            score = bias + sum(weights[name] for name in found) / norm
            error = (1 / (1 + math.exp(-max(-30.0, min(30.0, score)))) - refusal) * weighs
            for name in found:
                slope = error / norm + DECAY * weighs * weights[name]
                squares[name] += slope * slope
                weights[name] -= RATE * slope / math.sqrt(squares[name])
            bias_squares += error * error
            bias -= RATE * error / math.sqrt(bias_squares)
    large = {name: round(w, 2) for name, w in sorted(weights.items()) if abs(w) >= KEPT_FROM}
    return Model(large, round(bias, 2))


def train(texts: Iterable[Labelled]) -> Model:
    rows: list[Row] = []
    for labelled in texts:
        rows += weighed(labelled.text, labelled.refusal, WEIGHTS)
    for text, refusal in load_training():
        rows += weighed(text, refusal, WEIGHTS)
    for text, refusal in sentences(OF_A_PATTERN, SEED):
        rows += weighed(text, refusal, PATTERN_WEIGHTS)
    return fit(rows)


def weighed(text: str, refusal: bool, weights: tuple[float, float]) -> Iterator[Row]:
    seen = seen_by_model(text)
    for found, weight in zip(dict.fromkeys(seen), weights, strict=False):
        yield sorted(map(sys.intern, found)), refusal, weight


if __name__ == "__main__":
    trained = train(labelled for labelled in load() if labelled.half == "work")
    document = {"bias": trained.bias, "weights": trained.weights}
    FILE.write_text(json.dumps(document, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
