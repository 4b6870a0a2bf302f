"""Subscribing by the API: REST hooks."""

from __future__ import annotations

from bot.consent.api_key import Scope
from bot.consent.use_cases.api_keys import revoke_key
from bot.consent.use_cases.webhooks import webhooks
from tests.support.api_fixtures import ApiClient
from tests.support.consent_fixtures import OPERATOR

URL = "https://hooks.example.com/catch/1"


def test_a_program_subscribes_and_unsubscribes(api: ApiClient):
    made = api.post("/webhooks", {"url": URL, "events": ["consent.changed"]})
    listed = api.get("/webhooks").json()["webhooks"]
    gone = api.send("DELETE", f"/webhooks/{made.json()['id']}")

    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    assert [(one["url"], one["events"], one["state"]) for one in listed] == [
        (URL, ["consent.changed"], "active")
    ]
    assert "secret" not in listed[0]
    assert (gone.status_code, gone.content) == (204, b"")
    assert webhooks(api.service) == ()


def test_without_types_it_gets_all_of_them(api: ApiClient):
    assert len(api.post("/webhooks", {"url": URL}).json()["events"]) == 5


def test_a_program_sees_and_removes_only_its_own(api: ApiClient):
    made = api.post("/webhooks", {"url": URL}).json()
    api.new_key("Another", [Scope.WEBHOOKS])

    assert api.get("/webhooks").json() == {"webhooks": []}
    assert api.send("DELETE", f"/webhooks/{made['id']}").status_code == 404
    assert len(webhooks(api.service)) == 1


def test_addresses_in_bodies_take_the_right_to_read(api: ApiClient):
    api.new_key("Narrow", [Scope.WEBHOOKS])

    assert api.post("/webhooks", {"url": URL, "include_address": True}).status_code == 403


def test_urls_and_types_that_cannot_be_taken(api: ApiClient):
    for body, pointer in (
        ({"url": "http://hooks.example.com/"}, "/url"),
        ({"url": "https://127.0.0.1/"}, "/url"),
        ({"url": "https://me:secret@hooks.example.com/"}, "/url"),
        ({"url": URL, "events": ["nothing.changed"]}, "/events/0"),
        ({}, "/url"),
    ):
        answer = api.post("/webhooks", body)

        assert (answer.status_code, answer.json()["pointer"]) == (400, pointer)


def test_revoking_a_key_pauses_the_webhooks_that_it_made(api: ApiClient):
    api.post("/webhooks", {"url": URL})
    revoke_key(api.service, "Tests", OPERATOR)
    api.new_key("Another", [Scope.WEBHOOKS])
    api.post("/webhooks", {"url": URL})

    states = [(one.state.value, one.problem) for one in webhooks(api.service)]
    assert states == [("paused", "was made with a key that is revoked"), ("active", "")]


def test_unsubscribing_twice_is_404(api: ApiClient):
    id = api.post("/webhooks", {"url": URL}).json()["id"]
    api.send("DELETE", f"/webhooks/{id}")

    assert api.send("DELETE", f"/webhooks/{id}").status_code == 404
