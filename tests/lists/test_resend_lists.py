"""Resend's suppressions: what is special about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from handlers.suppression_lists.provider_lists import (
    AddressRefused,
    ListsForbidden,
    ListsUnavailable,
    ProviderLists,
    ReadOutdated,
)
from sandbox.client.lists_client import ListsClient
from tests.support.answering_lists import Told, answering
from tests.support.list_clients_fixtures import all_entries, all_pages, client_of

ANA, BEN = "ana@example.com", "ben@example.com"


@pytest.fixture
def resend(lists_of: Callable[[str], ListsClient]) -> ListsClient:
    return lists_of("resend")


@pytest.fixture
def client(resend: ListsClient) -> ProviderLists:
    return client_of("resend", resend.url)


def test_duplicates_collapse_in_the_answer_and_nobody_is_mixed_up(
    resend: ListsClient, client: ProviderLists
):
    added = client.add([BEN, ANA, "Ana@Example.com", BEN])

    assert [one.address for one in added] == [BEN, ANA, "Ana@Example.com", BEN]
    assert not any(one.problem for one in added)
    assert resend.count("suppressions") == 2


def test_an_answer_with_addresses_says_which_are_missing():
    told = Told(content={"data": [{"id": "1", "email": BEN}]})
    with answering({"POST /suppressions/batch/add": told}) as api:
        first, second = client_of("resend", api.url).add([ANA, BEN])

    assert first.again
    assert not second.problem


def test_only_the_entry_that_was_seen_is_taken_off(resend: ListsClient, client: ProviderLists):
    resend.add("suppressions", ANA, origin="manual", at=1_000.0)
    (entry,) = client.find(ANA)
    # Meanwhile the contact bounced: another entry, with another id.
    resend.remove("suppressions", ANA)
    resend.add("suppressions", ANA, origin="bounce", at=2_000.0)

    client.remove(entry)

    (left,) = resend.entries(ANA)
    assert left["origin"] == "bounce"


@pytest.mark.parametrize("id_", ["", "..", "a/b", "1 or 2"])
def test_an_entry_without_an_id_is_not_taken_off(
    resend: ListsClient, client: ProviderLists, id_: str
):
    resend.add("suppressions", ANA, origin="manual")
    (entry,) = client.find(ANA)

    with pytest.raises(AddressRefused):
        client.remove(replace(entry, place=id_))
    assert resend.calls("remove") == resend.emptied == 0


def test_a_page_whose_entry_is_gone_begins_the_read_anew(
    resend: ListsClient, client: ProviderLists
):
    resend.generate("suppressions", 250)
    first = next(iter(client.pages(None)))
    resend.remove("suppressions", first.entries[-1].address)

    with pytest.raises(ReadOutdated):
        all_pages(client, first.next)


def test_a_team_without_the_list_is_told_so(resend: ListsClient, client: ProviderLists):
    resend.settle(available=False)

    with pytest.raises(ListsForbidden, match="not available"):
        all_pages(client)
    with pytest.raises(ListsForbidden, match="not available"):
        list(client.check())


def test_a_key_that_may_only_send_is_told_so(resend: ListsClient, client: ProviderLists):
    resend.settle(keys={"re_sandbox": ["sending_access"]})

    with pytest.raises(ListsForbidden, match="Full access"):
        all_pages(client)


def test_the_rate_limit_of_the_team_is_heeded(resend: ListsClient, client: ProviderLists):
    resend.generate("suppressions", 1_000)
    resend.settle(rate=[5, 1.0])

    with pytest.raises(ListsUnavailable) as raised:
        all_pages(client)

    assert raised.value.retry_after in (None, timedelta(seconds=1))


def test_a_list_that_says_it_goes_on_and_does_not_is_given_up():
    told = Told(content={"object": "list", "has_more": True, "data": []})
    with answering({"GET /suppressions": told}) as api, pytest.raises(ListsUnavailable):
        all_pages(client_of("resend", api.url))


def test_an_origin_that_is_not_known_is_our_own_side(resend: ListsClient, client: ProviderLists):
    resend.add("suppressions", ANA, origin="import")

    (entry,) = all_entries(client)

    assert entry.listing.name == "resend/ours"
