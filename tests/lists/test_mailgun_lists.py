"""Mailgun's lists: what is special about them."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.consent.suppressions import Cause, ListedAddress, Listing
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
MG, NEWS = "mg.example.com", "news.example.com"
BOUNCES = f"/v3/{MG}/bounces"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def mailgun(lists_of: Callable[[str], ListsClient]) -> ListsClient:
    lists = lists_of("mailgun")
    lists.settle(domains=[MG, NEWS], allowlists={})
    return lists


@pytest.fixture
def client(mailgun: ListsClient) -> ProviderLists:
    return client_of("mailgun", mailgun.url, OPTIN_MAILGUN_DOMAINS=f"{MG}, {NEWS}")


def test_the_lists_of_every_domain_are_read(mailgun: ListsClient, client: ProviderLists):
    mailgun.add(f"{MG}/bounces", ANA)
    mailgun.add(f"{NEWS}/unsubscribes", ANA, BEN)

    assert known(all_entries(client)) == {
        (ANA, "mailgun/bounce", f"{MG}/bounces"),
        (ANA, "mailgun/unsubscribe", f"{NEWS}/unsubscribes"),
        (BEN, "mailgun/unsubscribe", f"{NEWS}/unsubscribes"),
    }


def test_an_opt_out_is_added_for_every_domain_and_taken_off_each(
    mailgun: ListsClient, client: ProviderLists
):
    client.add([ANA])

    assert mailgun.holds(f"{MG}/unsubscribes", ANA)
    assert mailgun.holds(f"{NEWS}/unsubscribes", ANA)
    assert mailgun.entries(ANA)[0]["tags"] == ["*"]

    for entry in client.find(ANA):
        client.remove(entry)

    assert mailgun.entries(ANA) == []
    assert mailgun.emptied == 0


def test_a_domain_that_is_not_named_is_left_alone(mailgun: ListsClient):
    client = client_of("mailgun", mailgun.url, OPTIN_MAILGUN_DOMAINS=MG)
    mailgun.add(f"{NEWS}/unsubscribes", ANA)
    elsewhere = ListedAddress(
        address=ANA,
        listing=Listing(provider="mailgun", cause=Cause.UNSUBSCRIBE),
        since=None,
        place=f"{NEWS}/unsubscribes",
    )

    assert list(client.find(ANA)) == []
    with pytest.raises(AddressRefused):
        client.remove(elsewhere)
    assert mailgun.holds(f"{NEWS}/unsubscribes", ANA)


def test_an_entry_of_one_tag_goes_with_all_its_tags(mailgun: ListsClient, client: ProviderLists):
    mailgun.add(f"{MG}/unsubscribes", ANA, tags=["offers", "news"])
    (entry,) = client.find(ANA)

    client.remove(entry)

    assert "offers news" in entry.reason
    assert mailgun.entries(ANA) == []


def test_a_domain_of_another_region_does_not_say_that_an_address_is_gone(mailgun: ListsClient):
    client = client_of("mailgun", mailgun.url, OPTIN_MAILGUN_DOMAINS=f"{MG},eu.example.com")

    with pytest.raises(ListsUnavailable, match="not about the address"):
        client.find(ANA)
    with pytest.raises(ListsUnavailable, match="404"):
        all_pages(client)
    with pytest.raises(ListsUnavailable):
        client.add([ANA])


@pytest.mark.parametrize(
    "next_",
    [
        "https://elsewhere.example/v3/mg.example.com/bounces?page=next",
        "{url}/v3/mg.example.com/complaints?page=next",
        "{url}/v3/mg.example.com/bounces/../../x?page=next",
        "{url}/v3/mg.example.com/bounces",
        "//elsewhere.example/v3/mg.example.com/bounces?page=next",
        "http://[",
        "javascript:alert(1)",
        "{url}@elsewhere.example/v3/mg.example.com/bounces?page=next",
    ],
)
def test_a_next_page_that_would_be_elsewhere_is_not_asked_for(next_: str):
    def answer(asked: Asked, handler: Any) -> Told:
        row = {"address": ANA, "created_at": "Fri, 21 Oct 2011 11:02:55 UTC"}
        return Told(content={"items": [row], "paging": {"next": next_.format(url=api.url)}})

    with answering(answer) as api, pytest.raises(ListsUnavailable, match="elsewhere"):
        all_pages(client_of("mailgun", api.url))

    assert api.lines == [f"GET {BOUNCES}"]


def test_a_next_page_that_is_the_same_page_ends_the_list():
    def answer(asked: Asked, handler: Any) -> Told:
        row = {"address": ANA, "created_at": "Fri, 21 Oct 2011 11:02:55 UTC"}
        paging = {"next": f"{api.url}{asked.path}?page=last"}
        return Told(content={"items": [row], "paging": paging})

    with answering(answer) as api:
        entries = all_entries(client_of("mailgun", api.url))

    assert {entry.since for entry in entries} == {datetime(2011, 10, 21, 11, 2, 55, tzinfo=UTC)}
    assert len(api.asked) == 6


def test_the_place_where_a_read_goes_on_holds_no_address_that_can_be_read(
    mailgun: ListsClient, client: ProviderLists
):
    mailgun.generate(f"{MG}/bounces", 2_500, "someone{}@example.com")
    first, *_ = all_pages(client)
    assert first.next is not None
    rest = [entry for page in all_pages(client, first.next) for entry in page.entries]

    assert "someone" not in first.next
    assert b"someone" not in urlsafe_b64decode(first.next)
    assert len({entry.address for entry in (*first.entries, *rest)}) == 2_500
    with pytest.raises(ReadOutdated):
        all_pages(client, '{"asked":[["address","someone@example.com"]],"list":0}')


def test_a_read_that_goes_on_without_its_domain_begins_anew(
    mailgun: ListsClient, client: ProviderLists
):
    mailgun.generate(f"{NEWS}/complaints", 2_000)
    last = [page.next for page in all_pages(client) if page.next][-1]
    fewer = client_of("mailgun", mailgun.url, OPTIN_MAILGUN_DOMAINS=MG)

    with pytest.raises(ReadOutdated):
        all_pages(fewer, last)


@pytest.mark.parametrize(
    ("told", "since"),
    [
        ("Sun, 01 Mar 2026 12:00:00 UTC", AT),
        ("Sun, 01 Mar 2026 13:00:00 +0100", AT),
        ("2026-03-01T12:00:00Z", AT),
        ("yesterday", None),
        (None, None),
        (7, datetime(1970, 1, 1, 0, 0, 7, tzinfo=UTC)),
    ],
)
def test_the_time_of_an_entry_is_read_in_either_form(told: object, since: datetime | None):
    row = {"address": ANA, "created_at": told, "error": "No such mailbox"}
    with answering({f"GET {BOUNCES}": Told(content={"items": [row]})}) as api:
        page = next(iter(client_of("mailgun", api.url).pages(None)))

    (entry,) = page.entries
    assert entry.since == since


def test_doctor_says_which_domain_has_an_allowlist(mailgun: ListsClient, client: ProviderLists):
    mailgun.settle(allowlists={NEWS: ["example.com"]})

    (found,) = (one for one in client.check() if one.cure)

    assert NEWS in found.what
    assert found.advice


def test_doctor_says_which_domain_mailgun_does_not_know(mailgun: ListsClient):
    client = client_of("mailgun", mailgun.url, OPTIN_MAILGUN_DOMAINS=f"{MG},eu.example.com")

    (found,) = (one for one in client.check() if one.cure)

    assert "eu.example.com" in found.what
    assert "api.eu.mailgun.net" in (found.cure or "")
