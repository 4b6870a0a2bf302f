"""What an import does the short way is what the long way does."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import unicodedata

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from bot.consent.addresses import key_of
from bot.consent.errors import Invalid
from bot.consent.frozen import replace
from bot.consent.log import chain
from bot.consent.model import AddressFacts, Consent, ConsentValue, Contact
from bot.consent.parsing import read_phone
from bot.consent.use_cases.record import new_id
from bot.runtime.read_email import read_email
from tests.support.consent_fixtures import NOW

AREA = st.sampled_from(["415", "212", "876", "242", "800", "911", "200", "123", "555"])


@given(
    st.sampled_from(["", "+1", "+1 ", "+1-", "1", "+44 ", "("]),
    st.one_of(AREA, st.from_regex("[0-9]{3}", fullmatch=True)),
    st.sampled_from(["", " ", ")", ") ", "-", "."]),
    st.from_regex("[0-9]{3}", fullmatch=True),
    st.sampled_from(["", " ", "-"]),
    st.from_regex("[0-9]{3,5}", fullmatch=True),
    st.sampled_from(["US", "JM", "DE", "GB"]),
)
def test_a_number_is_read_as_phonenumbers_reads_it(
    prefix: str, area: str, first: str, middle: str, second: str, last: str, region: str
) -> None:
    text = f"{prefix}{area}{first}{middle}{second}{last}"
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        parsed = None
    if "+" not in text and not (parsed and phonenumbers.is_possible_number(parsed)):
        # What is no number of the region may be an international one whose plus was lost.
        digits = "".join(filter(str.isdecimal, text))
        try:
            parsed = phonenumbers.parse(f"+{digits}")
        except phonenumbers.NumberParseException:
            parsed = None
    expected = None
    if parsed and phonenumbers.is_valid_number(parsed):
        expected = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    try:
        found = read_phone(text, region)[0]
    except Invalid:
        found = None

    assert found == expected


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_the_example_numbers_of_every_region_are_right(region: str) -> None:
    number = phonenumbers.example_number(region)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)

    assert read_phone(e164, "US")[0] == e164
    assert read_phone(national, region)[0] == e164


LOCAL = st.text('abZ1._-+!é" @', min_size=0, max_size=66)
DOMAIN = st.sampled_from(
    [
        *("example.com", "EXAMPLE.Com", "x", "localhost", "a..b", "-a.com", "foo.test", "1.2.3.4"),
        *("[1.2.3.4]", "xn--mnchen-3ya.de", "münchen.de", "a" * 64 + ".com", "example.com.", ""),
        *(
            "exa mple.com",
            "ex@mple.com",
            "foo.invalid",
            "foo.local",
            ".".join(["a" * 60] * 4) + ".com",
        ),
    ]
)


@given(LOCAL, DOMAIN)
def test_a_mailbox_is_read_as_email_validator_reads_it(local: str, domain: str) -> None:
    text = f"{local}@{domain}".strip()
    try:
        checked = validate_email(text, check_deliverability=False, test_environment=True)
        shown = unicodedata.normalize("NFC", text)
        expected = shown, f"{checked.local_part.lower()}@{checked.ascii_domain}"
    except EmailNotValidError:
        expected = None
    try:
        found = read_email(text), key_of(read_email(text))
    except Invalid:
        found = None

    assert found == expected


@given(st.lists(st.one_of(st.none(), st.booleans(), st.integers(), st.text(st.characters()))))
def test_the_bytes_that_are_hashed_are_json(values: list[str | int | None]) -> None:
    canonical = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    expected = hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()

    assert chain._sha256(values) == expected


def test_replacing_is_what_the_standard_library_does() -> None:
    contact = Contact(id="a", name="Ana", consents={"x": Consent(on=ConsentValue.YES)})
    facts = AddressFacts(address="x", soft_failures=(NOW,))

    assert replace(contact, name="Ben", version=3) == dataclasses.replace(
        contact, name="Ben", version=3
    )
    assert replace(facts) == facts
    assert replace(facts) is not facts
    assert contact.name == "Ana"
    with pytest.raises(AttributeError):
        replace(contact, nickname="B")
    with pytest.raises(dataclasses.FrozenInstanceError):
        replace(contact, name="Ben").name = "Cy"  # type: ignore[misc]  # that is the point


def test_ids_sort_by_their_making() -> None:
    ids = [new_id(NOW) for _ in range(2_000)]

    assert ids == sorted(set(ids))
    assert {len(id) for id in ids} == {32}
