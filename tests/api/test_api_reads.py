"""What a program may read: contacts, the log, the feed, suppressions, the document."""

from __future__ import annotations

import csv
import io
import threading
import time

import httpx
import msgspec
import pytest
from openapi_spec_validator import validate

from bot.consent.model import ConsentValue
from bot.consent.use_cases import Details, Service, StatusUpdate, add, change, erase
from handlers.api.api_operations import OPERATIONS
from handlers.api.key_ring import MOST_REQUESTS
from tests.support.api_fixtures import ApiClient, serving_api
from tests.support.consent_fixtures import AGENT, OPERATOR, stop

PHONE, MAIL = "+14155550100", "ana@example.com"


def remaining(api: ApiClient) -> int:
    return int(api.get("/me").headers["ratelimit-remaining"])


def ana(api: ApiClient, name: str = "Ana", phone: str = PHONE, email: str = MAIL) -> str:
    details = Details(name=name, phone=phone, email=email, external_id=f"crm-{name}")
    contact = add(api.service, details, AGENT)
    yes = StatusUpdate(sms=ConsentValue.YES, email=ConsentValue.YES, evidence="Web form")
    change(api.service, contact.id, yes, AGENT)
    return contact.id


def test_a_contact_has_its_version_as_etag(api: ApiClient):
    id = ana(api)
    answer = api.get(f"/contacts/{id}")

    assert answer.json()["contact"]["name"] == "Ana"
    assert answer.json()["sms"]["answer"] == "yes"
    assert answer.headers["etag"] == '"3"'


def test_an_unknown_or_erased_contact_is_not_found(api: ApiClient):
    id = ana(api)
    erase(api.service, id, OPERATOR)

    assert api.get(f"/contacts/{id}").status_code == 404
    assert api.get("/contacts/nobody").status_code == 404


def test_contacts_are_found_by_address_and_external_id(api: ApiClient):
    id = ana(api)
    for body in (
        {"phone": "415 555 0100"},
        {"email": "ANA@example.com"},
        {"external_id": "crm-Ana"},
    ):
        answer = api.post("/contacts/find", body)
        assert answer.status_code == 200, answer.text
        found = answer.json()["contacts"]

        assert [one["contact"]["id"] for one in found] == [id]
    assert api.post("/contacts/find", {"phone": "+14155550188"}).json() == {"contacts": []}
    assert api.post("/contacts/find", {"phone": "12"}).status_code == 400
    assert api.post("/contacts/find", {}).status_code == 400


def test_the_feed_is_followed_from_place_to_place(api: ApiClient):
    ana(api)
    first = api.get("/changes", limit=2).json()
    rest = api.get("/changes", after=first["next"]).json()

    told = [*first["changes"], *rest["changes"]]
    assert [one["type"] for one in told] == ["contact.changed", *["consent.changed"] * 2]
    assert told[1]["before"] == {"answer": "no", "sms": "no", "email": None}
    assert told[1]["after"] == {"answer": "yes", "sms": "yes", "email": None}
    assert (told[1]["external_id"], told[1]["version"]) == ("crm-Ana", 2)
    assert (first["more"], rest["more"]) == (True, False)
    assert api.get("/changes", after=rest["next"]).json()["changes"] == []


def test_whoever_waits_is_told_as_soon_as_something_changes(api: ApiClient):
    ana(api)
    place = api.get("/changes").json()["next"]
    answers: list[dict] = []
    waiting = threading.Thread(
        target=lambda: answers.append(api.get("/changes", after=place, wait=25).json())
    )
    waiting.start()
    stop(api.service, PHONE)
    waiting.join(20)

    (row,) = answers[0]["changes"]
    assert (row["before"]["answer"], row["after"]["answer"]) == ("yes", "no")


def test_a_server_that_stops_answers_whoever_waits(
    service: Service, caplog: pytest.LogCaptureFixture
):
    answers: list[httpx.Response] = []
    with serving_api(service) as api:
        api.new_key("Follower")
        place = api.get("/changes").json()["next"]
        url, key = f"{api.url}/api/v1/changes?after={place}&wait=25", f"Bearer {api.key}"
        waiting = threading.Thread(
            target=lambda: answers.append(
                httpx.get(url, headers={"authorization": key}, timeout=30, trust_env=False)
            )
        )
        waiting.start()
        # The request that waits is counted once the server has it.
        others = 1
        while MOST_REQUESTS - remaining(api) == (others := others + 1):
            pass
        before = time.monotonic()
    took = time.monotonic() - before
    waiting.join(30)

    assert (answers[0].status_code, answers[0].json()["changes"]) == (200, [])
    assert took < 3.5
    assert not [line for line in caplog.records if line.levelname == "ERROR"]


def test_a_wait_ends_with_an_empty_page(api: ApiClient):
    place = api.get("/changes").json()["next"]

    assert api.get("/changes", after=place, wait=1).json()["changes"] == []


def test_the_newest_rows_come_first_for_programs_that_poll(api: ApiClient):
    ana(api)
    told = api.get("/changes", order="desc", limit=2).json()["changes"]

    assert [one["seq"] for one in told] == [4, 3]
    assert api.get("/changes", order="desc", after=1).status_code == 400


def test_a_place_behind_the_end_is_refused(api: ApiClient):
    answer = api.get("/changes", after=1_000)

    assert answer.status_code == 400


def test_parameters_that_cannot_be_taken(api: ApiClient):
    for params in ({"after": -1}, {"limit": 0}, {"limit": 1_001}, {"wait": 26}, {"nothing": 1}):
        assert api.get("/changes", **params).status_code == 400


def test_two_who_follow_the_feed_while_four_write_see_the_same_without_gap(api: ApiClient):
    ids = [ana(api, f"C{n}", f"+1415555010{n}", f"c{n}@example.com") for n in range(4)]
    begin = api.get("/changes", order="desc", limit=1).json()["next"]

    def write(id: str) -> None:
        for n in range(10):
            change(api.service, id, StatusUpdate(note=f"Note {n}"), AGENT)
            change(api.service, id, StatusUpdate(do_not_contact=n % 2 == 0), OPERATOR)

    def follow(seen: list[int]) -> None:
        place = begin
        while len(seen) < 40:
            page = api.get("/changes", after=place, limit=7, wait=5).json()
            seen.extend(one["seq"] for one in page["changes"])
            place = page["next"]

    seen: tuple[list[int], list[int]] = ([], [])
    threads = [threading.Thread(target=write, args=[id]) for id in ids]
    threads += [threading.Thread(target=follow, args=[one]) for one in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert seen[0] == seen[1] == sorted(set(seen[0]))
    assert len(seen[0]) == 40


def test_the_log_is_read_in_its_order(api: ApiClient):
    ana(api)
    page = api.get("/activity", limit=2).json()
    rest = api.get("/activity", after=page["next"]).json()

    told = [*page["entries"], *rest["entries"]]
    assert [one["seq"] for one in told] == list(range(1, len(told) + 1))
    assert told[-1]["evidence"] == "Web form"
    assert (page["more"], rest["more"]) == (True, False)


def test_everybody_who_gets_nothing_is_listed_by_pages(api: ApiClient):
    ana(api)
    bob = ana(api, "Bob", "+14155550101", "bob@example.com")
    stop(api.service, "+14155550101")
    first = api.get("/suppressions", limit=1).json()
    second = api.get("/suppressions", limit=1, after=first["next"]).json()

    assert first["suppressions"] == []
    assert [(s["contact"], s["channel"], s["gate"]) for s in second["suppressions"]] == [
        (bob, "sms", "opted_out")
    ]
    assert api.get("/suppressions", after=second["next"]).json() == {
        "suppressions": [],
        "next": None,
    }
    assert api.get("/suppressions", channel="email").json()["suppressions"] == []


def test_suppressions_as_csv_hold_no_formula(api: ApiClient):
    add(api.service, Details(name="Eve", email="=cmd@example.com"), AGENT)
    answer = api.get("/suppressions", format="csv")

    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert row["address"] == "'=cmd@example.com"
    assert answer.headers["content-type"].startswith("text/csv")


def test_the_key_that_asks_is_named(api: ApiClient):
    told = api.get("/me").json()

    assert told["name"] == "Tests"
    assert told["expires_at"] is None


def test_the_document_is_valid_and_has_every_operation(api: ApiClient):
    api.key = ""
    document = api.get("/openapi.json").json()
    validate(document)

    described = {(method, path) for path, of in document["paths"].items() for method in of}
    assert {(o.method.lower(), o.path) for o in OPERATIONS} <= described


def test_the_examples_of_the_document_can_be_read():
    examples = [one for one in OPERATIONS if one.example is not None]

    assert len(examples) > 5
    for one in examples:
        msgspec.convert(one.example, one.documented_body or one.body)


def test_each_operation_with_a_body_has_an_example_that_the_page_shows(api: ApiClient):
    api.key = ""
    paths = api.get("/openapi.json").json()["paths"]
    bodies = {
        operation.path: paths[operation.path][operation.method.lower()]["requestBody"]
        for operation in OPERATIONS
        if operation.body is not None
    }

    for path, body in bodies.items():
        (example,) = body["content"]["application/json"]["examples"].values()
        assert example["value"], path


def test_the_page_loads_nothing_from_elsewhere(api: ApiClient):
    api.key = ""
    page = api.get("/docs")

    assert "https://" not in page.text.replace("https://optin", "")
    assert "connect-src 'self'" in page.headers["content-security-policy"]
    assert api.get("/docs/rapidoc.js").status_code == 200
