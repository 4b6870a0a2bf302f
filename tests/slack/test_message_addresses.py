"""The phone numbers and e-mail addresses that are found in a message, and what is none."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.runtime.read_email import read_email
from handlers.slack.doors.message_addresses import MOST, addresses_in

GRACE = "+14155550106"
MAIL = "grace@example.com"
LINE = {"type": "text", "text": "Call (415) 555-0106"}


def found(message: object, region: str = "US") -> list[str]:
    return list(addresses_in(message, region, read_email).addresses)


def rich(*elements: dict[str, Any], kind: str = "rich_text_section") -> dict[str, Any]:
    return {"type": "rich_text", "elements": [{"type": kind, "elements": list(elements)}]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Call (415) 555-0106 please", [GRACE]),
        ("415.555.0106.", [GRACE]),
        ("+1 (415) 555‑0106", [GRACE]),
        ("\u202a+1 415 555 0106\u202c", [GRACE]),
        ("<tel:+14155550106|(415) 555-0106>", [GRACE]),
        ("<tel:4155550106|call me>", [GRACE]),
        (f"<mailto:{MAIL}|Grace Lee>", [MAIL]),
        (f"<mailto:{MAIL}?subject=Hi|write>", [MAIL]),
        ("<https://crm.example.com/4155550199|415-555-0106>", [GRACE]),
        (f"a &lt;{MAIL}&gt;, ({MAIL}). Or {MAIL.upper()}!", [MAIL]),
        (f"{MAIL} and +14155550106,+14155550100;+14155550106", [MAIL, GRACE, "+14155550100"]),
        ("o'neill+x@mail.example.co.uk's", ["o'neill+x@mail.example.co.uk"]),
        ("4155550106@example.com", ["4155550106@example.com"]),
        ("jürgen@müller.example", ["jürgen@müller.example"]),
        ("+44 20 7946 0958 / +49 30 901820", ["+442079460958", "+4930901820"]),
    ],
)
def test_what_stands_in_a_text(text: str, expected: list[str]) -> None:
    assert found({"text": text}) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*_~`",
        "order 1234567890 of 2026-11-03, 10:30, $1,234,567.00",
        "<https://crm.example.com/contacts/4155550106>",
        "<@U14155550106> <#C14155550106|phone> <!date^1700000000^{date}|4155550106>",
        "1700000000.123456 192.168.100.200 4242 4242 4242 4242",
        "@here me@ @example.com a@b",
        "\x00\ud800",
    ],
)
def test_what_is_no_address_is_not_read_as_one(text: str) -> None:
    assert found({"text": text}) == []


def test_national_numbers_are_those_of_the_region() -> None:
    assert found({"text": "06 12 34 56 78"}, "FR") == ["+33612345678"]
    assert found({"text": "06 12 34 56 78"}) == []


@pytest.mark.parametrize(
    "message",
    [
        {"blocks": [rich(LINE)]},
        {"blocks": [rich({"type": "link", "url": "tel:+14155550106", "text": "call"})]},
        {"blocks": [rich(LINE, kind="rich_text_preformatted")]},
        {
            "blocks": [
                {
                    "type": "rich_text",
                    "elements": [
                        rich(LINE)["elements"][0]
                        | {"type": "rich_text_list", "elements": [rich(LINE)["elements"][0]]}
                    ],
                }
            ]
        },
        {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "4155550106"}}]},
        {"blocks": [{"type": "section", "fields": [{"type": "plain_text", "text": "4155550106"}]}]},
        {"blocks": [{"type": "context", "elements": [{"type": "mrkdwn", "text": "4155550106"}]}]},
        {"blocks": [{"type": "table", "rows": [[{"type": "raw_text", "text": "4155550106"}]]}]},
        {"text": "see below", "attachments": [{"text": "from (415) 555-0106"}]},
        {"attachments": [{"fields": [{"title": "Phone", "value": "4155550106", "short": True}]}]},
        {"attachments": [{"fallback": "4155550106"}]},
        {"attachments": [{"blocks": [{"type": "header", "text": {"text": "4155550106"}}]}]},
        {"attachments": [{"message_blocks": [{"message": {"blocks": [rich(LINE)]}}]}]},
    ],
)
def test_every_part_of_a_message_is_read(message: dict[str, Any]) -> None:
    assert found(message) == [GRACE]


def test_a_number_is_not_read_across_two_elements_of_a_list() -> None:
    halves = [{"type": "text", "text": "(415) 555-"}, {"type": "user", "user_id": "U1"}]

    assert found({"blocks": [rich(*halves, {"type": "text", "text": "0106"})]}) == []


def test_what_buttons_carry_is_nobodys_address() -> None:
    button = {
        "type": "button",
        "text": {"type": "plain_text", "text": "4155550106"},
        "value": "4155550106",
    }

    assert found({"blocks": [{"type": "actions", "elements": [button]}]}) == []


def test_two_hundred_are_read_and_the_others_counted() -> None:
    numbers = [f"+1212555{number:04}" for number in range(1000, 1250)]

    named = addresses_in({"text": " ".join([*numbers, *numbers])}, "US", read_email)

    assert list(named.addresses) == numbers[:MOST]
    assert named.left_out == 50


@pytest.mark.parametrize(
    "part",
    ["1", "1 ", "123 ", "+1 415 555 01 ", "@", "a@", "a.b", "<", "<tel:", "<<tel:|", "(", "x@a."],
)
def test_forty_thousand_characters_of_anything_are_read_in_a_moment(part: str) -> None:
    began = time.process_time()

    found({"text": part * (40_000 // len(part))})

    assert time.process_time() - began < 2.0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "text", "blocks", "elements", "attachments", "fields", "url"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_whatever_slack_hands_over_is_read_or_passed_over(message: object) -> None:
    assert found(message) == []
