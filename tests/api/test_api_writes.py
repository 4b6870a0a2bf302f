"""What a program writes by HTTP: contacts by its own ids, and consents with evidence."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from bot.consent.api_key import Scope
from bot.consent.model import ConsentValue
from bot.consent.use_cases import Details, StatusUpdate, add, change, erase
from bot.runtime.clock import Stopped
from tests.support.api_fixtures import ApiClient, another_program
from tests.support.consent_fixtures import AGENT, OPERATOR, stop, told
from tests.support.take_fixtures import MAILBOX, OTHER_PHONE, PHONE

HOUR = timedelta(hours=1)
ANA = {"name": "Ana Gómez", "phone": PHONE, "email": MAILBOX, "company": "Acme"}


def put(api: ApiClient, external_id: str = "42", **body: Any) -> httpx.Response:
    return api.send("PUT", f"/contacts/by-external-id/{external_id}", json=body or ANA)


def made(api: ApiClient) -> str:
    """Ana's id in Optin."""
    return str(put(api).json()["contact"]["id"])


def proof(api: ApiClient, **more: Any) -> dict[str, Any]:
    at = api.service.now() - timedelta(minutes=1)
    given = {"source": "checkout", "text": "Ticked the box", "occurred_at": at.isoformat()}
    return {name: value for name, value in {**given, **more}.items() if value is not None}


def state(api: ApiClient, contact: str, status: str, **more: Any) -> httpx.Response:
    body = {"channel": "sms", "status": status, "evidence": proof(api), **more}
    return api.post(f"/contacts/{contact}/consents", body)


# Contacts


def test_an_id_that_makes_a_contact_finds_it_however_long(api: ApiClient) -> None:
    longest = "7" * 1_000
    made = put(api, longest)
    found = api.post("/contacts/find", {"external_id": longest})

    assert made.status_code == 201
    assert found.json()["contacts"][0]["contact"]["id"] == made.json()["contact"]["id"]
    assert put(api, longest + "7").status_code == 400


def test_a_contact_is_made_and_updated_by_the_company_s_own_id(api: ApiClient) -> None:
    first = put(api)
    second = put(api)
    third = put(api, company=None, phone=OTHER_PHONE)

    assert [answer.status_code for answer in (first, second, third)] == [201, 200, 200]
    assert first.json()["contact"]["name"] == "Ana Gómez"
    assert first.json()["sms"]["answer"] == "no"
    assert second.headers["etag"] == first.headers["etag"] == '"1"'
    assert third.json()["contact"]["phone"] == OTHER_PHONE
    assert third.json()["contact"]["email"] == MAILBOX
    assert third.headers["etag"] == '"2"'


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": "Ana"}, "/phone"),
        ({"name": "Ana", "phone": "12"}, "/phone"),
        ({"name": "Ana", "email": "ana"}, "/email"),
        ({"phone": PHONE}, "/name"),
        ({"name": 1}, "/name"),
        ({"name": "Ana", "phone": PHONE, "colour": "red"}, "/colour"),
    ],
)
def test_a_wrong_contact_names_the_field(
    api: ApiClient, body: dict[str, Any], pointer: str
) -> None:
    answer = put(api, **body)

    assert (answer.status_code, answer.json()["pointer"]) == (400, pointer)


def test_an_id_may_be_a_word_of_ours(api: ApiClient) -> None:
    assert put(api, "consents").status_code == 201
    assert put(api, "x%20y%C3%A9").status_code == 201
    assert api.post("/contacts/find", {"external_id": "x yé"}).json()["contacts"] != []


def test_a_patch_needs_the_version_that_the_contact_has(api: ApiClient) -> None:
    id = made(api)

    def patch(**headers: str) -> httpx.Response:
        return api.send("PATCH", f"/contacts/{id}", json={"company": "New"}, headers=headers)

    assert patch().status_code == 428
    assert patch(**{"if-match": '"7"'}).status_code == 412
    assert patch(**{"if-match": "7"}).status_code == 400
    done = patch(**{"if-match": '"1"'})
    assert (done.status_code, done.headers["etag"]) == (200, '"2"')
    assert patch(**{"if-match": '"1"'}).status_code == 412


def test_writing_takes_the_scope(api: ApiClient) -> None:
    id = made(api)
    another_program(api, "Reader", [Scope.READ, Scope.CHECK, Scope.EVENTS])
    api.post("/contacts/find", {"external_id": "42"})
    evidence = proof(api)

    for answer in (
        put(api),
        api.send("PATCH", f"/contacts/{id}", json={}, headers={"if-match": '"1"'}),
        state(api, id, "no"),
        api.send("POST", "/consents/x/confirm"),
        api.post("/cases", {"contact": id, "channel": "sms", "evidence": evidence}),
        api.send("POST", "/cases/x/cancel"),
    ):
        assert answer.status_code == 403
        assert "write" in answer.json()["detail"]


# Consents


def test_a_yes_with_evidence_fills_what_was_never_asked(api: ApiClient) -> None:
    id = made(api)
    answer = state(api, id, "yes", evidence=proof(api, ip="203.0.113.9"))
    entry = told(api.service, id)[-1]

    assert answer.status_code == 200
    assert answer.json() == {
        "contact": id,
        "channel": "sms",
        "on": "YES",
        "answer": "yes",
        "changed": True,
        "also": 0,
        "case": None,
        "token": None,
        "expires_at": None,
        "version": 2,
    }
    assert entry.evidence is not None
    assert entry.evidence.text == "Ticked the box (source: checkout; IP: 203.0.113.9)"
    assert entry.actor.startswith("api:")
    assert not state(api, id, "yes").json()["changed"]


@pytest.mark.parametrize(
    ("evidence", "pointer"),
    [
        (None, "/evidence"),
        ({"text": ""}, "/evidence/text"),
        ({"source": None}, "/evidence/source"),
        ({"occurred_at": None}, "/evidence/occurred_at"),
        ({"occurred_at": "2026-11-03T10:00:00"}, "/evidence/occurred_at"),
        ({"occurred_at": "2126-11-03T10:00:00Z"}, "/evidence/occurred_at"),
        ({"occurred_at": 1_700_000_000}, "/evidence/occurred_at"),
        ({"ip": "x"}, "/evidence/ip"),
        ({"colour": "red"}, "/evidence/colour"),
        ({"text": "x" * 6_000}, "/evidence/text"),
    ],
)
@pytest.mark.parametrize("status", ["yes", "pending"])
def test_wrong_evidence_names_its_part(
    api: ApiClient, evidence: dict[str, Any] | None, pointer: str, status: str
) -> None:
    id = made(api)
    given = None if evidence is None else proof(api, **evidence)
    if evidence is not None and None in evidence.values():
        for name in evidence:
            given.pop(name, None)  # type: ignore[union-attr]
    answer = state(api, id, status, evidence=given)

    assert (answer.status_code, answer.json().get("pointer")) == (400, pointer)
    assert told(api.service, id)[-1].after == "added"


def test_who_opted_out_gets_a_case_and_never_a_yes(api: ApiClient, clock: Stopped) -> None:
    id = made(api)
    stop(api.service, PHONE)
    clock.advance(HOUR)
    answer = state(api, id, "yes")
    case = answer.json()["case"]

    assert answer.status_code == 202
    assert (answer.json()["on"], answer.json()["answer"]) == ("NO", "no")
    assert (case["state"], case["contact"]) == ("pending", id)

    again = state(api, id, "yes")
    assert again.status_code == 409
    assert again.json()["case"]["id"] == case["id"]
    assert again.json()["gates"][0]["code"] == "opted_out"
    assert again.json()["gates"][0]["owner"] == "manager"
    assert api.get(f"/contacts/{id}").json()["sms"]["answer"] == "no"


def test_old_evidence_is_refused_with_the_gate(api: ApiClient, clock: Stopped) -> None:
    id = made(api)
    clock.advance(HOUR)
    stop(api.service, PHONE)
    answer = state(api, id, "yes")

    assert answer.status_code == 409
    assert answer.json()["gates"][0]["code"] == "opted_out"
    assert "case" not in answer.json()


def test_what_staff_switched_off_is_an_agent_s_to_switch_on(api: ApiClient) -> None:
    id = made(api)
    change(api.service, id, StatusUpdate(sms=ConsentValue.NO, reason="Wrong person"), AGENT)
    answer = state(api, id, "yes")

    assert answer.status_code == 409
    assert answer.json()["gates"][0]["owner"] == "agent"
    assert answer.json()["pointer"] == "/status"


def test_do_not_contact_and_a_missing_address_are_gates(api: ApiClient) -> None:
    id = made(api)
    change(api.service, id, StatusUpdate(do_not_contact=True), AGENT)
    bo = add(api.service, Details(name="Bo", email="bo@example.com"), AGENT)

    for contact, code in ((id, "do_not_contact"), (bo.id, "no_address")):
        answer = state(api, contact, "yes")
        assert (answer.status_code, answer.json()["gates"][0]["code"]) == (409, code)


def test_a_no_counts_for_everybody_with_the_number_and_needs_no_evidence(api: ApiClient) -> None:
    id = made(api)
    other = add(api.service, Details(name="Bo", phone=PHONE), AGENT)
    state(api, id, "yes")
    body = {"channel": "sms", "status": "no"}
    answer = api.post(f"/contacts/{id}/consents", body)

    assert answer.status_code == 200
    assert (answer.json()["on"], answer.json()["also"]) == ("NO", 1)
    for contact in (id, other.id):
        assert api.get(f"/contacts/{contact}").json()["sms"]["on"] == "NO"
    assert api.post("/check", {"to": PHONE}).json()["answer"] == "no"


def test_nobody_and_the_erased_are_not_stated(api: ApiClient) -> None:
    id = made(api)
    erase(api.service, id, OPERATOR)

    assert state(api, "f" * 32, "yes").status_code == 404
    assert state(api, id, "yes").status_code in (404, 409)
    assert state(api, id, "no").status_code in (404, 409)


def test_a_body_above_one_mebibyte_is_refused(api: ApiClient) -> None:
    id = made(api)
    answer = state(api, id, "no", evidence=proof(api, text="x" * 2**20))

    assert answer.status_code == 413


def test_hostile_text_is_stored_as_text(api: ApiClient) -> None:
    id = made(api)
    text = "<!channel> \u0000 \u202e'; DROP TABLE contacts; -- {{7*7}} \ud83d"
    answer = api.send(
        "POST",
        f"/contacts/{id}/consents",
        content=(
            b'{"channel":"sms","status":"yes","evidence":{"source":"x","text":"<!channel> \\u0000 '
            b'\\u202e\'; DROP TABLE contacts; --","occurred_at":"2026-11-03T14:00:00Z"}}'
        ),
        headers={"content-type": "application/json"},
    )

    assert text
    assert answer.status_code == 200
    assert api.get(f"/contacts/{id}").json()["sms"]["on"] == "YES"


# Double opt-in


def test_a_pending_consent_is_confirmed_once(api: ApiClient, clock: Stopped) -> None:
    id = made(api)
    pending = state(api, id, "pending")
    token = pending.json()["token"]

    assert pending.status_code == 200
    assert (pending.json()["on"], pending.json()["answer"]) == ("UNSET", "no")
    assert pending.json()["expires_at"] == "2026-11-10T14:02:00Z"
    clock.advance(HOUR)
    done = api.send("POST", f"/consents/{token}/confirm")
    assert (done.status_code, done.json()["answer"]) == (200, "yes")
    assert done.json()["channel"] == "sms"
    assert api.send("POST", f"/consents/{token}/confirm").status_code == 409
    assert api.send("POST", "/consents/nothing/confirm").status_code == 404


def test_a_stop_between_the_two_wins(api: ApiClient, clock: Stopped) -> None:
    id = made(api)
    token = state(api, id, "pending").json()["token"]
    clock.advance(HOUR)
    stop(api.service, PHONE)
    clock.advance(HOUR)
    answer = api.send("POST", f"/consents/{token}/confirm")

    assert answer.status_code == 409
    assert answer.json()["gates"][0]["code"] == "opted_out"
    assert api.get(f"/contacts/{id}").json()["sms"]["answer"] == "no"


def test_the_confirmation_of_who_had_opted_out_opens_the_case(
    api: ApiClient, clock: Stopped
) -> None:
    id = made(api)
    stop(api.service, PHONE)
    clock.advance(HOUR)
    pending = state(api, id, "pending")
    assert (pending.status_code, pending.json()["case"]) == (200, None)
    clock.advance(HOUR)
    done = api.send("POST", f"/consents/{pending.json()['token']}/confirm")

    assert (done.status_code, done.json()["case"]["state"]) == (202, "pending")
    assert done.json()["answer"] == "no"
