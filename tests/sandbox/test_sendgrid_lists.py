"""The simulated SendGrid lists answer as SendGrid's documentation says."""

import time
from collections.abc import Callable, Iterator
from http.client import HTTPException
from typing import Any

import pytest

from sandbox.client import Workspace
from sandbox.client.lists_client import ListsClient
from tests.support.lists_fixtures import ApiAnswer, bearer, call, part

Api = Callable[..., ApiAnswer]
ANA, BEN = "ana@example.com", "ben@example.com"
BOUNCES = "/v3/suppression/bounces"
GLOBAL = "/v3/asm/suppressions/global"


@pytest.fixture
def ws() -> Iterator[Workspace]:
    with Workspace.start(mode="socket") as workspace:
        yield workspace


@pytest.fixture
def lists(ws: Workspace) -> ListsClient:
    return ws.lists("sendgrid")


@pytest.fixture
def api(lists: ListsClient) -> Api:
    def ask(method: str, path: str, key: str = "SG.sandbox", **more: Any) -> ApiAnswer:
        return call(lists.url + path, method, headers=bearer(key), **more)

    return ask


def test_the_newest_bounce_comes_first_and_times_are_inclusive(
    lists: ListsClient, api: Api
) -> None:
    for number in range(1, 5):
        lists.add("bounces", f"{number}@example.com", at=1000.0 + number, status="5.1.1")

    page = api("GET", BOUNCES, query={"limit": 2, "offset": 1}).json
    window = api("GET", BOUNCES, query={"start_time": 1002, "end_time": 1003}).json

    assert [one["email"] for one in page] == ["3@example.com", "2@example.com"]
    assert page[0] == {
        "created": 1003,
        "email": "3@example.com",
        "reason": "",
        "status": "5.1.1",
    }
    assert [one["created"] for one in window] == [1003, 1002]
    assert api("GET", BOUNCES, query={"limit": 501}).status == 400


def test_an_offset_means_another_entry_once_the_list_has_grown(
    lists: ListsClient, api: Api
) -> None:
    lists.add("bounces", "1@example.com", at=1001.0)
    lists.add("bounces", "2@example.com", at=1002.0)
    first = api("GET", BOUNCES, query={"limit": 1}).json
    lists.add("bounces", "3@example.com", at=1003.0)
    second = api("GET", BOUNCES, query={"limit": 1, "offset": 1}).json

    assert first == second


def test_email_matches_whatever_begins_so(lists: ListsClient, api: Api) -> None:
    lists.add("unsubscribes", ANA, "ana@example.com.au", "diana@example.com")

    found = api("GET", "/v3/suppression/unsubscribes", query={"email": ANA}).json
    wild = api("GET", "/v3/suppression/unsubscribes", query={"email": "%ana@%"}).json

    assert sorted(one["email"] for one in found) == [ANA, "ana@example.com.au"]
    assert len(wild) == 3


def test_one_bounce_is_found_by_its_path_in_any_case(lists: ListsClient, api: Api) -> None:
    lists.add("bounces", "Ana+x/y@Example.com", at=1000.0)

    found = api("GET", f"{BOUNCES}/{part('ana+x/y@example.com')}").json

    assert [one["email"] for one in found] == ["Ana+x/y@Example.com"]
    assert api("GET", f"{BOUNCES}/{part(BEN)}").json == []


def test_a_deleted_bounce_is_204_and_an_unknown_one_is_404(lists: ListsClient, api: Api) -> None:
    lists.add("bounces", ANA)

    assert api("DELETE", f"{BOUNCES}/{part(ANA)}").status == 204
    assert api("DELETE", f"{BOUNCES}/{part(ANA)}").status == 404
    assert lists.entries() == []
    assert lists.calls("remove", ANA) == 2


def test_the_global_list_says_204_to_anything_that_is_deleted(lists: ListsClient, api: Api) -> None:
    assert api("DELETE", f"{GLOBAL}/{part(ANA)}").status == 204
    assert api("GET", f"{GLOBAL}/{part(ANA)}").json == {}


def test_added_addresses_stand_on_the_global_list(lists: ListsClient, api: Api) -> None:
    answer = api("POST", GLOBAL, json_body={"recipient_emails": [ANA, BEN]})

    assert (answer.status, answer.json) == (201, {"recipient_emails": [ANA, BEN]})
    assert api("GET", f"{GLOBAL}/{part(ANA)}").json == {"recipient_email": ANA}
    assert lists.calls_about("add") == {ANA: 1, BEN: 1}


def test_adding_what_is_there_keeps_its_time(lists: ListsClient, api: Api) -> None:
    lists.add("unsubscribes", ANA, at=1000.0)
    api("POST", GLOBAL, json_body={"recipient_emails": [ANA]})

    assert lists.entries(ANA)[0]["at"] == 1000.0


def test_an_invalid_address_fails_the_whole_call(lists: ListsClient, api: Api) -> None:
    assert api("POST", GLOBAL, json_body={"recipient_emails": [ANA, "ben"]}).status == 400
    assert lists.entries() == []


def test_a_post_to_an_unknown_group_lands_in_the_global_list(lists: ListsClient, api: Api) -> None:
    lists.settle(groups={"12": "Offers"})
    body = {"recipient_emails": [ANA]}

    assert api("POST", "/v3/asm/groups/13/suppressions", json_body=body).status == 201
    assert lists.holds("unsubscribes", ANA)
    assert api("POST", "/v3/asm/groups/12/suppressions", json_body=body).status == 201
    assert lists.holds("group:12", ANA)


def test_groups_tell_who_is_in_them(lists: ListsClient, api: Api) -> None:
    lists.settle(groups={"12": "Offers", "14": "News"})
    lists.add("group:12", ANA, at=1000.0)

    (pair,) = api("GET", "/v3/asm/suppressions").json
    assert pair == {"email": ANA, "group_id": 12, "group_name": "Offers", "created_at": 1000}
    of_ana = api("GET", f"/v3/asm/suppressions/{part(ANA)}").json["suppressions"]
    assert [(one["id"], one["suppressed"]) for one in of_ana] == [(12, True), (14, False)]
    assert api("GET", "/v3/asm/groups/12/suppressions").json == [ANA]
    search = "/v3/asm/groups/12/suppressions/search"
    assert api("POST", search, json_body={"recipient_emails": [ANA, BEN]}).json == [ANA]
    assert [one["name"] for one in api("GET", "/v3/asm/groups").json] == ["Offers", "News"]
    assert api("DELETE", f"/v3/asm/groups/12/suppressions/{part(ANA)}").status == 204
    assert api("GET", "/v3/asm/groups/12/suppressions").json == []


def test_delete_all_really_empties_the_list_and_is_counted(lists: ListsClient, api: Api) -> None:
    lists.add("bounces", ANA, BEN)
    assert lists.emptied == 0

    assert api("DELETE", BOUNCES, json_body={"delete_all": True}).status == 204
    assert lists.entries() == []
    assert lists.emptied == 1


def test_a_delete_without_an_address_is_counted(lists: ListsClient, api: Api) -> None:
    lists.add("bounces", ANA)

    assert api("DELETE", f"{BOUNCES}/").status == 400
    assert api("DELETE", f"{GLOBAL}/").status == 404
    assert lists.emptied == 2
    assert len(lists.entries()) == 1


def test_several_bounces_are_deleted_by_their_addresses(lists: ListsClient, api: Api) -> None:
    lists.add("bounces", ANA, BEN)

    assert api("DELETE", BOUNCES, json_body={"emails": [ANA]}).status == 204
    assert [one["address"] for one in lists.entries()] == [BEN]
    assert lists.emptied == 0


def test_a_wrong_key_is_401_and_a_missing_scope_403(lists: ListsClient, api: Api) -> None:
    lists.settle(keys={"SG.reader": ["suppression.read"]})

    assert api("GET", BOUNCES, key="SG.sandbox").status == 401
    assert call(lists.url + BOUNCES).status == 401
    assert api("GET", BOUNCES, key="SG.reader").status == 200
    assert api("DELETE", f"{BOUNCES}/{part(ANA)}", key="SG.reader").status == 403
    assert api("GET", "/v3/asm/suppressions", key="SG.reader").status == 403
    assert api("GET", "/v3/scopes", key="SG.reader").json == {"scopes": ["suppression.read"]}


def test_the_whitelist_can_be_read(lists: ListsClient, api: Api) -> None:
    lists.settle(whitelist=["example.com"])

    answer = api("GET", "/v3/mail_settings/address_whitelist").json
    assert answer == {"enabled": True, "list": ["example.com"]}


def test_a_write_shows_after_the_delay(lists: ListsClient, api: Api) -> None:
    lists.settle(delay=3600)
    api("POST", GLOBAL, json_body={"recipient_emails": [ANA]})
    assert api("GET", f"{GLOBAL}/{part(ANA)}").json == {}


def test_too_many_calls_are_429(lists: ListsClient, api: Api) -> None:
    lists.settle(rate=[2, 3600])
    statuses = [api("GET", "/v3/asm/groups").status for _ in range(3)]

    assert statuses == [200, 200, 429]


def test_faults_refuse_or_spoil_the_answer(ws: Workspace, lists: ListsClient, api: Api) -> None:
    lists.add("bounces", ANA)
    ws.fault("lists/sendgrid", "ratelimited", retry_after=7)
    limited = api("GET", BOUNCES)
    ws.fault("lists", "server_error")
    broken = api("GET", BOUNCES)
    ws.fault("lists/sendgrid GET", "error", status=403, error="access forbidden")
    forbidden = api("GET", BOUNCES)
    ws.fault("lists/sendgrid", "half")
    half = api("GET", BOUNCES)
    ws.fault("lists/sendgrid", "another_account")
    strangers = api("GET", BOUNCES)
    ws.fault("lists/sendgrid", "another_account")
    stranger = api("GET", f"{BOUNCES}/{part(ANA)}").json

    assert (limited.status, limited.headers["retry-after"]) == (429, "7")
    assert broken.status == 500
    assert (forbidden.status, forbidden.json["errors"][0]["message"]) == (403, "access forbidden")
    assert half.status == 200
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        _ = half.json
    assert {one["email"].partition("@")[2] for one in strangers.json} == {"elsewhere.example"}
    assert [one["email"] for one in stranger] != [ANA]
    assert api("GET", BOUNCES).json[0]["email"] == ANA


def test_down_does_nothing_and_close_after_accept_does_it(
    ws: Workspace, lists: ListsClient, api: Api
) -> None:
    for fault, there in (("down", False), ("close_after_accept", True)):
        ws.fault("lists/sendgrid POST", fault)
        with pytest.raises((OSError, HTTPException)):
            api("POST", GLOBAL, json_body={"recipient_emails": [ANA]})

        assert lists.holds("unsubscribes", ANA) is there


def test_faults_of_slack_do_not_befall_the_lists(ws: Workspace, api: Api) -> None:
    ws.fault("*", "server_error")

    assert api("GET", BOUNCES).status == 200


def test_a_hundred_thousand_entries_are_read_in_seconds(lists: ListsClient, api: Api) -> None:
    lists.generate("unsubscribes", 100_000)
    began, seen = time.monotonic(), set[str]()
    for offset in range(0, 100_000, 500):
        query = {"limit": 500, "offset": offset}
        page = api("GET", "/v3/suppression/unsubscribes", query=query).json
        seen.update(one["email"] for one in page)

    assert len(seen) == 100_000
    assert time.monotonic() - began < 30
