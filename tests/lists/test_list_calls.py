"""The calls of a provider's API: what is sent, what is believed, and what is said of a fault."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers.suppression_lists.address_paths import address_segment, is_mailbox, name_segment
from handlers.suppression_lists.list_calls import LONGEST_WAIT, ListCalls
from handlers.suppression_lists.provider_lists import (
    AddressRefused,
    ListsForbidden,
    ListsUnavailable,
    ReadOutdated,
)
from tests.support.answering_lists import Api, Told, answering, dripping

ANA = "ana.fields@example.com"


def calls_to(api: Api | str, **more: Any) -> ListCalls:
    return ListCalls(
        label="Acme",
        api_url=api if isinstance(api, str) else api.url,
        headers=lambda _: {"Authorization": "Bearer secret"},
        forbidden="Make another key.",
        **more,
    )


#: None of them is one mailbox that a path can hold.
NO_ADDRESSES = [
    ".",
    "..",
    "/",
    "../",
    "ana",
    "@example.com",
    "ana@",
    "a@b@c",
    "ana@example.com/",
    "../@example.com",
    "a/../b@example.com",
    "/ana@example.com",
    "ana@example.com/..",
    "<ana@example.com>",
    '"ana"@example.com',
    "a\\b@example.com",
    "*",
    "%",
    "ana@example.com,bob@example.com",
]


@pytest.mark.parametrize(
    "address",
    [
        *NO_ADDRESSES,
        "",
        " ",
        "a b@example.com",
        "ana@exa mple.com",
        "ana@example.com\r\nX: y",
        "ana\x00@example.com",
        "\ud800@example.com",
        "a" * 400 + "@example.com",
    ],
    ids=ascii,
)
def test_nothing_but_one_address_becomes_a_part_of_a_path(address: str):
    with pytest.raises(AddressRefused):
        address_segment(address)


@pytest.mark.parametrize(
    ("address", "segment"),
    [
        (ANA, "ana.fields%40example.com"),
        ("o'brien+x/y@example.com", "o%27brien%2Bx%2Fy%40example.com"),
        ("100%@example.com", "100%25%40example.com"),
        ("a?b#c&d@example.com", "a%3Fb%23c%26d%40example.com"),
        ("jörg@bücher.example", "j%C3%B6rg%40b%C3%BCcher.example"),
        ("a..b@docomo.example", "a..b%40docomo.example"),
    ],
)
def test_an_address_is_percent_encoded_as_one_segment(address: str, segment: str):
    assert address_segment(address) == segment


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a%2fb", "a b", "-x/", "ä"])
def test_a_domain_or_stream_that_would_lead_elsewhere_is_no_part_of_a_path(name: str):
    with pytest.raises(ValueError, match="no name"):
        name_segment(name)


def test_no_call_names_a_list_without_an_address():
    with answering({}) as api:
        calls = calls_to(api)
        for id_ in ("", "..", "a/b"):
            with pytest.raises(AddressRefused):
                calls.delete_entry("/bounces", id_)
        for address in ("", "..", "."):
            with pytest.raises(AddressRefused):
                calls.delete("/bounces", address)
            with pytest.raises(AddressRefused):
                calls.find("/bounces", address, says_missing=bool)
        with pytest.raises(AssertionError):
            calls.send("DELETE", "/bounces", {"delete_all": True})

    assert api.asked == []


def test_a_call_says_who_it_is_and_follows_no_proxy(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with answering({"GET /lists": Told(content=[1])}) as api:
        assert calls_to(api).get("/lists") == [1]

    (asked,) = api.asked
    assert asked.headers["user-agent"].startswith("Optin")
    assert asked.headers["authorization"] == "Bearer secret"


def test_a_connection_is_kept_and_a_lost_one_costs_nothing():
    with answering({"GET /lists": Told(content=[])}) as api:
        calls = calls_to(api)
        for _ in range(5):
            calls.get("/lists")

        assert api.connections == 1

        first, answer = [], api.answer
        api.answer = lambda asked, handler: answer(asked, handler) if first else first.append(1)

        assert calls.get("/lists") == []
        assert api.connections == 2
        del calls


def test_a_new_connection_that_is_lost_is_not_tried_again():
    with answering(lambda asked, handler: None) as api, pytest.raises(ListsUnavailable):
        calls_to(api).get("/lists")

    assert len(api.asked) == 1


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (401, ListsForbidden, "Make another key"),
        (403, ListsForbidden, "Make another key"),
        (400, ListsUnavailable, "answers 400"),
        (404, ListsUnavailable, "answers 404"),
        (408, ListsUnavailable, "answers 408"),
        (429, ListsUnavailable, "answers 429"),
        (500, ListsUnavailable, "answers 500"),
        (503, ListsUnavailable, "answers 503"),
        (301, ListsUnavailable, "redirect"),
        (307, ListsUnavailable, "redirect"),
    ],
)
def test_every_other_status_is_an_error_that_says_what_it_was(status, error, says: str):
    told = Told(status=status, content={"email": ANA}, headers={"Location": "http://127.0.0.1:1/"})
    with answering({"GET /lists": told}) as api, pytest.raises(error, match=says) as raised:
        calls_to(api).get("/lists")

    assert type(raised.value) is error
    assert "ana" not in str(raised.value)
    assert len(api.asked) == 1


@pytest.mark.parametrize("status", [400, 422])
def test_a_refusal_of_one_address_concerns_no_other(status: int):
    with answering(lambda asked, handler: Told(status=status, content={"error": ANA})) as api:
        calls = calls_to(api)
        for call in (
            lambda: calls.find("/bounces", ANA, says_missing=lambda _: True),
            lambda: calls.delete("/bounces", ANA),
            lambda: calls.send("POST", "/bounces", {}, of_one=True),
        ):
            with pytest.raises(AddressRefused) as raised:
                call()
            assert "ana" not in str(raised.value)


def test_what_is_not_there_is_found_and_deleted_without_a_fault():
    with answering({}) as api:
        calls = calls_to(api)

        assert calls.find("/bounces", ANA, says_missing=lambda _: True) is None
        calls.delete("/bounces", ANA)

    assert api.lines == [
        f"{method} /bounces/ana.fields%40example.com" for method in ("GET", "DELETE")
    ]


def test_a_404_that_is_not_about_the_address_does_not_say_that_it_is_gone():
    with answering({}) as api, pytest.raises(ListsUnavailable, match="not about the address"):
        calls_to(api).find("/bounces", ANA, says_missing=lambda _: False)


def test_a_read_whose_place_is_gone_begins_anew():
    with answering({"GET /lists": Told(status=410)}) as api, pytest.raises(ReadOutdated):
        calls_to(api).get("/lists", outdated={410})


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"Retry-After": "7"}, timedelta(seconds=7)),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "999999999"}, LONGEST_WAIT),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, timedelta(0)),
        ({"ratelimit-reset": "3"}, timedelta(seconds=3)),
        ({"X-RateLimit-Reset": "1"}, timedelta(seconds=1)),
        ({"X-RateLimit-Reset": "1000000001"}, timedelta(0)),
        ({"X-RateLimit-Reset": "99999999999"}, LONGEST_WAIT),
    ],
)
def test_the_wait_that_a_provider_asks_for_has_a_limit(headers, wait):
    told = Told(status=429, headers=headers)
    with answering({"GET /lists": told}) as api, pytest.raises(ListsUnavailable) as raised:
        calls_to(api).get("/lists")

    assert raised.value.retry_after == wait


def test_a_wait_until_a_date_is_counted_from_now():
    at = datetime.now(UTC) + timedelta(seconds=90)
    told = Told(status=503, headers={"Retry-After": f"{at:%a, %d %b %Y %H:%M:%S} GMT"})
    with answering({"GET /lists": told}) as api, pytest.raises(ListsUnavailable) as raised:
        calls_to(api).get("/lists")

    assert raised.value.retry_after is not None
    assert timedelta(seconds=60) < raised.value.retry_after <= timedelta(seconds=90)


@pytest.mark.parametrize(
    "body", [b"<html>", b"[1,", b"\xff\xfe", b'{"a":' + b"9" * 5000 + b"}", b"[" * 100_000]
)
def test_an_answer_that_is_no_json_is_no_empty_list(body: bytes):
    with answering({"GET /lists": Told(content=body)}) as api, pytest.raises(ListsUnavailable):
        calls_to(api).get("/lists")


def test_an_answer_that_ends_too_early_is_not_believed():
    def half(asked, handler):
        handler.wfile.write(b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n[]")

    with answering(half) as api, pytest.raises(ListsUnavailable, match="whole answer"):
        calls_to(api).get("/lists")


def test_an_answer_that_is_too_large_is_not_read_to_its_end():
    def endless(asked, handler):
        handler.wfile.write(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while True:
                handler.wfile.write(b"10000\r\n" + b" " * 65_536 + b"\r\n")
        except OSError:
            return

    with answering(endless) as api, pytest.raises(ListsUnavailable, match="larger than 1 MB"):
        calls_to(api, largest=2**20).get("/lists")


def test_a_provider_that_sends_a_byte_now_and_then_holds_no_call_open():
    with answering(dripping) as api, pytest.raises(ListsUnavailable, match=r"within 0\.3 seconds"):
        calls_to(api, answer_within=0.3).get("/lists")


def test_a_provider_that_is_not_there_is_named():
    with pytest.raises(ListsUnavailable, match="Acme can't be reached"):
        calls_to("http://127.0.0.1:1").get("/lists")


def test_no_log_line_has_an_address_or_a_key(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    with answering({"GET /lists": Told(content=[ANA])}) as api:
        calls = calls_to(api)
        calls.get("/lists", [("address", ANA)])
        calls.find("/bounces", ANA, says_missing=lambda _: True)
        calls.delete("/bounces", ANA)
        with pytest.raises(ListsUnavailable):
            calls.send("POST", "/sent", {"emails": [ANA]})

    assert "/bounces" in caplog.text
    assert "ana." not in caplog.text
    assert "secret" not in caplog.text


def test_a_mailbox_that_a_path_can_hold_is_known_by_its_syntax():
    assert is_mailbox(ANA)
    assert not is_mailbox(None)
    assert not is_mailbox(7)
