"""Phone numbers and names in the forms that people type and files bring along."""

from __future__ import annotations

import random

import phonenumbers
import pytest
from phonenumbers import PhoneNumberType

from bot.consent.errors import Invalid
from bot.consent.model import Line
from bot.consent.reading import blank, fold, looks_like_phone, read_phone, storable, visible

ANA = "+14155550100"


@pytest.mark.parametrize(
    "text",
    [
        "+1 415 555 0100",
        "+14155550100",
        "(415) 555-0100",
        "415.555.0100",
        " 1-415-555-0100 ",
        "+1\u00a0415\u00a0555\u00a00100",
        "+1 (415) 555\u20110100",
        "\u202a+1 415 555 0100\u202c",
        "+1\u200b415\ufeff5550100",
        "tel:+14155550100",
        "٤١٥٥٥٥٠١٠٠",
        "４１５５５５０１００",
    ],
)
def test_a_number_is_the_same_in_every_form_that_people_type(text: str):
    assert read_phone(text, "US") == (ANA, Line.MOBILE)


@pytest.mark.parametrize(
    ("text", "region", "number", "line"),
    [
        ("+44 7911 123456", "US", "+447911123456", Line.MOBILE),
        ("07911 123456", "GB", "+447911123456", Line.MOBILE),
        ("+44 20 7946 0958", "US", "+442079460958", Line.LANDLINE),
        ("+33 1 42 68 53 00", "US", "+33142685300", Line.LANDLINE),
        ("+1 888 555 0199", "US", "+18885550199", Line.OTHER),
        ("1-800-FLOWERS", "US", "+18003569377", Line.OTHER),
        ("011 44 7911 123456", "US", "+447911123456", Line.MOBILE),
    ],
)
def test_a_number_has_its_kind_wherever_it_is_written_from(
    text: str, region: str, number: str, line: Line
):
    assert read_phone(text, region) == (number, line)


def test_the_quick_way_reads_what_phonenumbers_reads_in_every_area_of_north_america():
    for area in range(200, 1000):
        for text in (
            f"+1{area}5550100",
            f"({area}) 555-0100",
            f"{area}.411.2345",
            f"{area}9110100",
        ):
            for region in ("US", "CA", "JM", "GB"):
                assert _read(text, region) == _as_phonenumbers(text, region)


def test_a_number_of_any_country_and_kind_is_read_as_phonenumbers_reads_it():
    for region in phonenumbers.SUPPORTED_REGIONS:
        for kind in phonenumbers.PhoneNumberType.values():
            example = phonenumbers.example_number_for_type(region, kind)
            if example is not None:
                for form in _FORMS:
                    text = phonenumbers.format_number(example, form)
                    assert _read(text, region) == _as_phonenumbers(text, region)


_FORMS = (
    phonenumbers.PhoneNumberFormat.E164,
    phonenumbers.PhoneNumberFormat.INTERNATIONAL,
    phonenumbers.PhoneNumberFormat.NATIONAL,
)


def _read(text: str, region: str) -> str | None:
    try:
        return read_phone(text, region)[0]
    except Invalid:
        return None


def _as_phonenumbers(text: str, region: str) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no phone number"),
        ("   ", "no phone number"),
        ("\u200b", "no phone number"),
        ("Ana", "no phone number"),
        ("ana@example.com", "no phone number"),
        ("12345", "too short"),
        ("555-0100", "no area code"),
        ("+1 415 555 01000", "too long"),
        ("+999 123 456", "calling code"),
        ("+1 999 555 0100", "Check the digits"),
        ("1.41556E+10", "spreadsheet"),
        ("1,41556E+10", "spreadsheet"),
        ("+1.41556e10", "spreadsheet"),
        ("1E+10", "spreadsheet"),
        ("+1 415 555 0100 ext 5", "extension"),
        ("+1 415 555 0100 x5", "extension"),
        ("4155550100 or 4155550111", "too long"),
        ("4" * 81, "too long"),
        ("+1" + "0" * 10_000, "too long"),
        ("\ud800", "no phone number"),
        ("+14155550100;phone-context=+44", "no phone number"),
    ],
)
def test_what_is_no_number_is_refused_with_the_reason(text: str, says: str):
    with pytest.raises(Invalid) as refusal:
        read_phone(text, "US")

    assert says in refusal.value.sentence
    assert refusal.value.field == "phone"


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        ("+1 415 555 0100", True),
        ("(415) 555-0100", True),
        ("\u202a4155550100\u202c", True),
        ("12345", True),
        ("1234", False),
        ("Ana Gómez", False),
        ("Room 415 555", False),
        ("415 555 0100 or so", False),
    ],
)
def test_digits_with_what_numbers_are_written_with_are_meant_as_a_number(text: str, looks: bool):
    assert looks_like_phone(text) is looks


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ana Gómez", "ana gomez"),
        ("Ana  GOMEZ", "Ana Go\u0301mez"),
        ("O'Brien-Smith", "o brien smith"),
        ("Straße", "STRASSE"),
        ("\u202eAna\u202c", "Ana"),
        ("Ａｎａ", "ana"),
    ],
)
def test_names_are_the_same_but_for_case_accents_spaces_and_punctuation(one: str, other: str):
    assert fold(one) == fold(other)


def test_names_in_other_scripts_stay_apart():
    names = ["李小龙", "王小龙", "أنا", "Анна", "Ana", "אנה"]

    assert len({fold(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    "text", ["", None, " \t\n", "\u200b", "\u202a\u202c", "\0", "\x1b", "\ufeff "]
)
def test_what_cannot_be_seen_says_nothing(text: str | None):
    assert blank(text)


def test_one_letter_says_something():
    assert not blank("\u200ba")


def test_what_is_kept_has_no_control_characters_and_no_lone_surrogates():
    kept = storable("a\0b\x1b[2Jc\ud800d\r\ne\tf")

    assert kept == "a\ufffdb[2Jc\ufffdd\ne\tf"
    assert kept.encode()


def test_invisible_marks_go_and_letters_stay():
    assert visible("\u202aאנה\u202c 🙂") == "אנה 🙂"


def test_a_north_american_number_has_the_kind_that_phonenumbers_gives_it():
    lines = {
        PhoneNumberType.MOBILE: Line.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE: Line.MOBILE,
        PhoneNumberType.FIXED_LINE: Line.LANDLINE,
    }
    chance = random.Random(10)
    numbers = [
        f"+1{area}{exchange}{chance.randrange(10_000):04}"
        for area in range(200, 1_000)
        for exchange in (209, 555, *chance.sample(range(200, 1_000), 2))
    ]

    for number in numbers:
        parsed = phonenumbers.parse(number)
        if phonenumbers.is_valid_number(parsed):
            line = lines.get(phonenumbers.number_type(parsed), Line.OTHER)
            assert read_phone(number, "US") == (number, line)
        else:
            with pytest.raises(Invalid):
                read_phone(number, "US")
