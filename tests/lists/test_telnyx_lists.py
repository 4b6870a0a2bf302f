"""Telnyx's opt-outs: read, and told as its webhook tells them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.consent.events import Event, EventKind, Failure
from bot.consent.model import BlockState, Channel
from bot.consent.suppressions import Cause, ListedAddress, Listing
from bot.consent.use_cases import Details, Service, add
from bot.consent.use_cases.ingest import ingest
from handlers.suppression_lists.provider_lists import (
    AddressRefused,
    ListsUnavailable,
    ProviderLists,
    ReadOutdated,
)
from sandbox.client.lists_client import ListsClient
from tests.support.answering_lists import Told, answering
from tests.support.consent_fixtures import AGENT
from tests.support.list_clients_fixtures import all_pages, client_of

CONTACT, OURS, PROFILE = "+14155550100", "+18885550199", "40010000-0000-4000-8000-000000000001"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def telnyx(lists_of: Callable[[str], ListsClient]) -> ListsClient:
    return lists_of("telnyx")


@pytest.fixture
def client(telnyx: ListsClient) -> ProviderLists:
    return client_of("telnyx", telnyx.url)


def events(client: ProviderLists, resume: str | None = None) -> list[Event]:
    return [event for page in all_pages(client, resume) for event in page.events]


def test_an_opt_out_is_told_as_the_failure_that_it_makes(
    telnyx: ListsClient, client: ProviderLists
):
    telnyx.add(OURS, CONTACT, at=AT.timestamp(), messaging_profile_id=PROFILE)

    (event,) = events(client)

    assert (event.kind, event.failure, event.channel) == (
        EventKind.FAILED,
        Failure.OPT_OUT,
        Channel.SMS,
    )
    assert (event.address, event.sender, event.service) == (CONTACT, OURS, PROFILE)
    assert (event.occurred_at, event.code) == (AT, "40300")
    assert CONTACT not in event.id


def test_every_page_is_read_and_a_row_has_the_same_id_at_each_read(
    telnyx: ListsClient, client: ProviderLists
):
    telnyx.generate(OURS, 600, "+1415555{:04d}")

    pages = all_pages(client)

    ids = [event.id for page in pages for event in page.events]
    assert (len(pages), len(set(ids))) == (3, 600)
    assert {event.id for event in events(client)} == set(ids)
    rest = [event.id for page in pages[1:] for event in page.events]
    assert [event.id for event in events(client, pages[0].next)] == rest


def test_a_list_that_changes_while_it_is_read_loses_nobody(
    telnyx: ListsClient, client: ProviderLists
):
    numbers = [f"+1415555{number:04d}" for number in range(600)]
    telnyx.settle(
        entries=[
            {"list": OURS, "address": one, "at": AT.timestamp() + place}
            for place, one in enumerate(numbers)
        ]
    )
    seen: list[str] = []
    later = datetime.now(UTC).timestamp() + 60
    for place, page in enumerate(client.pages(None)):
        seen += [event.address for event in page.events]
        telnyx.add("+15555550000", f"+1212555{place:04d}", at=later)
        if place < 2:  # lifted by START
            telnyx.remove(OURS, *numbers[-10 * place - 10 : len(numbers) - 10 * place])

    assert set(numbers) <= set(seen)


def test_numbers_with_stars_are_not_taken_for_numbers():
    row = {"from": OURS, "to": "+1415555****", "created_at": AT.isoformat()}
    told = Told(content={"data": [row], "meta": {"total_pages": 1, "total_results": 1}})
    with answering({"GET /v2/messaging_optouts": told}) as api:
        with pytest.raises(ListsUnavailable, match="digits"):
            events(client_of("telnyx", api.url))
        assert api.asked[0].query["redaction_enabled"] == "false"


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        {"data": None},
        {"data": [{"to": CONTACT}]},
        {"data": ["x"], "meta": {"total_pages": 1, "total_results": 1}},
    ],
)
def test_an_answer_of_another_shape_is_no_empty_list(content: Any):
    told = Told(content=content)
    with answering({"GET /v2/messaging_optouts": told}) as api, pytest.raises(ListsUnavailable):
        events(client_of("telnyx", api.url))


@pytest.mark.parametrize("resume", ["{", '{"page":0}', '{"page":"2"}'])
def test_a_place_that_is_not_known_begins_the_read_anew(client: ProviderLists, resume: str):
    with pytest.raises(ReadOutdated):
        all_pages(client, resume)


def test_a_missed_stop_is_taken_in_once(
    service: Service, telnyx: ListsClient, client: ProviderLists
):
    telnyx.add(OURS, CONTACT, at=AT.timestamp(), messaging_profile_id=PROFILE)
    add(service, Details(name="Ana", phone=CONTACT), AGENT)

    assert ingest(service, events(client)) == {"applied": 1}
    assert ingest(service, events(client)) == {"duplicate": 1}

    with service.store.reading() as records:
        blocks = records.addresses.get(CONTACT).blocks
    assert {block.state for block in blocks.values()} == {BlockState.BLOCKED}
    assert {block.since for block in blocks.values()} == {AT}


def test_nothing_of_telnyx_is_written(telnyx: ListsClient, client: ProviderLists):
    entry = ListedAddress(
        address=CONTACT, listing=Listing(provider="telnyx", cause=Cause.OURS), since=None
    )

    assert client.add([CONTACT])[0].problem
    with pytest.raises(AddressRefused, match="START"):
        client.remove(entry)
    assert client.find(CONTACT) == ()
    assert telnyx.calls("add") == telnyx.calls("remove") == telnyx.emptied == 0
