"""Postmark's suppressions: what is special about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from handlers.suppression_lists.provider_lists import (
    AddressRefused,
    ListsUnavailable,
    ProviderLists,
    ReadOutdated,
)
from sandbox.client.lists_client import ListsClient
from tests.support.answering_lists import Asked, Told, answering
from tests.support.list_clients_fixtures import all_entries, all_pages, client_of, known

ANA, BEN = "ana@example.com", "ben@example.com"


@pytest.fixture
def postmark(lists_of: Callable[[str], ListsClient]) -> ListsClient:
    return lists_of("postmark")


@pytest.fixture
def client(postmark: ListsClient) -> ProviderLists:
    return client_of("postmark", postmark.url)


def test_every_stream_that_sends_is_read(postmark: ListsClient, client: ProviderLists):
    streams = {"outbound": "Transactional", "news": "Broadcasts", "inbound": "Inbound"}
    postmark.settle(streams=streams)
    postmark.add("outbound", ANA, SuppressionReason="HardBounce")
    postmark.add("news", ANA, BEN)

    assert known(all_entries(client)) == {
        (ANA, "postmark/bounce", "outbound"),
        (ANA, "postmark/unsubscribe/server:23/stream:news", "news"),
        (BEN, "postmark/unsubscribe/server:23/stream:news", "news"),
    }


def test_an_opt_out_is_added_to_every_stream(postmark: ListsClient, client: ProviderLists):
    assert not client.add([ANA])[0].problem

    assert postmark.holds("outbound", ANA)
    assert postmark.holds("broadcast", ANA)
    assert {entry.listing.name for entry in client.find(ANA)} == {"postmark/ours"}


def test_a_failure_within_a_200_is_one_address_own(postmark: ListsClient, client: ProviderLists):
    postmark.settle(fail={BEN: 1})

    first, second = client.add([ANA, BEN])

    assert not first.problem
    assert "Failed" in second.problem
    assert not second.again
    assert postmark.holds("outbound", ANA)


def test_a_removal_that_failed_within_a_200_is_refused(
    postmark: ListsClient, client: ProviderLists
):
    postmark.add("outbound", ANA)
    (entry,) = client.find(ANA)
    postmark.settle(fail={ANA: 1})

    with pytest.raises(AddressRefused, match="Failed"):
        client.remove(entry)
    client.remove(entry)

    assert not postmark.holds("outbound", ANA)


def test_a_spam_complaint_is_neither_taken_off_nor_tried(
    postmark: ListsClient, client: ProviderLists
):
    postmark.add("outbound", ANA, SuppressionReason="SpamComplaint")
    (entry,) = client.find(ANA)

    with pytest.raises(AddressRefused):
        client.remove(entry)
    assert postmark.calls("remove") == 0


def test_an_answer_about_another_address_is_no_answer():
    streams = [{"ID": "outbound", "ServerID": 23, "MessageStreamType": "Transactional"}]
    rows = [{"EmailAddress": BEN, "Status": "Deleted", "SuppressionReason": "HardBounce"}]

    def answer(asked: Asked, handler: Any) -> Told:
        return Told(content={"MessageStreams": streams, "Suppressions": rows})

    with answering(answer) as api:
        client = client_of("postmark", api.url)
        (added,) = client.add([ANA])
        (entry,) = client.find(BEN)
        with pytest.raises(ListsUnavailable, match="another address"):
            client.find(ANA)
        with pytest.raises(ListsUnavailable, match="another address"):
            client.remove(
                type(entry)(address=ANA, listing=entry.listing, since=None, place="outbound")
            )

    assert added.again


def test_a_write_shows_later_and_the_list_says_so_until_then(
    postmark: ListsClient, client: ProviderLists
):
    postmark.settle(delay=3600)

    assert not client.add([ANA])[0].problem
    assert list(client.find(ANA)) == []


def test_fifty_addresses_are_one_call_for_each_stream(postmark: ListsClient, client: ProviderLists):
    names = [f"contact{number}@example.com" for number in range(client.most_added)]

    added = client.add(names)

    assert client.most_added == 50
    assert not any(one.problem for one in added)
    assert postmark.count("outbound") == postmark.count("broadcast") == 50


def test_a_dump_becomes_pages_and_no_cursor_has_an_address(
    postmark: ListsClient, client: ProviderLists
):
    postmark.generate("outbound", 2_500)

    pages = all_pages(client)

    assert max(len(page.entries) for page in pages) == 1_000
    assert sum(len(page.entries) for page in pages) == 2_500
    assert all("example.com" not in (page.next or "") for page in pages)


def test_a_read_goes_on_although_the_list_has_changed(postmark: ListsClient, client: ProviderLists):
    postmark.generate("outbound", 2_500)
    pages = all_pages(client)
    middle = next(page for page in pages if page.entries and page.next)
    postmark.generate("outbound", 100, "new{}@example.com")
    postmark.remove("outbound", middle.entries[0].address)

    rest = {entry.address for entry in all_entries(client, middle.next)}

    before = {entry.address for entry in middle.entries}
    assert {f"contact{number}@example.com" for number in range(1, 2_501)} - before <= rest


def test_a_stream_that_is_gone_begins_the_read_anew(postmark: ListsClient, client: ProviderLists):
    postmark.settle(streams={"outbound": "Transactional", "news": "Broadcasts"})
    postmark.generate("outbound", 1_500)
    resume = [page.next for page in all_pages(client) if page.next][-1]
    postmark.settle(streams={"news": "Broadcasts"})

    with pytest.raises(ReadOutdated):
        all_pages(client, resume)


@pytest.mark.parametrize("stream", [{}, {"ID": "outbound"}, {"ID": "../x", "ServerID": 1}])
def test_a_stream_without_a_name_or_server_is_no_empty_list(stream: dict[str, Any]):
    row = {"MessageStreamType": "Transactional", **stream}
    with answering({"GET /message-streams": Told(content={"MessageStreams": [row]})}) as api:
        with pytest.raises(ListsUnavailable):
            all_pages(client_of("postmark", api.url))
        assert len(api.asked) == 1
