"""Whatever a provider answers, its client raises what it says it raises, and names one address in
each call."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.consent.suppressions import ListedAddress
from handlers.suppression_lists.address_paths import is_mailbox
from handlers.suppression_lists.provider_lists import (
    AddressRefused,
    ListsUnavailable,
    ProviderLists,
)
from tests.support.answering_lists import Api, Asked, Told, answering
from tests.support.list_clients_fixtures import SWITCHES, client_of

ANA = "ana@example.com"
DOCUMENTED = (ListsUnavailable, AddressRefused)
#: The fields that the providers' documentations name.
FIELDS = [
    "email",
    "created",
    "reason",
    "address",
    "created_at",
    "error",
    "tags",
    "items",
    "paging",
    "next",
    "last",
    "data",
    "meta",
    "total_pages",
    "has_more",
    "id",
    "origin",
    "Suppressions",
    "EmailAddress",
    "SuppressionReason",
    "Origin",
    "CreatedAt",
    "Status",
    "MessageStreams",
    "ID",
    "ServerID",
    "MessageStreamType",
    "SuppressedDestinationSummaries",
    "SuppressedDestination",
    "Reason",
    "LastUpdateTime",
    "NextToken",
    "suppressions",
    "suppressed",
    "group_id",
    "recipient_email",
    "recipient_emails",
    "errors",
    "message",
    "name",
    "from",
    "to",
    "messaging_profile_id",
    "correlation_id",
    "error_code",
    "error_messages",
    "list",
    "enabled",
    "scopes",
]
TEXTS = st.one_of(
    st.sampled_from([ANA, "Ana@Example.com", "ben@example.com", "", "..", "\x00", "\ud800", "*"]),
    st.sampled_from(
        ["HardBounce", "BOUNCE", "bounce", "Failed", "Broadcasts", "+1415****", "1e400"]
    ),
    st.sampled_from(["http://127.0.0.1:1/", "//x", "2026-03-01T12:00:00Z", "9999999999999999"]),
    st.text(max_size=8),
)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(allow_nan=False), TEXTS
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
    ),
    max_leaves=25,
)
ROWS = st.dictionaries(st.sampled_from(FIELDS), LEAVES, min_size=2, max_size=10)
#: Much like what is documented: rows under one of the names.
LIKELY = st.one_of(
    st.lists(ROWS, max_size=3),
    st.dictionaries(st.sampled_from(FIELDS), st.lists(ROWS, max_size=2) | LEAVES, min_size=1),
    ROWS,
)
ANSWERS = st.builds(
    Told,
    status=st.sampled_from([200, 200, 200, 200, 201, 204, 404, 400, 422, 403, 500]),
    content=st.one_of(LIKELY, JSON),
)


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with answering(lambda asked, handler: Told()) as found:
        yield found


@pytest.mark.parametrize("provider", SWITCHES)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    answers=st.lists(ANSWERS, min_size=1, max_size=4),
    address=st.sampled_from([ANA, "+14155550100"]),
)
def test_no_answer_leads_to_another_exception_or_to_a_call_of_a_whole_list(
    api: Api, provider: str, answers: list[Told], address: str
):
    count = 0

    def answer(asked: Asked, handler: Any) -> Told:
        nonlocal count
        count += 1
        return answers[count % len(answers)]

    api.answer = answer
    api.asked.clear()
    client = client_of(provider, api.url)

    for entry in [*read(client), *found(client, address)]:
        assert is_mailbox(entry.address)
        assert entry.since is None or entry.since.tzinfo is not None
        assert "\ud800" not in entry.reason
        removed(client, entry)
    added(client, address)
    checked(client)

    for asked in api.asked:
        assert asked.method != "DELETE" or names_one(provider, asked)


def names_one(provider: str, asked: Asked) -> bool:
    last = unquote(asked.path.rpartition("/")[2])
    return is_mailbox(last) or (provider == "resend" and bool(last.strip(".")))


def read(client: ProviderLists) -> list[ListedAddress]:
    entries: list[ListedAddress] = []
    try:
        for page in islice(client.pages(None), 8):
            entries += page.entries
            assert page.next is None or isinstance(page.next, str)
    except DOCUMENTED:
        pass
    return entries


def found(client: ProviderLists, address: str) -> list[ListedAddress]:
    try:
        return list(client.find(address))
    except DOCUMENTED:
        return []


def removed(client: ProviderLists, entry: ListedAddress) -> None:
    with contextlib.suppress(DOCUMENTED):
        client.remove(entry)


def added(client: ProviderLists, address: str) -> None:
    try:
        results = client.add([address, "no address"])
    except DOCUMENTED:
        return
    assert [one.address for one in results] == [address, "no address"]
    assert results[1].problem


def checked(client: ProviderLists) -> None:
    with contextlib.suppress(DOCUMENTED):
        assert all(one.what for one in client.check())
