"""`POST /check`: the answer that the card shows, for programs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.consent.log.changes import BlockChanged
from bot.consent.model import BlockState, Channel, ConsentValue
from bot.consent.rules import RULES_VERSION
from bot.consent.use_cases import Details, StatusUpdate, add, change, ingest
from bot.consent.use_cases.record import Recorder
from bot.runtime.clock import Stopped
from tests.support.api_fixtures import ApiClient
from tests.support.consent_fixtures import AGENT, bounce, stop
from tests.support.take_fixtures import TOLL_FREE, text

PHONE, MAIL = "+14155550100", "ana@example.com"


def ana(api: ApiClient) -> str:
    contact = add(api.service, Details(name="Ana", phone=PHONE, email=MAIL), AGENT)
    yes = StatusUpdate(sms=ConsentValue.YES, email=ConsentValue.YES, evidence="Web form")
    change(api.service, contact.id, yes, AGENT)
    return contact.id


def test_one_recipient(api: ApiClient):
    id = ana(api)
    answer = api.post("/check", {"to": PHONE, "ref": "42"})

    assert answer.json() == {
        "to": PHONE,
        "ref": "42",
        "channel": "sms",
        "answer": "yes",
        "gates": [],
        "contact": id,
        "version": 3,
        "as_of": 4,
    }


def test_a_national_number_and_capitals_are_read(api: ApiClient):
    ana(api)

    assert api.post("/check", {"to": "(415) 555-0100"}).json()["answer"] == "yes"
    assert api.post("/check", {"to": "ANA@Example.com"}).json()["answer"] == "yes"


def test_each_gate_has_its_owner_and_remedy(api: ApiClient):
    ana(api)
    stop(api.service, PHONE, sender="+18885550199")
    told = api.post("/check", {"to": PHONE}).json()

    assert told["answer"] == "no"
    assert [(gate["code"], gate["owner"]) for gate in told["gates"]] == [
        ("carrier_block", "contact"),
        ("opted_out", "manager"),
    ]
    assert told["gates"][0]["sender"] == "+18885550199"
    assert "UNSTOP" in told["gates"][0]["remedy"]


def test_a_block_of_another_sender_is_found_by_asking_for_it(api: ApiClient):
    ana(api)
    with api.service.store.transaction() as records:
        Recorder(
            service=api.service,
            records=records,
            actor="provider:twilio",
            source="provider:twilio",
            now=api.service.now(),
        ).record(
            records.contacts.at(PHONE)[0],
            BlockChanged(sender="+14155550177", before=BlockState.NONE, after=BlockState.BLOCKED),
            address=PHONE,
            channel=Channel.SMS,
        )

    assert api.post("/check", {"to": PHONE}).json()["answer"] == "yes"
    assert api.post("/check", {"to": PHONE, "sender": "+14155550177"}).json()["answer"] == "no"


def test_an_address_that_nobody_has_is_no_and_never_404(api: ApiClient):
    answer = api.post("/check", {"to": "+14155550133"})

    assert answer.status_code == 200
    assert answer.json()["answer"] == "no"
    assert answer.json()["contact"] is None
    assert answer.json()["gates"][0]["code"] == "never_asked"


def test_an_opt_out_of_a_stranger_is_known(api: ApiClient):
    ingest(api.service, [text("STOP", address="+14155550134")])
    told = api.post("/check", {"to": "+14155550134"}).json()

    assert {gate["code"] for gate in told["gates"]} >= {"opted_out"}


def test_a_list_is_answered_in_its_order_and_bad_ones_in_their_place(api: ApiClient):
    ana(api)
    bounce(api.service, MAIL)
    told = api.post(
        "/check",
        {
            "recipients": [
                {"to": MAIL, "ref": "a"},
                "no address",
                {"to": PHONE, "channel": "email"},
                {"to": PHONE, "sender": "nobody"},
                {"to": MAIL, "sender": "+18885550199"},
                PHONE,
            ]
        },
    ).json()

    results = told["results"]
    assert [one.get("answer") for one in results] == ["no", None, None, None, None, "yes"]
    assert results[0]["ref"] == "a"
    assert [one["error"]["pointer"] for one in results[1:5]] == [
        "/recipients/1/to",
        "/recipients/2/channel",
        "/recipients/3/sender",
        "/recipients/4/sender",
    ]
    assert told["as_of"] == api.get("/changes", order="desc", limit=1).json()["next"]


def test_several_with_one_number_get_the_answer_of_whoever_may_be_sent_least(api: ApiClient):
    ana(api)
    add(api.service, Details(name="Bob", phone=PHONE), AGENT)

    assert api.post("/check", {"to": PHONE}).json()["answer"] == "no"


def test_a_past_moment_is_answered_and_says_by_what(api: ApiClient, clock: Stopped):
    id = ana(api)
    before = clock().isoformat()
    clock.advance(timedelta(hours=1))
    stopped = clock().isoformat()
    clock.advance(timedelta(hours=1))
    ingest(api.service, [text("STOP", sender=TOLL_FREE, occurred_at=clock() - timedelta(hours=1))])

    told = api.post("/check", {"to": PHONE, "at": before, "ref": "42"}).json()
    assert told == {
        "to": PHONE,
        "ref": "42",
        "at": before.replace("+00:00", "Z"),
        "by": "recorded",
        "rules_version": RULES_VERSION,
        "channel": "sms",
        "answer": "yes",
        "gates": [],
        "contact": id,
        "version": 3,
        "as_of": 6,
    }
    wanted = [
        {"to": PHONE, "at": stopped},
        {"to": PHONE, "at": stopped, "by": "happened"},
        PHONE,
        {"to": MAIL, "at": "2026-11-02"},
        {"to": "+1415", "at": stopped},
    ]
    answers = api.post("/check", {"recipients": wanted}).json()
    assert [one.get("answer") for one in answers["results"]] == ["yes", "no", "no", "no", None]
    assert answers["results"][3]["gates"][0]["code"] == "never_asked"
    assert answers["as_of"] == 6


def test_a_past_moment_knows_what_was_known_of_a_number_that_nobody_had(
    api: ApiClient, clock: Stopped
):
    before = clock().isoformat()
    clock.advance(timedelta(hours=1))
    ingest(api.service, [text("STOP")])

    at = {"to": PHONE, "at": before}
    assert api.post("/check", at).json()["gates"][0]["code"] == "never_asked"
    assert (
        api.post("/check", at | {"at": clock().isoformat()}).json()["gates"][0]["code"]
        == (api.post("/check", {"to": PHONE}).json()["gates"][0]["code"])
    )


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"to": PHONE, "chanel": "sms"}, "/chanel"),
        ({"to": 5}, "/to"),
        ({}, "/to"),
        ({"to": "nothing"}, "/to"),
        ({"to": PHONE, "channel": "fax"}, "/channel"),
        ({"to": PHONE, "at": "2027-03-03T12:00:00Z"}, "/at"),
        ({"to": PHONE, "at": "noon"}, "/at"),
        ({"to": PHONE, "by": "happened"}, "/by"),
        ({"to": PHONE, "at": "2026-03-03", "by": "chance"}, "/by"),
        ({"to": PHONE, "sender": "nobody"}, "/sender"),
        ({"recipients": []}, "/recipients"),
        ({"recipients": [PHONE] * 1_001}, "/recipients"),
        ({"recipients": [{"to": PHONE, "x/y": 1}]}, "/recipients/0/x~1y"),
        ({"recipients": [{"to": PHONE}, {}]}, "/recipients/1/to"),
        ({"recipients": [PHONE], "to": PHONE}, "/recipients"),
        ({"recipients": [{"to": PHONE, "at": "x"}]}, "/recipients/0/at"),
        ({"recipients": [{"to": PHONE, "at": "2026-03-03"}] * 101}, "/recipients"),
        ([], ""),
    ],
)
def test_what_is_wrong_is_named_with_its_place(api: ApiClient, body: object, pointer: str):
    answer = api.post("/check", body)

    assert answer.status_code == 400
    assert answer.json()["pointer"] == pointer


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"to":"+14155550100"}', "text/plain", 415),
        (b'{"to":"' + b"x" * 1024 * 1024 + b'"}', "application/json", 413),
        (b'{"to":"\\ud800"}', "application/json", 400),
        (b'{"to":"a\\u0000b@example.com"}', "application/json", 400),
    ],
)
def test_bodies_that_cannot_be_read(api: ApiClient, content: bytes, kind: str, status: int):
    answer = api.send("POST", "/check", content=content, headers={"content-type": kind})

    assert answer.status_code == status


@pytest.mark.parametrize("path", ["/nowhere/%0A", "/contacts/%0A", "/contacts/a%0Ab", "/%0A"])
def test_an_address_with_a_line_break_is_answered_with_a_problem(api: ApiClient, path: str):
    answer = api.get(path)

    assert answer.status_code == 404
    assert answer.json()["type"].endswith("#not_found")


def test_other_methods_and_addresses_are_named(api: ApiClient):
    other = api.get("/check")
    nowhere = api.get("/nowhere")

    assert (other.status_code, other.headers["allow"]) == (405, "POST")
    assert nowhere.status_code == 404
