"""The ways in which a mailbox may have been written when a link was made for it.

A token is an HMAC over the mailbox as a mailing tool wrote it, with its capitals. Nothing can be
read back from it, so the likely spellings are tried, the likeliest first.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import idna

#: A domain with more labels gets no mixed forms: there would be too many.
_MOST_LABELS = 3


def spellings(mailbox: str) -> Iterator[str]:
    """The mailbox in other capitals, each spelling once; may be more than anybody wants to try.

    The local part gets up to two capitals anywhere, a capital for each word, or capitals
    throughout. The domain comes in Unicode and in punycode.
    """
    local, _, domain = mailbox.rpartition("@")
    domains = list(dict.fromkeys(_domains(domain)))
    seen: set[str] = set()
    for spelled in _locals(local):
        if spelled not in seen:
            seen.add(spelled)
            yield from (f"{spelled}@{one}" for one in domains)


def _locals(local: str) -> Iterator[str]:
    lower = local.lower()
    yield from (local, lower, lower.title(), lower.upper())
    letters = [place for place, letter in enumerate(lower) if _has_capital(letter)]
    first = letters[:1]
    # "LinkCase" and "Linkcase" are likelier than "linkCase".
    for place in letters:
        yield _with_capitals(lower, *first, place)
    for place in letters:
        yield _with_capitals(lower, place)
    for pair in combinations(letters, 2):
        yield _with_capitals(lower, *pair)


def _domains(domain: str) -> Iterator[str]:
    yield domain
    for form in _scripts(domain.lower()):
        labels = form.split(".")
        places = range(len(labels))
        yield form
        yield _with_capital_labels(labels, {0})
        yield _with_capital_labels(labels, set(places))
        yield form.upper()
        if len(labels) <= _MOST_LABELS:
            for count in places:
                for some in combinations(places, count):
                    yield _with_capital_labels(labels, set(some))


def _scripts(domain: str) -> Iterator[str]:
    """In Unicode and in punycode (IDNA 2008, with the mapping of UTS 46)."""
    yield domain
    try:
        punycode = idna.encode(domain, uts46=True).decode()
        yield punycode
        yield idna.decode(punycode)
    except (idna.IDNAError, UnicodeError):
        return


def _has_capital(letter: str) -> bool:
    capital = letter.upper()
    return capital != letter and len(capital) == 1


def _with_capitals(text: str, *places: int) -> str:
    letters = list(text)
    for place in places:
        letters[place] = letters[place].upper()
    return "".join(letters)


def _with_capital_labels(labels: list[str], places: set[int]) -> str:
    return ".".join(
        label[:1].upper() + label[1:] if place in places else label
        for place, label in enumerate(labels)
    )
