"""Names as they are searched: what is kept of a contact, and what is asked of it.

`name` is the folded name with two spaces before each word ("  ana  gomez"), `other` the company
and the e-mail ("optica lux<tab>ana example com"). An index of all parts of three characters leads
to both: "  m" is the beginning of a word, and "mar" inside of one. Those of `other` are marked, so
that a thousand mailboxes at example.com are not in the way of the one person called Exa.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.consent.model import Contact
from bot.consent.parsing import fold

_OTHER = "~"


@dataclass(frozen=True, slots=True)
class Part:
    """What has to be in one of the two texts."""

    #: "name" or "other".
    column: str
    #: Each of these has to be in it.
    texts: tuple[str, ...]

    @property
    def grams(self) -> list[str]:
        """Their parts of three characters. None where they are too short to have any.

        Of a word that begins with "ma", " ma" says all that "  m" does, and has fewer hits.
        """
        return sorted({gram for text in self.texts for gram in _grams(_shorter(text))})


def name_of(contact: Contact) -> str:
    return "" if contact.erased else "".join(f"  {word}" for word in fold(contact.name).split())


def other_of(contact: Contact) -> str:
    if contact.erased:
        return ""
    return f"{fold(contact.company)}\t{fold(contact.email or '')}".strip()


def grams_of(name: str, other: str) -> str:
    """As PostgreSQL reads an array: a folded text holds nothing that would have to be quoted."""
    found = {*_grams(name), *(f"{_OTHER}{gram}" for gram in _grams(other))}
    return "{" + ",".join(f'"{gram}"' for gram in sorted(found)) + "}"


def marked(part: Part) -> list[str]:
    """A part's grams as `grams_of` has them."""
    return [f"{_OTHER}{gram}" if part.column == "other" else gram for gram in part.grams]


def parts(text: str) -> list[Part]:
    """What is looked for, the best kind of hit first."""
    whole = fold(text)
    if not whole:
        return []
    words = sorted({f"  {word}" for word in whole.split()})
    return [
        Part("name", tuple(words)),
        Part("name", (whole.replace(" ", "  "),)),
        Part("other", (whole,)),
    ]


def digits(text: str) -> str:
    """The digits of a text that holds nothing else but what numbers are written with."""
    if any(c.isalpha() for c in text):
        return ""
    return "".join(str(int(c)) for c in text if c.isdecimal())


def _shorter(text: str) -> str:
    return text[1:] if text.startswith("  ") and len(text) > 3 else text


def _grams(text: str) -> set[str]:
    return {text[at : at + 3] for at in range(len(text) - 2)}
