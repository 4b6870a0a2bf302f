"""Events by HTTP: a result for each, in order, and no opt-out lost beside a wrong field."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from bot.consent.api_key import Scope
from bot.consent.use_cases import Details, add
from bot.runtime.clock import Stopped
from tests.support.api_fixtures import ApiClient, another_program
from tests.support.consent_fixtures import AGENT, told
from tests.support.take_fixtures import LOCAL, MAILBOX, OTHER_PHONE, PHONE

AT = "2026-11-03T14:00:00Z"


def event(
    type: str = "opt_out", address: str = PHONE, id: str = "e1", **more: Any
) -> dict[str, Any]:
    return {"type": type, "address": address, "id": id, "occurred_at": AT, **more}


def answer_of(api: ApiClient, address: str) -> str:
    return str(api.post("/check", {"to": address}).json()["answer"])


def raw(api: ApiClient, body: str) -> httpx.Response:
    headers = {"content-type": "application/json"}
    return api.send(
        "POST", "/events", content=body.encode("utf-8", "surrogatepass"), headers=headers
    )


def test_each_event_has_its_result_in_order(api: ApiClient) -> None:
    ana = add(api.service, Details(name="Ana", phone=PHONE, email=MAILBOX), AGENT)
    body = [
        event(sender=LOCAL, text="STOP"),
        event(sender=LOCAL, text="STOP"),
        event("bounce", MAILBOX, **{"class": "hard", "code": "5.1.1", "reason": "No such user."}),
        event("delivered", id="e2"),
        event("reply", id="e3"),
        event("reply", id="e4", text="See you!"),
        event("opt_out", OTHER_PHONE),
    ]
    results = api.post("/events", body).json()["results"]
    status = api.get(f"/contacts/{ana.id}").json()

    assert [one["outcome"] for one in results] == [
        "applied",
        "duplicate",
        "applied",
        "no_effect",
        "error",
        "no_effect",
        "applied",
    ]
    assert [one["id"] for one in results] == ["e1", "e1", "e1", "e2", "e3", "e4", "e1"]
    assert results[4]["error"]["pointer"] == "/4/text"
    assert (status["sms"]["on"], status["sms"]["blocks"][0]["state"]) == ("NO", "blocked")
    assert status["email"]["bounce"] == "YES"
    assert api.post("/events", body).json()["results"][0]["outcome"] == "duplicate"


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"colour": "red"}, "/0/colour"),
        ({"occurred_at": "yesterday"}, "/0/occurred_at"),
        ({"occurred_at": "2126-01-01T00:00:00Z"}, "/0/occurred_at"),
        ({"occurred_at": "2026-11-03T14:00:00"}, "/0/occurred_at"),
        ({"id": 7}, "/0/id"),
        ({"id": ""}, "/0/id"),
        ({"id": None}, "/0/id"),
        ({"text": ["STOP"]}, "/0/text"),
        ({"text": "x" * 6_000}, "/0/text"),
        ({"class": "harder"}, "/0/class"),
        ({"list": "x" * 400}, "/0/list"),
    ],
)
def test_an_opt_out_with_a_wrong_field_is_an_error_and_counts(
    api: ApiClient, wrong: dict[str, Any], pointer: str
) -> None:
    ana = add(api.service, Details(name="Ana", phone=PHONE), AGENT)
    bad = event() | wrong
    (first,) = api.post("/events", [bad]).json()["results"]
    entries = told(api.service)
    (again,) = api.post("/events", [bad]).json()["results"]

    assert (first["outcome"], first["opted_out"]) == ("error", True)
    assert first["error"]["pointer"] == pointer
    assert again == first
    assert told(api.service) == entries
    assert api.get(f"/contacts/{ana.id}").json()["sms"]["on"] == "NO"


@pytest.mark.parametrize(
    "bad",
    [
        event(address="12"),
        event("opt_in"),
        event("reply", occurred_at="x"),
        {"type": "opt_out"},
        {},
        7,
        "STOP",
        None,
        [event()],
    ],
)
def test_what_tells_of_no_opt_out_is_an_error_alone(api: ApiClient, bad: object) -> None:
    first, second = api.post("/events", [bad, event(id="good")]).json()["results"]

    assert (first["outcome"], first["opted_out"]) == ("error", False)
    assert second["outcome"] == "applied"


def test_a_number_that_is_no_text_is_still_an_address(api: ApiClient) -> None:
    (result,) = api.post("/events", [event(address=14155550100)]).json()["results"]  # type: ignore[arg-type]

    assert result["opted_out"]
    assert add(api.service, Details(name="Ana", phone=PHONE), AGENT).consents


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("[", 400),
        ("{}", 400),
        ('{"events": []}', 400),
        ("[]", 200),
        (json.dumps([event()] * 1_001), 400),
        ("[" + '"' + "x" * 2**20 + '"]', 413),
        ("[" * 100_000, 400),
    ],
)
def test_a_body_that_is_no_list_of_events_is_refused(
    api: ApiClient, body: str, status: int
) -> None:
    before = told(api.service)

    assert raw(api, body).status_code == status
    assert told(api.service) == before


def test_a_thousand_events_are_one_request(api: ApiClient) -> None:
    body = [event(address=f"+1415555{n:04}", id=str(n)) for n in range(1_000)]
    results = api.post("/events", body).json()["results"]

    assert {one["outcome"] for one in results} == {"applied"}
    assert answer_of(api, "+14155550999") == "no"


def test_events_take_their_scope_and_ids_belong_to_the_key(api: ApiClient, clock: Stopped) -> None:
    add(api.service, Details(name="Ana", phone=PHONE), AGENT)
    body = [event("reply", text="STOP")]
    another_program(api, "One", [Scope.EVENTS])
    assert api.post("/events", body).json()["results"][0]["outcome"] == "applied"
    assert api.post("/events", body).json()["results"][0]["outcome"] == "duplicate"
    another_program(api, "Two", [Scope.EVENTS])
    assert api.post("/events", body).json()["results"][0]["outcome"] == "applied"
    another_program(api, "Three", [Scope.WRITE, Scope.READ])

    assert api.post("/events", body).status_code == 403


def test_hostile_text_breaks_nothing(api: ApiClient) -> None:
    hostile = "\\u0000\\u202e<!channel>'; SELECT * FROM contacts; --"
    item = json.dumps(event("reply", text="@", id="#")).replace("@", hostile).replace("#", hostile)

    assert raw(api, f"[{item}]").json()["results"][0]["outcome"] == "no_effect"


@pytest.mark.parametrize(
    "bad", [rb"\ud800", rb"\ud800\ud800", b"\xff\xfe", b"\xed\xa0\x80", rb"\u0000", rb"\\\ud83d"]
)
def test_no_opt_out_is_lost_by_a_bad_character(api: ApiClient, bad: bytes) -> None:
    """Neither beside it in the same event, nor in another event of the request."""
    body = json.dumps([event(text="@", id="1"), event("opt_out", OTHER_PHONE, id="2")]).encode()
    headers = {"content-type": "application/json"}
    answer = api.send("POST", "/events", content=body.replace(b"@", bad), headers=headers)

    assert [one["outcome"] for one in answer.json()["results"]] == ["applied", "applied"]
    assert answer_of(api, PHONE) == answer_of(api, OTHER_PHONE) == "no"
    for phone in (PHONE, OTHER_PHONE):
        assert add(api.service, Details(name="Ana", phone=phone), AGENT).consents


def test_a_character_of_two_surrogates_stays(api: ApiClient) -> None:
    ana = add(api.service, Details(name="Ana", phone=PHONE), AGENT)
    raw(api, json.dumps([event("opt_out", text="STOP \U0001f6d1 \\ud83d", id="1")]))

    assert told(api.service, ana.id)[1].reason == "Replied “STOP \U0001f6d1 \\ud83d”"
