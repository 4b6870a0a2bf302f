"""Requests for re-opt-in by HTTP, and Idempotency-Keys."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest

from bot.consent.use_cases import Details, add, erase
from bot.runtime.clock import Stopped
from tests.support.api_fixtures import ApiClient, another_program
from tests.support.consent_fixtures import AGENT, OPERATOR, stop, told
from tests.support.take_fixtures import PHONE

HOUR = timedelta(hours=1)


@pytest.fixture
def ana(api: ApiClient, clock: Stopped) -> str:
    """Opted out of texts an hour ago."""
    contact = add(api.service, Details(name="Ana", phone=PHONE), AGENT)
    stop(api.service, PHONE)
    clock.advance(HOUR)
    return contact.id


def proof(api: ApiClient) -> dict[str, str]:
    at = api.service.now().isoformat()
    return {"source": "newsletter form", "text": "Signed up again", "occurred_at": at}


def ask(api: ApiClient, contact: str, **headers: str) -> httpx.Response:
    body = {"contact": contact, "channel": "sms", "evidence": proof(api)}
    return api.post("/cases", body, **headers)


def test_a_request_is_opened_listed_and_taken_back(api: ApiClient, ana: str) -> None:
    opened = ask(api, ana)
    id = opened.json()["id"]

    assert (opened.status_code, opened.json()["state"]) == (201, "pending")
    assert api.get("/cases").json() == {"cases": [opened.json()], "next": None}
    assert api.get("/cases", contact=ana).json()["cases"] == [opened.json()]
    again = ask(api, ana)
    assert (again.status_code, again.json()["case"]["id"]) == (409, id)

    cancelled = api.send("POST", f"/cases/{id}/cancel")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert api.send("POST", f"/cases/{id}/cancel").status_code == 409
    assert api.get("/cases").json()["cases"] == []
    assert api.get("/cases", contact=ana).json()["cases"][0]["state"] == "cancelled"


def test_a_page_leads_to_the_next(api: ApiClient, clock: Stopped) -> None:
    ids = []
    for n in range(5):
        phone = f"+1415555{1000 + n}"
        contact = add(api.service, Details(name=f"C{n}", phone=phone), AGENT)
        stop(api.service, phone)
        clock.advance(HOUR)
        ids.append(ask(api, contact.id).json()["id"])
    first = api.get("/cases", limit=3).json()
    second = api.get("/cases", limit=3, after=first["next"]).json()

    assert [case["id"] for case in (*first["cases"], *second["cases"])] == ids
    assert second["next"] is None


def test_what_can_not_be_asked_is_refused(api: ApiClient, ana: str) -> None:
    bare = {"contact": ana, "channel": "sms"}
    other = add(api.service, Details(name="Bo", phone="+14155550111"), AGENT)

    assert api.post("/cases", bare).json()["pointer"] == "/evidence"
    assert api.post("/cases", bare | {"evidence": {}}).json()["pointer"] == "/evidence/source"
    assert ask(api, "f" * 32).status_code == 404
    assert ask(api, other.id).status_code == 409
    assert api.get("/cases", after="f" * 32).status_code == 404
    assert api.get("/cases", limit=0).status_code == 400
    assert api.send("POST", f"/cases/{'f' * 32}/cancel").status_code == 404


def test_another_program_s_request_is_not_taken_back(api: ApiClient, ana: str) -> None:
    id = ask(api, ana).json()["id"]
    another_program(api, "Other")

    assert api.send("POST", f"/cases/{id}/cancel").status_code == 403


# Idempotency-Key


def consent(api: ApiClient, contact: str, key: str, **body: Any) -> httpx.Response:
    given = {"channel": "sms", "status": "no", **body}
    return api.post(f"/contacts/{contact}/consents", given, **{"idempotency-key": key})


def test_a_request_that_is_sent_again_gets_its_first_answer(
    api: ApiClient, ana: str, clock: Stopped
) -> None:
    evidence = proof(api)
    first = consent(api, ana, "k1", status="yes", evidence=evidence)
    clock.advance(HOUR)
    entries = told(api.service)
    second = consent(api, ana, "k1", status="yes", evidence=evidence)

    assert (first.status_code, second.status_code) == (202, 202)
    assert second.json() == first.json()
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert told(api.service) == entries


def test_a_refusal_is_answered_again_with_its_own_request_id(api: ApiClient, ana: str) -> None:
    stop(api.service, PHONE)
    evidence = proof(api)
    first = consent(api, ana, "k1", status="yes", evidence=evidence)
    second = consent(api, ana, "k1", status="yes", evidence=evidence)

    assert (first.status_code, second.status_code) == (409, 409)
    assert first.json()["request_id"] != second.json()["request_id"]
    assert first.json()["gates"] == second.json()["gates"]
    assert second.headers["idempotent-replayed"] == "true"


def test_another_body_with_the_key_is_refused(api: ApiClient, ana: str) -> None:
    consent(api, ana, "k1")
    answer = consent(api, ana, "k1", channel="email")

    assert answer.status_code == 422
    assert consent(api, ana, "x" * 256).status_code == 400
    assert consent(api, ana, "x" * 255).status_code == 200


def test_a_kept_answer_gives_the_token_again_and_does_not_hold_it(api: ApiClient) -> None:
    bo = add(api.service, Details(name="Bo", phone="+14155550111"), AGENT)
    evidence = proof(api)
    first = consent(api, bo.id, "k1", status="pending", evidence=evidence).json()
    second = consent(api, bo.id, "k1", status="pending", evidence=evidence).json()
    with api.service.store.reading() as records:
        kept = str(dict(records.key_value.all()))

    assert first == second
    assert len(first["token"]) >= 40
    assert first["token"] not in kept
    assert api.send("POST", f"/consents/{first['token']}/confirm").json()["answer"] == "yes"


def test_threads_with_one_key_make_one_change(api: ApiClient, ana: str) -> None:
    evidence = proof(api)

    def send(_: int) -> httpx.Response:
        return consent(api, ana, "k1", status="yes", evidence=evidence)

    with ThreadPoolExecutor(max_workers=8) as pool:
        answers = list(pool.map(send, range(24)))
    done = [answer for answer in answers if answer.status_code == 202]

    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len({answer.json()["case"]["id"] for answer in done}) == 1
    assert len([e for e in told(api.service, ana) if e.kind == "case"]) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["type"].endswith("#idempotency_running")


def test_erasure_removes_what_was_answered_about_the_contact(api: ApiClient, ana: str) -> None:
    evidence = proof(api)
    consent(api, ana, "k1", status="yes", evidence=evidence)
    consent(api, ana, "k2", status="yes", evidence=evidence)
    event = {
        "type": "opt_out",
        "address": PHONE,
        "id": "Ana",
        "occurred_at": "2026-11-03T14:00:00Z",
    }
    api.post("/events", [event], **{"idempotency-key": "e"})
    erase(api.service, ana, OPERATOR)
    with api.service.store.reading() as records:
        names = [name for name, _ in records.key_value.all()]

    assert not any(name.startswith("idempotency:") for name in names)


def test_events_and_requests_take_a_key_too(api: ApiClient, ana: str) -> None:
    event = {"type": "opt_out", "address": PHONE, "id": "1", "occurred_at": "2026-11-03T14:00:00Z"}
    first, second = (
        api.post("/events", [event], **{"idempotency-key": "e"}).json() for _ in range(2)
    )
    opened, again = (ask(api, ana, **{"idempotency-key": "c"}) for _ in range(2))

    assert first["results"][0]["outcome"] == second["results"][0]["outcome"] == "applied"
    assert (opened.status_code, again.json()) == (201, opened.json())
