"""Reading a vanity number, such as 1-800-FLOWERS: its letters stand for the digits of a keypad."""

from __future__ import annotations

import re

import phonenumbers

_LETTERED = re.compile(
    r"(?:\+?(1)[ .-]*)?\(?([2-9]\d\d)(\)?[ .-]*)((?:[0-9A-Z][ .-]*){7,12})",
    re.ASCII | re.IGNORECASE,
)
_SEPARATORS = re.compile("[ .-]+")
#: https://www.fcc.gov/general/what-toll-free-number-and-how-does-it-work
_TOLL_FREE = frozenset({"800", "833", "844", "855", "866", "877", "888"})
#: Digits behind the area code. Callers may dial more letters than that, and nothing hears them.
_DIALLED = 7


def vanity_number(text: str, region: str) -> str | None:
    """The North American number in E.164 form that the text spells; None where it has no letters,
    or may as well be a name. "800 Degrees" is a restaurant, and "360-Designs" a company."""
    found = _LETTERED.fullmatch(text)
    if found is None:
        return None
    country, area, between, rest = found.groups()
    rest = _SEPARATORS.sub("", rest)
    if rest.isdecimal():
        return None
    american = country or phonenumbers.country_code_for_region(region) == 1
    is_number = country or rest[:3].isdecimal() or (area in _TOLL_FREE and between.strip())
    if not (american and is_number):
        return None
    digits = phonenumbers.convert_alpha_characters_in_number(rest[:_DIALLED])
    return f"+1{area}{digits}"
