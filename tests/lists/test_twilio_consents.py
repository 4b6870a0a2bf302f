"""Twilio's consents: opt-outs are added, and nothing else is done."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest

from bot.consent.suppressions import Cause, ListedAddress, Listing
from handlers.suppression_lists.provider_lists import (
    AddressRefused,
    ListsForbidden,
    ListsUnavailable,
    ProviderLists,
)
from sandbox.client.lists_client import ListsClient
from tests.support.answering_lists import Asked, Told, answering
from tests.support.list_clients_fixtures import all_pages, client_of

ANA, BEN = "+14155550100", "+14155550101"
OURS, SERVICE = "+18885550199", "MG00000000000000000000000000000001"
PATH = "/v1/Consents/Bulk"


@pytest.fixture
def twilio(lists_of: Callable[[str], ListsClient]) -> ListsClient:
    lists = lists_of("twilio")
    lists.settle(available=True)
    return lists


@pytest.fixture
def client(twilio: ListsClient) -> ProviderLists:
    both = f"{OURS}, {SERVICE}"
    return client_of("twilio", twilio.url, OPTIN_TWILIO_CONSENT_SENDERS=both)


def items(asked: Asked) -> list[dict[str, Any]]:
    pairs = parse_qsl(asked.body.decode(), strict_parsing=True)
    assert {name for name, _ in pairs} == {"Items"}
    return [json.loads(value) for _, value in pairs]


def taking(asked: Asked, handler: Any) -> Told:
    rows = [
        {"correlation_id": one["correlation_id"], "error_code": 0, "error_messages": []}
        for one in items(asked)
    ]
    return Told(status=201, content={"items": rows[::-1]})


def test_a_number_is_opted_out_from_each_sender(twilio: ListsClient, client: ProviderLists):
    added = client.add([ANA, BEN])

    assert [one.problem for one in added] == ["", ""]
    for sender in (OURS, SERVICE):
        assert twilio.holds(sender, ANA)
        assert twilio.holds(sender, BEN)


def test_the_call_is_a_form_of_at_most_25_items_that_all_opt_out():
    numbers = [f"+1415555{number:04d}" for number in range(25)]
    with answering(taking) as api:
        both = f"{OURS}, {SERVICE}"
        client = client_of("twilio", api.url, OPTIN_TWILIO_CONSENT_SENDERS=both)
        added = client.add(numbers)
        again = client.add(numbers)

    assert not any(one.problem for one in (*added, *again))
    assert api.lines == [f"POST {PATH}"] * 4
    sent = [item for asked in api.asked for item in items(asked)]
    assert [len(items(asked)) for asked in api.asked] == [25, 25, 25, 25]
    assert {item["status"] for item in sent} == {"opt-out"}
    assert {item["source"] for item in sent} == {"others"}
    assert len({item["correlation_id"] for item in sent}) == 50
    assert all(len(item["correlation_id"]) == 32 for item in sent)
    kind = api.asked[0].headers["content-type"]
    assert kind == "application/x-www-form-urlencoded"


def test_a_failure_within_a_200_is_one_numbers_own_and_tried_again(
    twilio: ListsClient, client: ProviderLists
):
    twilio.settle(fail={BEN: 1})

    first, second = client.add([ANA, BEN])

    assert not first.problem
    assert "INTERNAL_SERVER_ERROR" in second.problem
    assert second.again
    assert not client.add([BEN])[0].problem


@pytest.mark.parametrize(
    ("row", "again"),
    [
        ({"error_code": 30646, "error_messages": ["INVALID_CONTACT_ID"]}, False),
        ({"error_code": 30646, "error_messages": ["INTERNAL_SERVER_ERROR"]}, True),
        ({"error_code": 30646, "error_messages": [f"Not a number: {ANA}"]}, True),
        ({"error_code": 30646}, True),
        ({"error_code": None}, True),
        (None, True),
    ],
)
def test_a_result_is_read_by_its_id_and_never_shows_the_number(row: Any, again: bool):
    def answer(asked: Asked, handler: Any) -> Told:
        (one,) = items(asked)
        rows = [{"correlation_id": "0" * 32, "error_code": 0}]
        return Told(content={"items": [*rows, *([{**one, **row}] if row else [])]})

    with answering(answer) as api:
        (added,) = client_of("twilio", api.url).add([ANA])

    assert added.problem
    assert added.again is again
    assert ANA not in added.problem


@pytest.mark.parametrize(
    "number", ["", "14155550100", "+1", "support", "ana@example.com", "+1415555010a"]
)
def test_what_is_no_number_is_not_sent(twilio: ListsClient, client: ProviderLists, number: str):
    first, second = client.add([number, ANA])

    assert first.problem
    assert not second.problem


def test_an_account_outside_the_pilot_is_told_so(twilio: ListsClient, client: ProviderLists):
    twilio.settle(available=False)

    with pytest.raises(ListsForbidden, match="pilot"):
        client.add([ANA])


def test_the_limit_of_a_minute_is_heeded(twilio: ListsClient, client: ProviderLists):
    twilio.settle(rate=[1, 60])

    with pytest.raises(ListsUnavailable):
        client.add([f"+1415555{number:04d}" for number in range(30)])


def test_while_tokens_change_the_one_that_holds_is_used(twilio: ListsClient):
    for tokens in ("old, sandbox-token", "sandbox-token, old"):
        client = client_of("twilio", twilio.url, OPTIN_TWILIO_AUTH_TOKEN=tokens)

        assert not client.add([ANA])[0].problem


def test_there_is_nothing_to_read_and_nothing_is_lifted(twilio: ListsClient, client: ProviderLists):
    twilio.add(OURS, ANA)
    listing = Listing(provider="twilio", cause=Cause.OURS)

    (page,) = all_pages(client)
    with pytest.raises(AddressRefused, match="UNSTOP"):
        client.remove(ListedAddress(address=ANA, listing=listing, since=None))

    assert not client.readable
    assert (page.entries, page.events, list(client.find(ANA))) == ((), (), [])
    assert [one.cure for one in client.check()] == [None]
    assert twilio.calls("remove") == twilio.emptied == 0
