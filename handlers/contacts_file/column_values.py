"""What a column is by the values in it: addresses, reasons, words about consent."""

from __future__ import annotations

from collections.abc import Sequence

from bot.consent.parsing import looks_like_phone
from handlers.cells import plain
from handlers.contacts_file.cell_times import looks_like_time
from handlers.contacts_file.cell_values import is_strong, read_statement
from handlers.contacts_file.column_words import Meaning
from handlers.contacts_file.columns import Column, Kind

#: After every title that says what it is.
_LAST = 50


def untitled(first: Sequence[str]) -> bool:
    """Whether a file begins with a row of addresses, and so has no titles."""
    return any("@" in cell or _like_phone(cell) for cell in first)


def titles_for(sample: Sequence[Sequence[str]]) -> list[str]:
    """Titles for a list that has none, by its values."""
    titles = []
    for place in range(max(map(len, sample))):
        values = values_of(place, sample)
        if reasons_in(values) * 2 > len(values):
            titles.append(Column.LIST_REASON.value)
        else:
            found = address_in(values)
            titles.append(found.column.value if found else f"column {place + 1}")
    return titles


def reasons_in(values: Sequence[str]) -> int:
    """How many of these are reasons of a suppression list."""
    return sum(read_statement(value, Kind.LIST_REASON) is not None for value in values)


def about_consent(values: Sequence[str]) -> bool:
    """Whether any of these is a word about consent, whatever the title."""
    return any(map(is_strong, values))


def all_numbers(values: Sequence[str]) -> bool:
    """Whether these are phone numbers in E.164: some systems take them for the contact's id."""
    return bool(values) and all(value[:1] == "+" and _like_phone(value) for value in values)


def values_of(place: int, sample: Sequence[Sequence[str]]) -> list[str]:
    """What stands in a column."""
    return [plain(row[place]) for row in sample if place < len(row) and row[place].strip()]


def address_in(values: list[str]) -> Meaning | None:
    """Whether a column holds mailboxes or phone numbers."""
    if values and sum("@" in value for value in values) * 2 > len(values):
        return Meaning(Column.EMAIL, rank=_LAST)
    if values and sum(map(_like_phone, values)) * 2 > len(values):
        return Meaning(Column.MOBILE, rank=_LAST)
    return None


def _like_phone(value: str) -> bool:
    value = value.strip().lstrip("'").removeprefix("p:").removeprefix("tel:").removesuffix(".0")
    digits = sum(character.isdecimal() for character in value)
    return 7 <= digits <= 15 and looks_like_phone(value) and not looks_like_time(value)
