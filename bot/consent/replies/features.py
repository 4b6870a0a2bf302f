"""What the model sees of a reply: its words, their concepts, and how these follow one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.consent.replies.concepts import concepts

#: A feature and the words that it was read from, as a half-open range.
Feature = tuple[str, int, int]


#: Where a clause ends: as a word of its own, it tells "stop |" from "stop by".
END = "|"
_NO_CONCEPT = ("_", END)


def features(words: Sequence[str], *, asks: bool) -> Iterator[Feature]:
    """`words` begin and end with `END`, and have one at every other end of a clause."""
    known, tags = _known(words)
    n = len(words)
    for i in range(n):
        w, t = known[i], tags[i]
        yield "w " + w, i, i + 1
        if t not in _NO_CONCEPT:
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
                if t not in _NO_CONCEPT and tags[j] not in _NO_CONCEPT:
                    yield t + ".." + tags[j], i, j + 1
        if len(w) >= 4:
            padded = "^" + w + "$"
            for k in range(len(padded) - 3):
                yield "g " + padded[k : k + 4], i, i + 1
    yield from _of_all(known, tags, asks=asks)


def _of_all(known: Sequence[str], tags: Sequence[str], *, asks: bool) -> Iterator[Feature]:
    """Features of the reply as a whole: how it begins and ends, and which concepts meet in it."""
    n = len(tags)
    said = n - tags.count(END)
    if said:
        yield "first " + (tags[1] if tags[1] != "_" else known[1]), 1, 2
        yield "last " + (tags[-2] if tags[-2] != "_" else known[-2]), n - 2, n - 1
        yield "len " + str(said if said < 4 else 4 if said < 7 else 5 if said < 13 else 6), 0, n
        if said <= 3:
            yield "all " + " ".join(tags), 0, n
    places = {t: i for i, t in enumerate(tags) if t not in _NO_CONCEPT}
    for t, i in places.items():
        for t2, j in places.items():
            if t < t2:
                yield t + " & " + t2, min(i, j), max(i, j) + 1
    if asks:
        yield "?", 0, n
        for t in set(tags):
            if t not in _NO_CONCEPT:
                yield "? " + t, 0, n


def _known(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words as they were meant, and their concepts: "_" where one has none."""
    lexicon = concepts()
    known, tags = [], []
    for word in words:
        tag = END if word == END else lexicon.of(word)
        if tag is None and (meant := lexicon.meant(word)):
            word, tag = meant, lexicon.of(meant)
        known.append(word)
        tags.append(tag or "_")
    return known, tags
