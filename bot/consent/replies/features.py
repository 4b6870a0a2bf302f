"""What the model sees of a reply: its words, their concepts, and how these follow one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.consent.replies.concepts import concepts

#: A feature and the words that it was read from, as a half-open range.
Feature = tuple[str, int, int]


def features(words: Sequence[str], *, asks: bool) -> Iterator[Feature]:
    lexicon = concepts()
    known, tags = [], []
    for word in words:
        tag = lexicon.of(word)
        if tag is None and (meant := lexicon.meant(word)):
            known.append(meant)
            tags.append(lexicon.of(meant) or "_")
        else:
            known.append(word)
            tags.append(tag or "_")
    n = len(words)
    for i in range(n):
        w, t = known[i], tags[i]
        yield "w " + w, i, i + 1
        if t != "_":
            yield t, i, i + 1
        if i + 1 < n:
            yield "w " + w + " " + known[i + 1], i, i + 2
            t2 = tags[i + 1]
            yield t + " " + t2, i, i + 2
            if i + 2 < n:
                t3 = tags[i + 2]
                yield t + " " + t2 + " " + t3, i, i + 3
                if i + 3 < n:
                    yield t + " " + t2 + " " + t3 + " " + tags[i + 3], i, i + 4
                yield "w " + w + " " + known[i + 1] + " " + known[i + 2], i, i + 3
            for j in range(i + 2, min(n, i + 6)):
                if t != "_" and tags[j] != "_":
                    yield t + ".." + tags[j], i, j + 1
        if len(w) >= 4:
            padded = "^" + w + "$"
            for size in (4,):
                for k in range(len(padded) - size + 1):
                    yield "g " + padded[k : k + size], i, i + 1
    if n:
        yield "first " + (tags[0] if tags[0] != "_" else known[0]), 0, 1
        yield "last " + (tags[-1] if tags[-1] != "_" else known[-1]), n - 1, n
        yield "len " + str(min(n, 3) if n < 4 else 4 if n < 7 else 5 if n < 13 else 6), 0, n
        if n <= 3:
            yield "all " + " ".join(tags), 0, n
    places = {t: i for i, t in enumerate(tags) if t != "_"}
    for t, i in places.items():
        for t2, j in places.items():
            if t < t2:
                yield t + " & " + t2, min(i, j), max(i, j) + 1
    if asks:
        yield "?", 0, n
        for t in set(tags):
            if t != "_":
                yield "? " + t, 0, n
