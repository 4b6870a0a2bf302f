"""SendGrid's lists, against the sandbox's, and against answers that SendGrid should not give."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.consent.suppressions import Cause, ListedAddress, Listing
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

ANA, BEN = "ana@example.com", "ben@example.com"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def sendgrid(lists_of: Callable[[str], ListsClient]) -> ListsClient:
    lists = lists_of("sendgrid")
    lists.settle(groups={"12": "Offers", "13": "News"}, whitelist=[])
    return lists


@pytest.fixture
def client(sendgrid: ListsClient) -> ProviderLists:
    return client_of("sendgrid", sendgrid.url)


def test_every_list_but_the_blocks_is_read(sendgrid: ListsClient, client: ProviderLists):
    for list_ in (
        "bounces",
        "blocks",
        "invalid_emails",
        "spam_reports",
        "unsubscribes",
        "group:12",
    ):
        sendgrid.add(list_, ANA, at=AT.timestamp())

    entries = all_entries(client)

    assert known(entries) == {
        (ANA, "sendgrid/bounce", "bounces"),
        (ANA, "sendgrid/bounce", "invalid_emails"),
        (ANA, "sendgrid/complaint", "spam_reports"),
        (ANA, "sendgrid/unsubscribe", "unsubscribes"),
        (ANA, "sendgrid/unsubscribe/asm_group:12", "asm_group:12"),
    }
    assert {entry.since for entry in entries} == {AT}


def test_each_page_names_the_place_where_to_go_on(sendgrid: ListsClient, client: ProviderLists):
    sendgrid.generate("bounces", 1_700)
    sendgrid.generate("unsubscribes", 700, "other{}@example.com")
    sendgrid.generate("group:12", 1_500, "third{}@example.com")

    whole = all_pages(client)

    entries = known([entry for page in whole for entry in page.entries])
    assert len(entries) == 1_700 + 700 + 1_500
    for place, page in enumerate(whole[:-1]):
        rest = known(all_entries(client, page.next))
        assert rest == known([entry for page in whole[place + 1 :] for entry in page.entries])
    assert sendgrid.calls("find") == 0


def test_no_cursor_has_an_address(sendgrid: ListsClient, client: ProviderLists):
    sendgrid.generate("bounces", 1_100)
    sendgrid.generate("group:12", 2_100)

    assert all("example.com" not in (page.next or "") for page in all_pages(client))


def test_a_list_that_grows_and_shrinks_while_it_is_read_loses_nobody(
    sendgrid: ListsClient, client: ProviderLists
):
    sendgrid.generate("bounces", 1_600)
    gone = [f"contact{number}@example.com" for number in range(1_600, 1_500, -1)]

    seen = []
    for number, page in enumerate(client.pages(None)):
        seen += page.entries
        if number == 0:
            sendgrid.remove("bounces", *gone)
        if number == 1:
            sendgrid.add("bounces", *(f"new{i}@example.com" for i in range(50)))

    addresses = {entry.address for entry in seen}
    assert addresses >= {f"contact{number}@example.com" for number in range(1, 1_501)}
    assert sendgrid.emptied == 0


def test_a_list_that_never_stands_still_is_given_up():
    rows = iter(range(10**9))

    def shifting(asked: Asked, handler: Any) -> Told:
        return Told(content=[{"email": f"a{next(rows)}@example.com", "created": 1}] * 500)

    with answering(shifting) as api, pytest.raises(ListsUnavailable, match="changes faster"):
        all_pages(client_of("sendgrid", api.url))


@pytest.mark.parametrize(
    "resume", ["", "{", "[]", "{}", '{"list":"blocks","until":1}', '{"list":"bounces"}']
)
def test_a_place_that_is_not_known_any_more_begins_the_read_anew(client: ProviderLists, resume):
    with pytest.raises(ReadOutdated):
        next(iter(client.pages(resume)))


def test_one_address_is_found_on_each_list_with_its_time(
    sendgrid: ListsClient, client: ProviderLists
):
    for list_ in (
        "bounces",
        "blocks",
        "invalid_emails",
        "spam_reports",
        "unsubscribes",
        "group:12",
    ):
        sendgrid.add(list_, ANA, at=AT.timestamp())
    # Both begin alike, which `?email=` finds, too.
    sendgrid.add("unsubscribes", f"{ANA}.au", "ana@example.company")

    found = client.find(ANA)

    assert known(list(found)) == known(all_entries(client)) - known(
        [entry for entry in all_entries(client) if entry.address != ANA]
    )
    assert len(found) == 5
    assert {entry.since for entry in found} == {AT}


def test_an_address_is_not_found_by_what_it_begins_with(
    sendgrid: ListsClient, client: ProviderLists
):
    sendgrid.add("unsubscribes", f"{ANA}.au")
    sendgrid.add("bounces", f"{ANA}.au")

    assert client.find(ANA) == []


def test_a_percent_sign_in_an_address_is_no_wildcard(sendgrid: ListsClient, client: ProviderLists):
    sendgrid.add("unsubscribes", "a%a@example.com", at=AT.timestamp())
    sendgrid.add("unsubscribes", "axa@example.com")

    (entry,) = client.find("a%a@example.com")

    assert (entry.address, entry.since) == ("a%a@example.com", AT)


def test_opt_outs_are_added_to_the_global_list(sendgrid: ListsClient, client: ProviderLists):
    added = client.add([ANA, BEN, ANA])

    assert [one.problem for one in added] == ["", "", ""]
    assert sendgrid.holds("unsubscribes", ANA)
    assert sendgrid.holds("unsubscribes", BEN)
    assert client.add([ANA])[0].problem == ""
    assert sendgrid.count("unsubscribes") == 2


def test_one_wrong_address_holds_back_no_other(sendgrid: ListsClient, client: ProviderLists):
    good = [f"contact{number}@example.com" for number in range(20)]

    added = client.add([*good[:7], "ana,b@example.com", *good[7:], "no address", "x@nodot"])

    assert {one.address for one in added if one.problem} == {
        "ana,b@example.com",
        "no address",
        "x@nodot",
    }
    assert not any(one.again for one in added)
    assert sendgrid.count("unsubscribes") == 20


@pytest.mark.parametrize(
    ("list_", "entry"),
    [
        ("bounces", ("sendgrid/bounce", "bounces")),
        ("invalid_emails", ("sendgrid/bounce", "invalid_emails")),
        ("unsubscribes", ("sendgrid/unsubscribe", "unsubscribes")),
        ("group:12", ("sendgrid/unsubscribe/asm_group:12", "asm_group:12")),
    ],
)
def test_one_entry_is_taken_off_and_nothing_beside_it(
    sendgrid: ListsClient, client: ProviderLists, list_: str, entry: tuple[str, str]
):
    lists = ("bounces", "invalid_emails", "spam_reports", "unsubscribes", "group:12", "group:13")
    for one in lists:
        sendgrid.add(one, ANA, BEN)
    (found,) = (one for one in client.find(ANA) if (one.listing.name, one.place) == entry)

    client.remove(found)
    client.remove(found)  # what is not there is done

    assert {one["list"] for one in sendgrid.entries(ANA)} == {*lists} - {list_}
    assert len(sendgrid.entries(BEN)) == len(lists)
    assert sendgrid.emptied == 0


def test_no_spam_report_is_ever_taken_off(sendgrid: ListsClient, client: ProviderLists):
    sendgrid.add("spam_reports", ANA)
    (entry,) = client.find(ANA)
    ours = ListedAddress(
        address=ANA,
        listing=Listing(provider="sendgrid", cause=Cause.OURS),
        since=None,
        place="spam_reports",
    )

    for one in (entry, ours):
        with pytest.raises(AddressRefused):
            client.remove(one)

    assert sendgrid.holds("spam_reports", ANA)
    assert sendgrid.calls("remove") == 0


@pytest.mark.parametrize("place", ["", "blocks", "asm_group:", "asm_group:../..", "asm_group:1/2"])
def test_an_entry_without_a_place_that_is_known_is_not_taken_off(
    sendgrid: ListsClient, client: ProviderLists, place: str
):
    entry = ListedAddress(
        address=ANA,
        listing=Listing(provider="sendgrid", cause=Cause.UNSUBSCRIBE),
        since=None,
        place=place,
    )

    with pytest.raises((AddressRefused, ValueError)):
        client.remove(entry)
    assert sendgrid.calls("remove") == sendgrid.emptied == 0


def test_an_unsubscribe_group_that_is_gone_makes_no_entries(client: ProviderLists):
    pairs = [
        {"email": ANA, "group_id": 12, "group_name": "Offers", "created_at": 1},
        {"email": BEN, "group_id": 99, "group_name": "Gone", "created_at": 1},
    ]

    def groups(asked: Asked, handler: Any) -> Told:
        if asked.path == "/v3/asm/groups":
            return Told(content=[{"id": 12, "name": "Offers"}])
        return Told(content=pairs if asked.path == "/v3/asm/suppressions" else [])

    with answering(groups) as api:
        assert known(all_entries(client_of("sendgrid", api.url))) == {
            (ANA, "sendgrid/unsubscribe/asm_group:12", "asm_group:12")
        }


def test_an_answer_about_another_address_is_not_believed():
    def other(asked: Asked, handler: Any) -> Told:
        if asked.path.startswith("/v3/suppression/"):
            return Told(content=[{"email": BEN, "created": 1, "reason": ""}])
        return Told(content={"suppressions": []})

    with answering(other) as api, pytest.raises(ListsUnavailable, match="another address"):
        client_of("sendgrid", api.url).find(ANA)


@pytest.mark.parametrize("content", [None, {}, {"result": []}, ["ana@example.com"], "no", 7])
def test_what_is_no_list_is_no_empty_list(content: Any):
    with answering(lambda asked, handler: Told(content=content)) as api:
        client = client_of("sendgrid", api.url)
        with pytest.raises(ListsUnavailable):
            all_pages(client)


def test_a_404_of_a_wrong_host_does_not_say_that_the_address_is_gone():
    with answering(lambda *_: Told(status=404, content={"detail": "no such page"})) as api:
        client = client_of("sendgrid", api.url)
        with pytest.raises(ListsUnavailable, match="not about the address"):
            client.find(ANA)


def test_an_address_that_is_left_out_of_the_answer_is_tried_again():
    told = Told(status=201, content={"recipient_emails": [ANA]})
    with answering({"POST /v3/asm/suppressions/global": told}) as api:
        first, second = client_of("sendgrid", api.url).add([ANA, BEN])

    assert not first.problem
    assert second.again


def test_an_answer_that_lists_no_addresses_is_tried_again():
    told = Told(status=201, content={"recipient_emails": [{"email": ANA}, None]})
    with answering({"POST /v3/asm/suppressions/global": told}) as api:
        (added,) = client_of("sendgrid", api.url).add([ANA])

    assert added.again


def test_doctor_says_that_the_key_may_read_and_write(client: ProviderLists):
    assert [one.cure for one in client.check()] == [None, None]


def test_doctor_names_the_scopes_that_a_key_lacks(sendgrid: ListsClient, client: ProviderLists):
    scopes = ["suppression.read", "asm.groups.read", "asm.groups.suppressions.read"]
    sendgrid.settle(keys={"SG.sandbox": scopes})

    checks = list(client.check())

    assert any("suppression.bounces.delete" in one.what and one.advice for one in checks)
    assert any("address_whitelist.read" in (one.cure or "") for one in checks)


def test_doctor_tells_of_an_address_whitelist(sendgrid: ListsClient, client: ProviderLists):
    sendgrid.settle(whitelist=["example.com"])

    (found,) = (one for one in client.check() if "Whitelist" in one.what)

    assert found.cure is not None
    assert found.advice


def test_a_key_without_a_scope_says_where_to_get_it(sendgrid: ListsClient, client: ProviderLists):
    sendgrid.settle(keys={"SG.sandbox": ["mail.send"]})

    with pytest.raises(ListsForbidden, match="OPTIN_SENDGRID_API_KEY"):
        all_pages(client)
    with pytest.raises(ListsForbidden):
        client.add([ANA])
