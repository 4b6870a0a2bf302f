"""Reading what people type: phone numbers and names."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType

from bot.consent.addresses import without_scheme
from bot.consent.errors import Invalid
from bot.consent.model import LineType

#: Longer than any number with its extension; what is longer is not even looked at.
_LONGEST_NUMBER = 80

_LINES = {
    PhoneNumberType.MOBILE: LineType.MOBILE,
    # North America does not tell them apart: it may be a mobile, so it is taken for one.
    PhoneNumberType.FIXED_LINE_OR_MOBILE: LineType.MOBILE,
    PhoneNumberType.FIXED_LINE: LineType.LANDLINE,
}

#: What pasted numbers bring along: directional marks (U+202A … U+202C), zero-width characters.
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]")
#: What no name, note or reason needs, and some storages and terminals can't take.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
#: What no storage can hold.
_BROKEN = re.compile("[\x00\ud800-\udfff]")
_SCIENTIFIC = re.compile(r"\s*[+-]?\d+([.,]\d+)?[eE]\+?\d+\s*", re.ASCII)
#: What a spreadsheet puts behind a number that it takes for a count. With other dots in it, as in
#: 06.12.34.56.00, the last one only stands between two groups.
_DECIMALS = re.compile(r"([^.,]*\d)[.,]0+", re.ASCII)
#: What Mexicans dialled before the ten digits of a mobile number, until 2019.
_MEXICAN_MOBILE = re.compile(r"((?:\+?52)?\D*)04[45](\D*(?:\d\D*){10})", re.ASCII)
_DIGITS = re.compile(r"[1-9]\d{6,14}", re.ASCII)
_NORTH_AMERICAN = re.compile(
    r"(\+1[ .-]?)?\(?([2-9][0-9]{2})\)?[ .-]?([2-9][0-9]{2})[ .-]?([0-9]{4})"
)
_EXTENSION = re.compile(r"(?<=[\d ])(?:ext(?:ension|n)?\.?|x\.?) *\d+$", re.IGNORECASE)
_SEPARATORS = re.compile(r"[ .()/-]+")
_BETWEEN_WORDS = re.compile(r"[\W_]+")


def read_phone(text: str, region: str) -> tuple[str, LineType]:
    """A phone number in E.164, as it is shown, and its kind; national formats are read as the
    region's, and what can't be one there as an international number without its plus.

    Raises `Invalid` with a sentence that says what is wrong with it.
    """
    text = without_scheme(visible(text).strip())
    if len(text) > _LONGEST_NUMBER:
        raise Invalid("That is too long for a phone number.", field="phone")
    if _SCIENTIFIC.fullmatch(text):
        raise Invalid(
            "A spreadsheet has rounded this number (it ends in E+…). Format the column as text "
            "and export it again.",
            field="phone",
        )
    if counted := _DECIMALS.fullmatch(text):
        text = counted[1]
    if (region == "MX" or "52" in text[:3]) and (dialled := _MEXICAN_MOBILE.fullmatch(text)):
        text = "".join(dialled.groups())
    number = _north_american(text, region) or _parsed(text, region)
    if number.extension:
        raise Invalid(
            "A number with an extension can't get texts. Use the direct number.", field="phone"
        )
    # `is_valid_number` asks nothing else, and an import asks it a hundred thousand times.
    kind = _kind(number)
    if kind == PhoneNumberType.UNKNOWN:
        if counted:
            raise Invalid(
                "A spreadsheet has put decimals behind this number, and what stands before them "
                "is no number. Format the column as text and export it again.",
                field="phone",
            )
        raise Invalid(_wrong(number), field="phone")
    return e164(number), _LINES.get(kind, LineType.OTHER)


def international(digits: str) -> str | None:
    """The number in E.164 where these are the digits of one with its calling code, as providers
    write it without a plus; None where they are not."""
    if not _DIGITS.fullmatch(digits):
        return None
    try:
        number = _with_one_form(phonenumbers.parse(f"+{digits}"))
    except phonenumbers.NumberParseException:
        return None
    return e164(number) if phonenumbers.is_valid_number(number) else None


def e164(number: phonenumbers.PhoneNumber) -> str:
    """As numbers are written from country to country: +14155550100."""
    return f"+{number.country_code}{phonenumbers.national_significant_number(number)}"


def _parsed(text: str, region: str) -> phonenumbers.PhoneNumber:
    try:
        number = _with_one_form(phonenumbers.parse(text, region))
    except phonenumbers.NumberParseException as error:
        raise Invalid(_UNREADABLE.get(error.error_type, _NOT_A_NUMBER), field="phone") from None
    if "+" in text or phonenumbers.is_possible_number(number):
        return number
    # Not a number of this region: an international one whose plus was lost, or none at all.
    whole = international(_SEPARATORS.sub("", text))
    return phonenumbers.parse(whole) if whole else number


def _with_one_form(number: phonenumbers.PhoneNumber) -> phonenumbers.PhoneNumber:
    """Mexico's mobile numbers lost their 1 behind +52 in 2019, and providers still write it."""
    digits = str(number.national_number)
    if number.country_code == 52 and len(digits) == 11 and digits.startswith("1"):
        return phonenumbers.PhoneNumber(country_code=52, national_number=int(digits[1:]))
    return number


def _north_american(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    """What phonenumbers would read in the forms that most of our numbers are written in, at a
    tenth of the cost; None for any other."""
    found = _NORTH_AMERICAN.fullmatch(text)
    if found is None or not (found[1] or _calling_code(region) == 1):
        return None
    return phonenumbers.PhoneNumber(
        country_code=1, national_number=int("".join(found.groups()[1:]))
    )


def _kind(number: phonenumbers.PhoneNumber) -> int:
    """What `phonenumbers.number_type` says. It compares a number of the United States with twenty
    patterns, and one of Canada with fifty; these are in one, by which nearly all of them are known
    at once."""
    if number.country_code == 1 and _american().fullmatch(
        phonenumbers.national_significant_number(number)
    ):
        return PhoneNumberType.FIXED_LINE_OR_MOBILE
    return phonenumbers.number_type(number)


#: As phonenumbers names them; a number of several kinds is of the first. Mobiles have the pattern
#: of landlines.
_AMERICAN_KINDS = (
    "premium_rate",
    "toll_free",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
    "fixed_line",
)


@lru_cache(maxsize=1)
def _american() -> re.Pattern[str]:
    """Landlines and mobiles of the United States and Canada, without the numbers of every other
    kind."""
    ordinary, others = [], []
    for region in ("US", "CA"):
        kinds = phonenumbers.PhoneMetadata.metadata_for_region(region)
        known = (getattr(kinds, kind) for kind in _AMERICAN_KINDS)
        *special, plain = (kind.national_number_pattern for kind in known if kind)
        ordinary.append(plain)
        others += special
    return re.compile(rf"(?!(?:{'|'.join(others)})\Z)(?:{'|'.join(ordinary)})")


@lru_cache(maxsize=8)
def _calling_code(region: str) -> int:
    return phonenumbers.country_code_for_region(region)


def looks_like_phone(text: str) -> bool:
    """Whether somebody meant a number: digits, and nothing but what numbers are written with."""
    text = _EXTENSION.sub("", visible(text).strip())
    digits = sum(map(str.isdecimal, text))
    return digits >= 5 and all(c.isdecimal() or c in " +-.()/\u2010\u2011\u2013x#" for c in text)


def visible(text: str) -> str:
    """The text without directional marks and zero-width characters."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def storable(text: str) -> str:
    """The text as it is kept: without control characters. NUL and lone surrogates, which no
    storage can hold, become U+FFFD."""
    if text.isprintable():
        return text
    return _CONTROL.sub("", _BROKEN.sub("\ufffd", text))


def blank(text: str | None) -> bool:
    """Whether nothing in it can be read: a space, a mark, a control character say nothing."""
    return not storable(visible(text or "")).strip("\ufffd \t\n")


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
