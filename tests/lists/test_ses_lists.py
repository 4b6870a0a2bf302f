"""Amazon SES's list: what is special about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.consent.suppressions import Cause
from handlers.suppression_lists.provider_lists import (
    AddressRefused,
    ListsForbidden,
    ListsUnavailable,
    ProviderLists,
    ReadOutdated,
)
from sandbox.client.lists_client import ListsClient
from tests.support.answering_lists import Asked, Told, answering
from tests.support.list_clients_fixtures import all_entries, all_pages, client_of, known

ANA = "ana@example.com"
PATH = "/v2/email/suppression/addresses"


@pytest.fixture
def ses(lists_of: Callable[[str], ListsClient]) -> ListsClient:
    return lists_of("ses")


@pytest.fixture
def client(ses: ListsClient) -> ProviderLists:
    return client_of("ses", ses.url)


def test_an_entry_is_found_and_taken_off_in_the_spelling_of_the_list(
    ses: ListsClient, client: ProviderLists
):
    """Without a read before: a look-up searches the list by itself."""
    ses.add("suppression", "Ana@Example.com", ANA, "ANA@example.com", Reason="BOUNCE")

    found = client.find(ANA)
    for entry in found:
        client.remove(entry)

    assert {entry.address for entry in found} == {"Ana@Example.com", ANA, "ANA@example.com"}
    assert ses.entries(ANA) == []
    assert list(client.find(ANA)) == []


def test_a_look_up_searches_the_list_once_and_then_only_what_is_new(
    ses: ListsClient, client: ProviderLists
):
    long_ago = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    names = [f"contact{number}@example.com" for number in range(3_000)]
    ses.settle(entries=[{"list": "suppression", "address": one, "at": long_ago} for one in names])
    client.find(ANA)
    first = ses.calls("list")
    ses.add("suppression", "Ana@Example.com")

    (entry,) = client.find(ANA)

    assert entry.address == "Ana@Example.com"
    assert (first, ses.calls("list") - first) == (3, 1)


def test_a_long_search_goes_on_with_the_next_look_up(monkeypatch: pytest.MonkeyPatch):
    pages: Iterator[int] = iter(range(1, 10**6))

    def answer(asked: Asked, handler: Any) -> Told:
        if asked.path != PATH:
            return Told(status=404, content={"message": "Email address does not exist"})
        page = next(pages)
        token = {"NextToken": f"t{page}"} if page < 50 else {}
        return Told(content={"SuppressedDestinationSummaries": [], **token})

    with answering(answer) as api:
        client = client_of("ses", api.url)
        for _ in range(2):
            with pytest.raises(ListsUnavailable, match="still reading") as raised:
                client.find(ANA)
            assert raised.value.retry_after is not None
            assert raised.value.retry_after < timedelta(seconds=5)

        assert list(client.find(ANA)) == []
    asked = [one.query.get("NextToken") for one in api.asked if one.path == PATH]
    assert asked == [None, *(f"t{number}" for number in range(1, 50))]


def test_a_token_that_expired_begins_the_read_anew(ses: ListsClient, client: ProviderLists):
    ses.generate("suppression", 2_500)
    first = next(iter(client.pages(None)))
    ses.settle(forget_tokens=True)

    with pytest.raises(ReadOutdated):
        all_pages(client, first.next)
    assert len(all_entries(client)) == 2_500


def test_a_next_page_that_is_the_same_page_is_given_up():
    told = Told(content={"SuppressedDestinationSummaries": [], "NextToken": "t"})
    with (
        answering({f"GET {PATH}": told}) as api,
        pytest.raises(ListsUnavailable, match="same page"),
    ):
        all_pages(client_of("ses", api.url))


def test_the_list_of_a_tenant_is_another_one():
    row = {"EmailAddress": ANA, "Reason": "BOUNCE", "LastUpdateTime": 1.5, "TenantName": "shop"}
    told = Told(content={"SuppressedDestinationSummaries": [row]})
    with answering({f"GET {PATH}": told}) as api:
        assert all_entries(client_of("ses", api.url)) == []


def test_an_opt_out_is_added_as_a_complaint_that_the_caller_takes_off_as_ours(
    ses: ListsClient, client: ProviderLists
):
    assert not client.add([ANA])[0].problem

    (entry,) = client.find(ANA)
    assert entry.listing.cause is Cause.COMPLAINT
    with pytest.raises(AddressRefused):
        client.remove(entry)
    client.remove(replace(entry, listing=replace(entry.listing, cause=Cause.OURS)))

    assert ses.entries(ANA) == []


@pytest.mark.parametrize("reason", ["BOUNCE", "COMPLAINT"])
def test_an_entry_that_stands_there_is_not_overwritten(
    ses: ListsClient, client: ProviderLists, reason: str
):
    ses.add("suppression", ANA, at=1_000.0, Reason=reason)

    (added,) = client.add([ANA])

    (entry,) = ses.entries(ANA)
    assert (entry["Reason"], entry["at"]) == (reason, 1_000.0)
    assert "stands there already" in added.problem
    assert not added.again


def test_an_address_that_amazon_refuses_holds_back_no_other(
    ses: ListsClient, client: ProviderLists
):
    first, second = client.add(["ana@nodot", ANA])

    assert first.problem
    assert not second.problem
    assert known(all_entries(client)) == {(ANA, "ses/complaint", "")}


@pytest.mark.parametrize(
    ("reasons", "says"),
    [(["BOUNCE"], "bounces only"), (["COMPLAINT"], "complaints only"), ([], "no reason at all")],
)
def test_doctor_says_for_which_reasons_the_list_acts(
    ses: ListsClient, client: ProviderLists, reasons: list[str], says: str
):
    ses.settle(reasons=reasons)

    (found,) = (one for one in client.check() if one.cure)

    assert says in found.what
    assert found.advice


def test_a_key_without_the_permission_names_those_it_needs(ses: ListsClient, client: ProviderLists):
    ses.settle(keys={"AKIASANDBOX": ["ses:ListSuppressedDestinations"]})

    assert all_pages(client)
    with pytest.raises(ListsForbidden, match="ses:DeleteSuppressedDestination"):
        client.find(ANA)
    with pytest.raises(ListsForbidden):
        client.add([ANA])
    assert any("ses:GetAccount" in (one.cure or "") for one in client.check())


def test_a_wrong_secret_or_region_is_forbidden(ses: ListsClient):
    for settings in ({"AWS_SECRET_ACCESS_KEY": "wrong"}, {"OPTIN_SES_REGION": "eu-west-1"}):
        with pytest.raises(ListsForbidden, match="OPTIN_SES_REGION"):
            all_pages(client_of("ses", ses.url, **settings))
