"""Keys: who may ask the API, and what for."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import httpx
import pytest

from bot.consent.api_key import Scope
from bot.consent.errors import Invalid, NotAllowed, NotFound, Refused
from bot.consent.use_cases import Details, Service, add
from bot.consent.use_cases.api_keys import add_key, last_uses, list_keys, revoke_key
from bot.runtime.clock import Stopped
from tests.support.api_fixtures import ApiClient, serving_api
from tests.support.consent_fixtures import AGENT, MANAGER, OPERATOR, told

ONE = {"to": "+14155550100"}


def test_without_any_key_the_api_is_off(service: Service):
    with serving_api(service) as api:
        answer = api.post("/check", ONE)

    assert answer.status_code == 404
    assert "optin key add" in answer.json()["detail"]


def test_a_key_is_asked_for_and_a_wrong_one_is_refused(api: ApiClient):
    api.key = ""
    missing = api.post("/check", ONE)
    api.key = "optin_live_wrong"
    wrong = api.post("/check", ONE)

    assert missing.status_code == wrong.status_code == 401
    assert missing.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("scope", "path", "status"),
    [
        (Scope.CHECK, "/changes", 403),
        (Scope.READ, "/changes", 200),
        (Scope.WRITE, "/suppressions", 403),
        (Scope.CHECK, "/me", 200),
    ],
)
def test_a_key_may_do_what_its_scopes_say(api: ApiClient, scope: Scope, path: str, status: int):
    api.new_key("Narrow", [scope])

    assert api.get(path).status_code == status


def test_a_revoked_key_is_refused_within_a_second_also_by_another_replica(api: ApiClient):
    with serving_api(api.service) as other:
        other.key = api.key
        assert other.get("/me").status_code == 200
        revoke_key(api.service, "Tests", OPERATOR)
        until = time.monotonic() + 1.0
        statuses = {api.get("/me").status_code, other.get("/me").status_code}
        while statuses != {401} and time.monotonic() < until:
            statuses = {api.get("/me").status_code, other.get("/me").status_code}

    assert statuses == {401}


def test_a_key_that_is_revoked_while_it_waits_gets_nothing(api: ApiClient):
    place = api.get("/changes", limit=1000).json()["next"]
    answers: list[httpx.Response] = []
    waiting = threading.Thread(
        target=lambda: answers.append(api.get("/changes", after=place, wait=25))
    )
    waiting.start()
    # What it waits behind, itself included, is what comes after this.
    revoke_key(api.service, "Tests", OPERATOR)
    until = time.monotonic() + 30
    while api.get("/me").status_code != 401 and time.monotonic() < until:
        pass
    add(api.service, Details(name="Ana", phone="+14155550100"), AGENT)
    waiting.join(30)

    assert answers[0].status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_of_the_header_has_any_case(api: ApiClient, scheme: str):
    key, api.key = api.key, ""
    answer = api.send("GET", "/me", headers={"authorization": f"{scheme} {key}"})

    assert answer.status_code == 200


def test_a_key_expires(api: ApiClient, clock: Stopped):
    api.new_key("Short", expires_at=clock() + timedelta(days=1))
    assert api.get("/me").status_code == 200
    clock.advance(timedelta(days=1))

    assert api.get("/me").status_code == 401


def test_a_key_in_a_url_is_refused_even_beside_a_good_one(api: ApiClient):
    for params in ({"api_key": "x"}, {"after": api.key}, {"access_token": "x"}):
        answer = api.get("/changes", **params)

        assert answer.status_code == 400
        assert answer.json()["type"].endswith("#key_in_url")


def test_the_text_of_a_key_is_stored_nowhere(api: ApiClient):
    api.get("/me")
    api.ring.store_uses()
    with api.service.store.reading() as records:
        kept = "".join(text for _, text in records.key_value.all())

    assert api.key not in kept
    assert api.key not in repr(told(api.service))


def test_the_last_use_of_a_key_is_known(api: ApiClient, clock: Stopped):
    (key,) = list_keys(api.service)
    assert last_uses(api.service, [key]) == {}
    api.get("/me")
    api.ring.store_uses()

    assert last_uses(api.service, [key]) == {key.id: clock()}


def test_making_and_revoking_a_key_stand_in_the_log(service: Service):
    add_key(service, "Newsletter", [Scope.CHECK], OPERATOR)
    revoke_key(service, "Newsletter", OPERATOR)

    assert [entry.reason for entry in told(service)] == [
        "API key Newsletter was made: check",
        "API key Newsletter was revoked",
    ]


def test_keys_that_cannot_be_made(service: Service, clock: Stopped):
    add_key(service, "Newsletter", [Scope.CHECK], OPERATOR)
    with pytest.raises(Refused):
        add_key(service, "Newsletter", [Scope.CHECK], OPERATOR)
    with pytest.raises(Invalid):
        add_key(service, " ", [Scope.CHECK], OPERATOR)
    with pytest.raises(Invalid):
        add_key(service, "Shop", [], OPERATOR)
    with pytest.raises(Invalid):
        add_key(service, "Shop", [Scope.READ], OPERATOR, expires_at=clock())
    with pytest.raises(NotAllowed):
        add_key(service, "Shop", [Scope.READ], MANAGER)
    with pytest.raises(NotFound):
        revoke_key(service, "Shop", OPERATOR)
