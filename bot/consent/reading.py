"""Reading what people type: phone numbers and names."""

from __future__ import annotations

import re
import unicodedata

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
_SCIENTIFIC = re.compile(r"\s*[+-]?\d+[.,]\d+[eE]\+?\d+\s*", re.ASCII)
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
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise Invalid(_UNREADABLE.get(error.error_type, _NOT_A_NUMBER), field="phone") from None
    if number.extension:
        raise Invalid(
            "A number with an extension can't get texts. Use the direct number.", field="phone"
        )
    if not phonenumbers.is_valid_number(number):
        raise Invalid(_wrong(number), field="phone")
    kind = phonenumbers.number_type(number)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return e164, _LINES.get(kind, Line.OTHER)


def looks_like_phone(text: str) -> bool:
    """Whether somebody meant a number: digits, and nothing but what numbers are written with."""
    text = visible(text).strip()
    digits = sum(character.isdecimal() for character in text)
    return digits >= 5 and all(c.isdecimal() or c in " +-.()/\u2010\u2011\u2013x#" for c in text)


def visible(text: str) -> str:
    """The text without directional marks and zero-width characters."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


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
