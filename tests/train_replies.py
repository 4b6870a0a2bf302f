"""Fit the weights of the reply model to the work half: `python -m tests.train_replies`.

Logistic regression by AdaGrad with weight decay; no randomness but a fixed seed, so that the same
texts give the same file.
"""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Iterable, Sequence

from bot.consent.replies.features import features
from bot.consent.replies.model import FILE, Model
from bot.consent.replies.read import left_to_read
from tests.labelled_replies import Labelled, load

SEED, EPOCHS, RATE, DECAY = 7, 15, 0.3, 5e-3
#: Features of a single text say nothing of others.
SEEN_AT_LEAST = 2
#: Smaller weights change no reading, and the file is read by people too.
KEPT_FROM = 0.1


def names(text: str) -> list[str]:
    words, asks = left_to_read(text)
    return sorted({name for name, _, _ in features(words, asks=asks)})


def fit(rows: Sequence[tuple[list[str], bool]]) -> Model:
    counted = Counter(name for found, _ in rows for name in found)
    kept = [[name for name in found if counted[name] >= SEEN_AT_LEAST] for found, _ in rows]
    weights = {name: 0.0 for found in kept for name in found}
    squares = dict.fromkeys(weights, 1e-2)
    bias, bias_squares = 0.0, 1e-2
    chance = random.Random(SEED)
    order = list(range(len(rows)))
    for _ in range(EPOCHS):
        chance.shuffle(order)
        for i in order:
            found, refusal = kept[i], rows[i][1]
            norm = math.sqrt(len(found) + 1)
            score = bias + sum(weights[name] for name in found) / norm
            error = 1 / (1 + math.exp(-max(-30.0, min(30.0, score)))) - refusal
            for name in found:
                slope = error / norm + DECAY * weights[name]
                squares[name] += slope * slope
                weights[name] -= RATE * slope / math.sqrt(squares[name])
            bias_squares += error * error
            bias -= RATE * error / math.sqrt(bias_squares)
    large = {name: round(w, 2) for name, w in sorted(weights.items()) if abs(w) >= KEPT_FROM}
    return Model(large, round(bias, 2))


def train(texts: Iterable[Labelled]) -> Model:
    return fit([(names(row.text), row.refusal) for row in texts])


if __name__ == "__main__":
    trained = train(labelled for labelled in load() if labelled.half == "work")
    document = {"bias": trained.bias, "weights": trained.weights}
    FILE.write_text(json.dumps(document, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
