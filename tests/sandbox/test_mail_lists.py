"""The simulated lists of Mailgun, Postmark and Resend answer as their documentation says."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.client import Workspace
from sandbox.client.lists_client import ListsClient
from tests.support.lists_fixtures import ApiAnswer, basic, bearer, call, part

ANA, BEN, EVE = "ana@example.com", "ben@example.com", "eve@example.com"
MG = "/v3/mg.example.com"
DUMP = "/message-streams/broadcast/suppressions/dump"


@pytest.fixture
def ws() -> Iterator[Workspace]:
    with Workspace.start(mode="socket") as workspace:
        yield workspace


def mailgun(lists: ListsClient, method: str, path: str, **more: Any) -> ApiAnswer:
    return call(lists.url + path, method, headers=basic("api", "key-sandbox"), **more)


def postmark(lists: ListsClient, method: str, path: str, **more: Any) -> ApiAnswer:
    headers = {
        "X-Postmark-Server-Token": "00000000-0000-4000-8000-000000000001",
        "Accept": "application/json",
    }
    return call(lists.url + path, method, headers=headers, **more)


def resend(
    lists: ListsClient, method: str, path: str, key: str = "re_sandbox", **more: Any
) -> ApiAnswer:
    headers = {**bearer(key), "User-Agent": "test"}
    return call(lists.url + path, method, headers=headers, **more)


def test_mailguns_pages_are_alphabetical_and_lead_to_the_next(ws: Workspace) -> None:
    lists = ws.lists("mailgun")
    lists.add("mg.example.com/bounces", EVE, ANA, BEN)

    first = mailgun(lists, "GET", f"{MG}/bounces", query={"limit": 2}).json
    second = call(first["paging"]["next"], headers=basic("api", "key-sandbox")).json
    third = call(second["paging"]["next"], headers=basic("api", "key-sandbox")).json

    assert [one["address"] for one in first["items"]] == [ANA, BEN]
    assert [one["address"] for one in second["items"]] == [EVE]
    assert third["items"] == []
    assert mailgun(lists, "GET", f"{MG}/bounces", query={"limit": 1001}).status == 400


def test_mailgun_says_404_to_an_unknown_address_and_domain(ws: Workspace) -> None:
    lists = ws.lists("mailgun")
    unknown = mailgun(lists, "GET", f"{MG}/bounces/{part(ANA)}")

    assert unknown.status == 404
    assert unknown.json == {"message": "Address not found in bounces table"}
    assert mailgun(lists, "DELETE", f"{MG}/bounces/{part(ANA)}").status == 404
    assert mailgun(lists, "GET", "/v3/other.example/bounces").status == 404


def test_each_domain_of_mailgun_has_lists_of_its_own(ws: Workspace) -> None:
    lists = ws.lists("mailgun")
    lists.settle(domains=["mg.example.com", "news.example"])
    mailgun(lists, "POST", f"{MG}/unsubscribes", form=[("address", ANA)])

    assert lists.holds("mg.example.com/unsubscribes", ANA)
    assert not lists.holds("news.example/unsubscribes", ANA)
    assert mailgun(lists, "GET", f"/v3/news.example/unsubscribes/{part(ANA)}").status == 404


def test_many_addresses_of_mailgun_have_tags_in_the_plural(ws: Workspace) -> None:
    lists = ws.lists("mailgun")
    at = "Thu, 13 Oct 2011 18:02:00 GMT"
    rows = [{"address": ANA, "tags": ["*"], "created_at": at}, {"address": BEN, "tag": "news"}]
    answer = mailgun(lists, "POST", f"{MG}/unsubscribes", json_body=rows)

    assert answer.json["message"] == "2 addresses have been added to the unsubscribes table"
    seen = mailgun(lists, "GET", f"{MG}/unsubscribes/{part(ANA)}").json
    assert seen == {"address": ANA, "tags": ["*"], "created_at": "Thu, 13 Oct 2011 18:02:00 UTC"}
    assert mailgun(lists, "GET", f"{MG}/unsubscribes/{part(BEN)}").json["tags"] == ["*"]


def test_a_tag_of_mailgun_is_removed_alone(ws: Workspace) -> None:
    lists = ws.lists("mailgun")
    lists.add("mg.example.com/unsubscribes", ANA, tags=["*", "news"])

    assert mailgun(lists, "DELETE", f"{MG}/unsubscribes/{part(ANA)}?tag=news").status == 200
    assert lists.entries(ANA)[0]["tags"] == ["*"]
    assert mailgun(lists, "DELETE", f"{MG}/unsubscribes/{part(ANA)}").status == 200
    assert lists.entries() == []


@pytest.mark.parametrize("path", [f"{MG}/bounces", f"{MG}/bounces/"])
def test_a_delete_without_an_address_empties_mailguns_list(ws: Workspace, path: str) -> None:
    lists = ws.lists("mailgun")
    lists.add("mg.example.com/bounces", ANA, BEN)

    assert mailgun(lists, "DELETE", path).status == 200
    assert lists.entries() == []
    assert lists.emptied == 1


def test_a_wrong_key_of_mailgun_is_answered_in_plain_text(ws: Workspace) -> None:
    lists = ws.lists("mailgun")
    answer = call(f"{lists.url}{MG}/bounces", headers=basic("api", "key-other"))

    assert (answer.status, answer.text) == (401, "Forbidden")


def test_postmark_dumps_a_stream_with_filters(ws: Workspace) -> None:
    lists = ws.lists("postmark")
    at = datetime(2026, 11, 3, 3, 0, tzinfo=UTC).timestamp()
    lists.add("broadcast", ANA, at=at, SuppressionReason="SpamComplaint")
    lists.add("broadcast", BEN, Origin="Customer")
    lists.add("outbound", EVE)

    everything = postmark(lists, "GET", DUMP).json["Suppressions"]
    of_ana = postmark(lists, "GET", DUMP, query={"EmailAddress": "ANA@example.com"}).json
    of_ours = postmark(lists, "GET", DUMP, query={"Origin": "customer"}).json["Suppressions"]

    assert [one["EmailAddress"] for one in everything] == [ANA, BEN]
    assert of_ana["Suppressions"] == [
        {
            "EmailAddress": ANA,
            "SuppressionReason": "SpamComplaint",
            "Origin": "Recipient",
            "CreatedAt": "2026-11-02T22:00:00-05:00",
        }
    ]
    assert [one["EmailAddress"] for one in of_ours] == [BEN]


def test_postmark_fails_single_addresses_within_a_200(ws: Workspace) -> None:
    lists = ws.lists("postmark")
    lists.settle(delay=0)
    lists.add("broadcast", EVE, SuppressionReason="SpamComplaint")
    path = "/message-streams/broadcast/suppressions"
    body = {"Suppressions": [{"EmailAddress": one} for one in (ANA, "ben")]}
    added = postmark(lists, "POST", path, json_body=body)
    body = {"Suppressions": [{"EmailAddress": one} for one in (ANA, EVE)]}
    deleted = postmark(lists, "POST", f"{path}/delete", json_body=body)

    assert (added.status, deleted.status) == (200, 200)
    statuses = [one["Status"] for one in added.json["Suppressions"]]
    assert statuses == ["Suppressed", "Failed"]
    statuses = [one["Status"] for one in deleted.json["Suppressions"]]
    assert statuses == ["Deleted", "Failed"]
    assert [one["address"] for one in lists.entries()] == [EVE]


def test_what_postmark_takes_shows_later() -> None:
    now = datetime(2026, 11, 3, tzinfo=UTC)
    times = [now]
    with Workspace.start(mode="socket", clock=lambda: times[-1]) as ws:
        lists = ws.lists("postmark")
        lists.settle(delay=60)
        body = {"Suppressions": [{"EmailAddress": ANA}]}
        postmark(lists, "POST", "/message-streams/outbound/suppressions", json_body=body)
        path = "/message-streams/outbound/suppressions/dump"
        before = postmark(lists, "GET", path).json["Suppressions"]
        times.append(now.replace(minute=1))
        after = postmark(lists, "GET", path).json["Suppressions"]

        assert before == []
        assert [(one["Origin"], one["SuppressionReason"]) for one in after] == [
            ("Customer", "ManualSuppression")
        ]


def test_postmark_takes_fifty_addresses_and_known_streams(ws: Workspace) -> None:
    lists = ws.lists("postmark")
    path = "/message-streams/broadcast/suppressions"
    body = {"Suppressions": [{"EmailAddress": f"{number}@example.com"} for number in range(51)]}

    assert postmark(lists, "POST", path, json_body=body).status == 422
    assert postmark(lists, "GET", "/message-streams/inbound/suppressions/dump").status == 422
    assert postmark(lists, "GET", "/message-streams").json["TotalCount"] == 3
    wrong = call(lists.url + DUMP, headers={"X-Postmark-Server-Token": "other"})
    assert (wrong.status, wrong.json["ErrorCode"]) == (401, 10)


def test_resend_wants_a_user_agent_and_a_key_with_full_access(ws: Workspace) -> None:
    lists = ws.lists("resend")
    lists.settle(keys={"re_sends": ["sending_access"], "re_sandbox": None})

    agentless = call(f"{lists.url}/suppressions", headers=bearer("re_sandbox"))
    assert (agentless.status, agentless.text) == (403, "error code: 1010")
    restricted = resend(lists, "GET", "/suppressions", key="re_sends")
    assert (restricted.status, restricted.json["name"]) == (401, "restricted_api_key")
    assert resend(lists, "GET", "/suppressions", key="re_other").json["name"] == "validation_error"


def test_resends_pages_go_on_behind_an_id(ws: Workspace) -> None:
    lists = ws.lists("resend")
    lists.settle(rate=None)
    for number in range(1, 6):
        lists.add("suppressions", f"{number}@example.com", at=1000.0 + number)

    first = resend(lists, "GET", "/suppressions", query={"limit": 3}).json
    last = first["data"][-1]
    second = resend(lists, "GET", "/suppressions", query={"limit": 3, "after": last["id"]}).json
    back = resend(lists, "GET", "/suppressions", query={"before": last["id"], "limit": 1}).json

    assert [one["email"][0] for one in first["data"]] == ["5", "4", "3"]
    assert ([one["email"][0] for one in second["data"]], second["has_more"]) == (["2", "1"], False)
    assert [one["email"][0] for one in back["data"]] == ["4"]
    lists.remove("suppressions", "3@example.com")
    assert resend(lists, "GET", "/suppressions", query={"after": last["id"]}).status == 422


def test_resend_leaves_misses_and_duplicates_out_of_its_answer(ws: Workspace) -> None:
    lists = ws.lists("resend")
    lists.settle(rate=None)
    added = resend(lists, "POST", "/suppressions/batch/add", json_body={"emails": [ANA, ANA, BEN]})
    again = resend(lists, "POST", "/suppressions", json_body={"email": "Ana@Example.com"})
    removed = resend(
        lists, "POST", "/suppressions/batch/remove", json_body={"emails": [EVE, BEN, ANA]}
    )

    assert len(added.json["data"]) == 2
    assert again.status == 201
    assert again.json["id"] in [one["id"] for one in added.json["data"]]
    assert len(removed.json["data"]) == 2
    both = {"emails": [ANA], "ids": None}
    assert resend(lists, "POST", "/suppressions/batch/remove", json_body=both).status == 422


def test_resend_finds_and_deletes_by_address_or_id(ws: Workspace) -> None:
    lists = ws.lists("resend")
    lists.settle(rate=None)
    lists.add("suppressions", ANA, BEN, origin="complaint")

    found = resend(lists, "GET", f"/suppressions/{part(ANA)}").json
    assert (found["email"], found["origin"]) == (ANA, "complaint")
    assert resend(lists, "DELETE", f"/suppressions/{found['id']}").json["deleted"]
    assert resend(lists, "DELETE", f"/suppressions/{part(ANA)}").status == 404
    assert resend(lists, "DELETE", "/suppressions/").status == 405
    assert lists.emptied == 1
    assert [one["address"] for one in lists.entries()] == [BEN]


def test_resend_allows_five_calls_a_second(ws: Workspace) -> None:
    lists = ws.lists("resend")
    lists.settle(rate=[5, 3600])
    answers = [resend(lists, "GET", "/suppressions") for _ in range(6)]

    assert [one.status for one in answers] == [200] * 5 + [429]
    ws.fault("lists/resend", "ratelimited", retry_after=3)
    assert resend(lists, "GET", "/suppressions").headers["retry-after"] == "3"
