"""Reading what people type: phone numbers and names."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType

from bot.consent.errors import Invalid
from bot.consent.model import Line

#: Longer than any number with its extension; what is longer is not even looked at.
_LONGEST_NUMBER = 80

_LINES = {
    PhoneNumberType.MOBILE: Line.MOBILE,
    # North America does not tell them apart: it may be a mobile, so it is taken for one.
    PhoneNumberType.FIXED_LINE_OR_MOBILE: Line.MOBILE,
    PhoneNumberType.FIXED_LINE: Line.LANDLINE,
}

#: What pasted numbers bring along: directional marks (U+202A … U+202C), zero-width characters.
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]")
#: What no name, note or reason needs, and some storages and terminals can't take.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SCIENTIFIC = re.compile(r"\s*[+-]?\d+[.,]\d+[eE]\+?\d+\s*", re.ASCII)
_NORTH_AMERICAN = re.compile(
    r"(\+1[ .-]?)?\(?([2-9][0-9]{2})\)?[ .-]?([2-9][0-9]{2})[ .-]?([0-9]{4})"
)
_EXTENSION = re.compile(r"(?<=[\d ])(?:ext(?:ension|n)?\.?|x\.?) *\d+$", re.IGNORECASE)
_BETWEEN_WORDS = re.compile(r"[\W_]+")


def read_phone(text: str, region: str) -> tuple[str, Line]:
    """A phone number in E.164 and its kind; national formats are read as the region's.

    Raises `Invalid` with a sentence that says what is wrong with it.
    """
    text = visible(text).strip()
    if len(text) > _LONGEST_NUMBER:
        raise Invalid("That is too long for a phone number.", field="phone")
    if _SCIENTIFIC.fullmatch(text):
        raise Invalid(
            "A spreadsheet has rounded this number (it ends in E+…). Format the column as text "
            "and export it again.",
            field="phone",
        )
    try:
        number = _north_american(text, region) or phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise Invalid(_UNREADABLE.get(error.error_type, _NOT_A_NUMBER), field="phone") from None
    if number.extension:
        raise Invalid(
            "A number with an extension can't get texts. Use the direct number.", field="phone"
        )
    # `is_valid_number` asks nothing else, and an import asks it a hundred thousand times.
    kind = phonenumbers.number_type(number)
    if kind == PhoneNumberType.UNKNOWN:
        raise Invalid(_wrong(number), field="phone")
    e164 = f"+{number.country_code}{phonenumbers.national_significant_number(number)}"
    return e164, _LINES.get(kind, Line.OTHER)


def _north_american(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    """What phonenumbers would read in the forms that most of our numbers are written in, at a
    tenth of the cost; None for any other."""
    found = _NORTH_AMERICAN.fullmatch(text)
    if found is None or not (found[1] or _calling_code(region) == 1):
        return None
    return phonenumbers.PhoneNumber(
        country_code=1, national_number=int("".join(found.groups()[1:]))
    )


@lru_cache(maxsize=8)
def _calling_code(region: str) -> int:
    return phonenumbers.country_code_for_region(region)


def looks_like_phone(text: str) -> bool:
    """Whether somebody meant a number: digits, and nothing but what numbers are written with."""
    text = _EXTENSION.sub("", visible(text).strip())
    digits = sum(character.isdecimal() for character in text)
    return digits >= 5 and all(c.isdecimal() or c in " +-.()/\u2010\u2011\u2013x#" for c in text)


def visible(text: str) -> str:
    """The text without directional marks and zero-width characters."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def storable(text: str) -> str:
    """The text as it is kept: without control characters, lone surrogates as question marks."""
    if text.isprintable():
        return text
    return _CONTROL.sub("", text).encode("utf-8", "replace").decode()


def blank(text: str | None) -> bool:
    """Whether nothing in it can be read: a space, a mark, a control character say nothing."""
    return not storable(visible(text or "")).strip()


def fold(text: str) -> str:
    """A name as it is searched: words in lower case, without accents, one space between them."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", visible(text))
        text = "".join(c for c in decomposed if not unicodedata.combining(c))
    return _BETWEEN_WORDS.sub(" ", text.casefold()).strip()


_NOT_A_NUMBER = "That is no phone number."
_UNREADABLE = {
    phonenumbers.NumberParseException.INVALID_COUNTRY_CODE: (
        "No country has this calling code. Write it as +1 415 555 0100."
    ),
    phonenumbers.NumberParseException.TOO_SHORT_NSN: "That number is too short.",
    phonenumbers.NumberParseException.TOO_SHORT_AFTER_IDD: "That number is too short.",
    phonenumbers.NumberParseException.TOO_LONG: "That number is too long.",
}


def _wrong(number: phonenumbers.PhoneNumber) -> str:
    match phonenumbers.is_possible_number_with_reason(number):
        case phonenumbers.ValidationResult.TOO_SHORT:
            return "That number is too short."
        case phonenumbers.ValidationResult.TOO_LONG:
            return "That number is too long."
        case phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
            return "That number has no area code."
    return "No such number can exist in its country. Check the digits."


def masked(address: str) -> str:
    """As lists and channels show an address: "ending 0100", "a…@example.com"."""
    if "@" in address:
        name, _, host = address.partition("@")
        return f"{name[:1]}…@{host}"
    return f"ending {address[-4:]}"
