"""What is done the short way comes out as the long way does it."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.consent.addresses import key_of
from bot.consent.errors import Invalid
from bot.consent.frozen import plain_replace, quick, replace
from bot.consent.log.chain import canonical, plain_canonical
from bot.consent.model import Consent, ConsentValue, Contact
from bot.consent.parsing import read_phone
from bot.consent.use_cases.context import keyed_hash, plain_keyed_hash
from bot.consent.use_cases.record import new_id
from bot.runtime.read_email import read_email
from tests.support.consent_fixtures import NOW

AREA = st.sampled_from(
    ["415", "212", "604", "416", "600", "876", "242", "800", "911", "200", "123", "555"]
)


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
    # To us, though not to phonenumbers, zeros behind a point are what a spreadsheet has put there.
    assume(not re.fullmatch(r".*\.0+", text))
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
def test_the_quick_encoder_of_the_chain_writes_what_the_plain_one_writes(
    values: list[str | int | None],
) -> None:
    assert canonical(values) == plain_canonical(values)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_the_quick_keyed_hash_is_the_hmac(key: bytes, data: bytes) -> None:
    assert keyed_hash(key, data) == plain_keyed_hash(key, data)


@given(
    st.builds(Contact, id=st.text(), name=st.text(), do_not_contact=st.booleans()),
    st.fixed_dictionaries({}, optional={"name": st.text(), "version": st.integers()}),
)
def test_the_quick_replace_makes_what_the_plain_one_makes(
    contact: Contact, fields: dict[str, Any]
) -> None:
    before = plain_replace(contact)

    assert replace(contact, **fields) == plain_replace(contact, **fields)
    assert replace(contact, **fields) is not contact
    assert contact == before


def test_a_replaced_value_is_frozen_and_has_no_other_fields() -> None:
    contact = Contact(id="a", name="Ana", consents={"x": Consent(on=ConsentValue.YES)})

    with pytest.raises(AttributeError):
        replace(contact, nickname="B")
    with pytest.raises(dataclasses.FrozenInstanceError):
        replace(contact, name="Ben").name = "Cy"  # type: ignore[misc]  # that is the point


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """As most of our values are."""

    name: str
    count: int = 1
    parts: dict[str, int] = field(default_factory=dict)


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Quick:
    """The same, built quickly."""

    name: str
    count: int = 1
    parts: dict[str, int] = field(default_factory=dict)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "name": st.text(),
            "count": st.integers(),
            "parts": st.dictionaries(st.text(), st.integers()),
            "stranger": st.none(),
        },
    ),
)
def test_a_value_that_is_built_quickly_is_as_any_other(fields: dict[str, Any]) -> None:
    try:
        plain = dataclasses.asdict(Plain(**fields))
    except TypeError:
        with pytest.raises(TypeError):
            Quick(**fields)
    else:
        assert dataclasses.asdict(Quick(**fields)) == plain


def test_a_value_that_is_built_quickly_is_frozen_and_shares_no_default() -> None:
    value = Quick(name="a")

    assert type(value) is Quick
    assert value.parts is not Quick(name="a").parts
    assert value == plain_replace(value)
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.name = "b"  # type: ignore[misc]  # that is the point
    with pytest.raises(TypeError):
        Quick("a")  # type: ignore[misc]  # its fields have names


def test_ids_sort_by_their_making() -> None:
    ids = [new_id(NOW) for _ in range(2_000)]

    assert ids == sorted(set(ids))
    assert {len(id) for id in ids} == {32}
