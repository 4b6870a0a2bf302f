"""No opt-out is lost by what stands beside it, whichever way a program states it."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from bot.consent.model import ConsentValue
from bot.consent.use_cases import Details, StatusUpdate, add, change
from tests.support.api_fixtures import ApiClient
from tests.support.consent_fixtures import AGENT, told
from tests.support.take_fixtures import LOCAL, MAILBOX, PHONE

AT = "2026-11-03T14:00:00Z"
#: In UTC, it lies before the first year.
BEFORE_ALL_TIMES = "0001-01-01T00:00:00+14:00"


@pytest.fixture
def ana(api: ApiClient) -> str:
    """Agreed to everything."""
    contact = add(api.service, Details(name="Ana", phone=PHONE, email=MAILBOX), AGENT)
    yes = StatusUpdate(sms=ConsentValue.YES, email=ConsentValue.YES, evidence="Web form")
    return change(api.service, contact.id, yes, AGENT).contact.id


def event(type: str, address: str = PHONE, id: str = "e1", **more: Any) -> dict[str, Any]:
    return {"type": type, "address": address, "id": id, "occurred_at": AT, **more}


def send(api: ApiClient, body: bytes) -> dict[str, Any]:
    headers = {"content-type": "application/json"}
    answer = api.send("POST", "/events", content=body, headers=headers)
    return dict(answer.json()["results"][0])


def answer_of(api: ApiClient, address: str) -> str:
    return str(api.post("/check", {"to": address}).json()["answer"])


# Events


@pytest.mark.parametrize("type", ["opt_out", "unsubscribe", "bounce", "reply", "delivered"])
def test_a_time_before_all_times_breaks_nothing(api: ApiClient, ana: str, type: str) -> None:
    bad = event(type, text="STOP", sender=LOCAL, sent_at=BEFORE_ALL_TIMES)
    good = event("unsubscribe", MAILBOX, id="e2")
    answer = api.post("/events", [bad | {"occurred_at": BEFORE_ALL_TIMES}, good])

    assert answer.status_code == 200
    assert answer_of(api, MAILBOX) == "no"
    assert api.get("/activity").status_code == 200
    if type in ("opt_out", "unsubscribe", "reply"):
        assert answer_of(api, PHONE) == "no"


@pytest.mark.parametrize(
    "rest",
    [
        b'"id": "1", "occurred_at": "bad", "text": "\xff"',
        b'"id": "1", "occurred_at": "2026-11-03T14:00:00Z", "colour": "\xed\xa0\x80"',
        b'"id": "1", "occurred_at": "2026-11-03T14:00:00Z", "code": 1e999',
        b'"id": ' + b"9" * 5_000 + b', "occurred_at": "2026-11-03T14:00:00Z"',
    ],
)
def test_an_opt_out_beside_what_can_not_be_read_counts(
    api: ApiClient, ana: str, rest: bytes
) -> None:
    result = send(api, b'[{"type": "opt_out", "address": "%b", %b}]' % (PHONE.encode(), rest))

    assert (result["outcome"], result["opted_out"]) == ("error", True)
    assert answer_of(api, PHONE) == "no"


@pytest.mark.parametrize(
    "wrong", [{"type": "OPT-OUT"}, {"type": " Opt_Out "}, {"address": 14155550100.0}]
)
def test_an_opt_out_in_another_spelling_is_an_error_and_counts(
    api: ApiClient, ana: str, wrong: dict[str, Any]
) -> None:
    result = send(api, json.dumps([event("opt_out") | wrong]).encode())

    assert (result["outcome"], result["opted_out"]) == ("error", True)
    assert answer_of(api, PHONE) == "no"


@pytest.mark.parametrize(
    "wrong",
    [
        {"occurred_at": "yesterday"},
        {"sender": 18885550199},
        {"id": None},
        {"channel": "sms"},
        {"text": "STOP" + " " * 6_000},
        {"text": "Please stop texting me", "id": 7},
    ],
)
def test_a_reply_with_a_wrong_field_that_refuses_is_an_error_and_counts(
    api: ApiClient, ana: str, wrong: dict[str, Any]
) -> None:
    result = send(api, json.dumps([event("reply", text="STOP") | wrong]).encode())

    assert (result["outcome"], result["opted_out"]) == ("error", True)
    assert answer_of(api, PHONE) == "no"


@pytest.mark.parametrize("text", ["See you!", "START", "UNSTOP", "YES", ""])
def test_any_other_reply_with_a_wrong_field_does_nothing(
    api: ApiClient, ana: str, text: str
) -> None:
    before = told(api.service)
    result = send(api, json.dumps([event("reply", text=text, occurred_at="x")]).encode())

    assert (result["outcome"], result["opted_out"]) == ("error", False)
    assert told(api.service) == before


@pytest.mark.parametrize(
    ("first", "second", "address"),
    [("bounce", "complaint", MAILBOX), ("reply", "opt_out", PHONE), ("bounce", "opt_out", PHONE)],
)
def test_an_opt_out_with_the_id_of_an_event_of_another_type_counts(
    api: ApiClient, ana: str, first: str, second: str, address: str
) -> None:
    """As where a program gives each event the id of its message."""
    events = [event(type, address, text="Hi") for type in (first, second)]
    for one in events:
        api.post("/events", [one])
    again = [api.post("/events", [one]).json()["results"][0]["outcome"] for one in events]

    assert answer_of(api, address) == "no"
    assert again == ["duplicate", "duplicate"]


def test_an_id_that_holds_the_address_is_not_kept_as_it_is(api: ApiClient, ana: str) -> None:
    """No erasure takes an id out of the log."""
    ids = [f"unsub:{MAILBOX.upper()}", "tel:1 (415) 555-0100"]
    api.post(
        "/events",
        [event("unsubscribe", MAILBOX, id=ids[0]), event("opt_out", id=ids[1], sender=LOCAL)],
    )
    kept = [entry.provider_id for entry in told(api.service, ana) if entry.provider_id]

    assert len(kept) >= 2
    assert not set(ids) & set(kept)
    again = api.post("/events", [event("unsubscribe", MAILBOX, id=ids[0])]).json()["results"][0]
    assert (again["id"], again["outcome"]) == (ids[0], "duplicate")


# Consents


def refuse(api: ApiClient, contact: str, evidence: object) -> httpx.Response:
    body = {"channel": "sms", "status": "no", "evidence": evidence}
    return api.post(f"/contacts/{contact}/consents", body)


@pytest.mark.parametrize(
    "evidence",
    [
        {"source": "form", "text": "No!", "occurred_at": BEFORE_ALL_TIMES},
        {"occurred_at": "yesterday"},
        {"occurred_at": "2026-11-03T14:00:00"},
        {"occurred_at": 1762178400},
        {"colour": "red"},
        {"source": 5},
        [],
        "He said so.",
    ],
)
def test_no_evidence_holds_up_a_no(api: ApiClient, ana: str, evidence: object) -> None:
    answer = refuse(api, ana, evidence)

    assert (answer.status_code, answer.json()["on"]) == (200, "NO")
    assert answer_of(api, PHONE) == "no"


def test_wrong_evidence_holds_up_a_yes_that_is_stated_before_all_times(api: ApiClient) -> None:
    bo = add(api.service, Details(name="Bo", phone="+14155550111"), AGENT)
    evidence = {"source": "form", "text": "Yes", "occurred_at": BEFORE_ALL_TIMES}
    for status in ("pending", "yes"):
        body = {"channel": "sms", "status": status, "evidence": evidence}
        assert api.post(f"/contacts/{bo.id}/consents", body).status_code == 200
    assert refuse(api, bo.id, evidence).json()["on"] == "NO"
    assert api.get("/activity").status_code == 200
