"""The simulated lists of Amazon SES, Telnyx and Twilio answer as their documentation says."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.client import Workspace
from sandbox.client.lists_client import ListsClient
from tests.support.aws_signing import signed
from tests.support.lists_fixtures import ApiAnswer, basic, bearer, call, part

ANA, NUMBER, LINE = "ana@example.com", "+14155550100", "+18885550199"
SECRET = "sandbox-secret"
ADDRESSES = "/v2/email/suppression/addresses"
ACCOUNT = "AC00000000000000000000000000000001"
ITEM = {
    "contact_id": NUMBER,
    "correlation_id": "ad388b5a46b33b874b0d41f7226db2ef",
    "sender_id": LINE,
    "status": "opt-out",
    "source": "others",
}


@pytest.fixture
def ws() -> Iterator[Workspace]:
    with Workspace.start(mode="socket") as workspace:
        yield workspace


def ses(lists: ListsClient, method: str, path: str, **more: Any) -> ApiAnswer:
    query = more.pop("query", {})
    body = json.dumps(more["json_body"]) if "json_body" in more else ""
    secret = more.pop("secret", SECRET)
    headers = signed(method, lists.url + path, query, body, secret=secret)
    return call(lists.url + path, method, headers=headers, query=query, **more)


def twilio(lists: ListsClient, *items: dict[str, Any]) -> ApiAnswer:
    return call(
        f"{lists.url}/v1/Consents/Bulk",
        "POST",
        headers=basic(ACCOUNT, "sandbox-token"),
        form=[("Items", json.dumps(item)) for item in items],
    )


def test_ses_finds_and_deletes_only_the_exact_spelling(ws: Workspace) -> None:
    lists = ws.lists("ses")
    lists.add("suppression", "Ana@example.com", at=1000.5, Reason="COMPLAINT")

    assert ses(lists, "GET", f"{ADDRESSES}/{part(ANA)}").status == 404
    missing = ses(lists, "DELETE", f"{ADDRESSES}/{part(ANA)}")
    assert (missing.status, missing.headers["x-amzn-errortype"]) == (404, "NotFoundException")
    found = ses(lists, "GET", f"{ADDRESSES}/{part('Ana@example.com')}").json
    assert found["SuppressedDestination"] == {
        "EmailAddress": "Ana@example.com",
        "Reason": "COMPLAINT",
        "LastUpdateTime": 1000.5,
    }
    assert ses(lists, "DELETE", f"{ADDRESSES}/{part('Ana@example.com')}").status == 200
    assert lists.entries() == []


def test_ses_checks_the_signature(ws: Workspace) -> None:
    lists = ws.lists("ses")
    odd = f"{ADDRESSES}/{part('o' + chr(39) + 'neil+x/y=z@example.com')}"

    assert ses(lists, "GET", odd).status == 404
    wrong = ses(lists, "GET", odd, secret="other")
    assert (wrong.status, wrong.headers["x-amzn-errortype"]) == (403, "InvalidSignatureException")
    assert call(lists.url + ADDRESSES).status == 403
    lists.settle(region="eu-west-1")
    assert ses(lists, "GET", odd).status == 403


def test_ses_pages_by_a_token_that_it_may_forget(ws: Workspace) -> None:
    lists = ws.lists("ses")
    lists.generate("suppression", 5)

    seen: list[str] = []
    query: dict[str, Any] = {"PageSize": 2}
    while True:
        page = ses(lists, "GET", ADDRESSES, query=query).json
        seen += [one["EmailAddress"] for one in page["SuppressedDestinationSummaries"]]
        if "NextToken" not in page:
            break
        query["NextToken"] = page["NextToken"]

    assert len(seen) == len(set(seen)) == 5
    lists.settle(forget_tokens=True)
    assert ses(lists, "GET", ADDRESSES, query=query).status == 400


def test_ses_adds_with_a_reason_and_overwrites(ws: Workspace) -> None:
    lists = ws.lists("ses")
    for reason in ("BOUNCE", "COMPLAINT"):
        body = {"EmailAddress": ANA, "Reason": reason}
        assert ses(lists, "PUT", ADDRESSES, json_body=body).status == 200

    assert [one["Reason"] for one in lists.entries()] == ["COMPLAINT"]
    body = {"EmailAddress": ANA, "Reason": "UNSUBSCRIBE"}
    assert ses(lists, "PUT", ADDRESSES, json_body=body).status == 400


def test_ses_tells_for_which_reasons_its_list_acts(ws: Workspace) -> None:
    lists = ws.lists("ses")
    lists.settle(reasons=["BOUNCE"], keys={"AKIASANDBOX": ["ses:GetAccount"]})

    account = ses(lists, "GET", "/v2/email/account").json
    assert account["SuppressionAttributes"] == {"SuppressedReasons": ["BOUNCE"]}
    refused = ses(lists, "GET", ADDRESSES)
    assert (refused.status, refused.headers["x-amzn-errortype"]) == (403, "AccessDeniedException")


def test_a_delete_without_an_address_is_no_operation_of_ses(ws: Workspace) -> None:
    lists = ws.lists("ses")
    lists.add("suppression", ANA)

    assert ses(lists, "DELETE", ADDRESSES).status == 404
    assert (lists.emptied, len(lists.entries())) == (1, 1)


def test_telnyx_redacts_numbers_unless_told_not_to(ws: Workspace) -> None:
    lists = ws.lists("telnyx")
    lists.add(LINE, NUMBER, at=1000.0)
    path = f"{lists.url}/v2/messaging_optouts"

    redacted = call(path, headers=bearer("KEYsandbox")).json["data"][0]["to"]
    query = {"redaction_enabled": "false", "filter[from]": LINE}
    whole = call(path, headers=bearer("KEYsandbox"), query=query).json

    assert redacted == "+1415555****"
    assert whole["data"][0]["to"] == NUMBER
    assert whole["data"][0]["created_at"] == "1970-01-01 00:16:40.000000+00:00"
    assert whole["meta"]["total_pages"] == 1


def test_telnyx_pages_by_number_and_can_only_be_read(ws: Workspace) -> None:
    lists = ws.lists("telnyx")
    lists.generate(LINE, 5, address="+1415555010{}")
    path = f"{lists.url}/v2/messaging_optouts"
    query = {"page[number]": 3, "page[size]": 2, "redaction_enabled": "false"}
    page = call(path, headers=bearer("KEYsandbox"), query=query).json

    assert [one["to"] for one in page["data"]] == ["+14155550101"]
    assert page["meta"]["total_results"] == 5
    assert call(path, "POST", headers=bearer("KEYsandbox"), json_body={}).status == 405
    assert call(path, headers=bearer("KEYother")).status == 401


def test_twilio_answers_each_item_within_a_201(ws: Workspace) -> None:
    lists = ws.lists("twilio")
    answer = twilio(lists, ITEM, {**ITEM, "sender_id": "Acme"})

    assert answer.status == 201
    good, bad = answer.json["items"]
    assert (good["error_code"], good["error_messages"]) == (0, [])
    assert (bad["error_code"], bad["error_messages"]) == (30646, ["INVALID_SENDER_ID"])
    assert lists.holds(LINE, NUMBER)


def test_an_opt_in_lifts_the_opt_out_but_for_toll_free_senders(ws: Workspace) -> None:
    lists = ws.lists("twilio")
    lists.settle(toll_free=[LINE])
    other = {**ITEM, "sender_id": "+14155550150"}
    twilio(lists, ITEM, other)
    twilio(lists, {**ITEM, "status": "opt-in"}, {**other, "status": "opt-in"})

    assert [one["list"] for one in lists.entries()] == [LINE]
    assert lists.calls("add", NUMBER) == 2
    assert lists.calls("remove", NUMBER) == 2


def test_one_item_fails_at_twilio_and_succeeds_when_it_is_tried_again(ws: Workspace) -> None:
    lists = ws.lists("twilio")
    lists.settle(fail={NUMBER: 1})
    codes = [twilio(lists, ITEM).json["items"][0]["error_messages"] for _ in range(2)]

    assert codes == [["INTERNAL_SERVER_ERROR"], []]


def test_twilio_takes_25_items_and_100_calls_a_minute(ws: Workspace) -> None:
    lists = ws.lists("twilio")
    assert twilio(lists, *[ITEM] * 26).status == 400
    lists.settle(rate=[1, 3600])

    assert [twilio(lists, ITEM).status for _ in range(2)] == [429, 429]


def test_another_account_answers_with_strangers_everywhere(ws: Workspace) -> None:
    lists = ws.lists("ses")
    lists.add("suppression", ANA)
    ws.fault("lists/ses", "another_account")

    page = ses(lists, "GET", ADDRESSES).json["SuppressedDestinationSummaries"]
    assert {one["EmailAddress"].partition("@")[2] for one in page} == {"elsewhere.example"}
