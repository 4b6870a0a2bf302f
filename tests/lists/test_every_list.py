"""What holds for the lists of every provider, against the sandbox's."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.consent.suppressions import Cause, ListedAddress, Listing
from handlers.suppression_lists.provider_lists import (
    AddressRefused,
    ListsForbidden,
    ListsUnavailable,
    ProviderLists,
)
from sandbox.client import Workspace
from sandbox.client.lists_client import ListsClient
from tests.support.answering_lists import Asked, Told, answering, dripping
from tests.support.list_clients_fixtures import (
    SWITCHES,
    all_entries,
    all_pages,
    client_of,
    known,
)

ANA, BEN = "ana@example.com", "ben@example.com"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ListsOf = Callable[[str], ListsClient]

#: What each provider calls its lists in the sandbox, the words it has for an entry, and the name
#: and place under which Optin knows the entry. Without write access, nothing is taken off.
BOUNCE, COMPLAINT, OPT_OUT, OURS = "bounce", "complaint", "opt-out", "ours"
KINDS: Mapping[str, Mapping[str, tuple[str, Mapping[str, Any], str]]] = {
    "sendgrid": {
        BOUNCE: ("bounces", {}, "sendgrid/bounce"),
        COMPLAINT: ("spam_reports", {}, "sendgrid/complaint"),
        OPT_OUT: ("unsubscribes", {}, "sendgrid/unsubscribe"),
    },
    "mailgun": {
        BOUNCE: ("mg.example.com/bounces", {}, "mailgun/bounce"),
        COMPLAINT: ("mg.example.com/complaints", {}, "mailgun/complaint"),
        OPT_OUT: ("mg.example.com/unsubscribes", {}, "mailgun/unsubscribe"),
    },
    "postmark": {
        BOUNCE: ("outbound", {"SuppressionReason": "HardBounce"}, "postmark/bounce"),
        COMPLAINT: ("outbound", {"SuppressionReason": "SpamComplaint"}, "postmark/complaint"),
        OURS: (
            "outbound",
            {"SuppressionReason": "ManualSuppression", "Origin": "Customer"},
            "postmark/ours",
        ),
    },
    "resend": {
        BOUNCE: ("suppressions", {"origin": "bounce"}, "resend/bounce"),
        COMPLAINT: ("suppressions", {"origin": "complaint"}, "resend/complaint"),
        OURS: ("suppressions", {"origin": "manual"}, "resend/ours"),
    },
    "ses": {
        BOUNCE: ("suppression", {"Reason": "BOUNCE"}, "ses/bounce"),
        COMPLAINT: ("suppression", {"Reason": "COMPLAINT"}, "ses/complaint"),
    },
}
MAIL = pytest.mark.parametrize("provider", KINDS)
READ = pytest.mark.parametrize("provider", [*KINDS, "telnyx"])
EACH = pytest.mark.parametrize("provider", SWITCHES)
EVERY_KIND = pytest.mark.parametrize(
    ("provider", "kind"), [(one, kind) for one, kinds in KINDS.items() for kind in kinds]
)


def put(lists: ListsClient, kind: str, *addresses: str, at: datetime = AT) -> None:
    list_, facts, _ = KINDS[lists.provider][kind]
    lists.add(list_, *addresses, at=at.timestamp(), **facts)


def refused_key(provider: str, url: str) -> ProviderLists:
    """The client with a key that the provider does not know."""
    secret = next(
        name
        for name in SWITCHES[provider]
        if name.endswith(("_KEY", "_TOKEN", "_ACCESS_KEY_ID")) and name != "AWS_SECRET_ACCESS_KEY"
    )
    return client_of(provider, url, **{secret: "another-key"})


def ask(lists: ProviderLists) -> object:
    """Whatever the provider can be asked: a read, or where it has none an add."""
    return all_pages(lists) if lists.readable else lists.add(["+14155550100"])


@EVERY_KIND
def test_an_entry_is_read_and_found_with_its_cause_and_time(
    lists_of: ListsOf, provider: str, kind: str
):
    lists = lists_of(provider)
    put(lists, kind, ANA)
    client = client_of(provider, lists.url)

    (read,) = all_entries(client)
    (found,) = client.find(ANA)

    assert found == replace(read, reason=found.reason)
    assert (read.address, read.listing.name) == (ANA, KINDS[provider][kind][2])
    assert read.since == AT


@MAIL
def test_a_list_of_several_pages_is_read_whole_from_any_page_on(lists_of: ListsOf, provider: str):
    lists = lists_of(provider)
    list_, facts, _ = KINDS[provider][BOUNCE]
    names = [f"contact{number}@example.com" for number in range(2_300)]
    lists.settle(
        entries=[
            {"list": list_, "address": one, "at": AT.timestamp() + number, **facts}
            for number, one in enumerate(names)
        ]
    )
    client = client_of(provider, lists.url)

    pages = all_pages(client)

    assert {entry.address for page in pages for entry in page.entries} == set(names)
    half = len(pages) // 2
    later = known([entry for page in pages[half + 1 :] for entry in page.entries])
    assert known(all_entries(client, pages[half].next)) == later


@READ
def test_an_empty_list_is_one_read_without_entries(lists_of: ListsOf, provider: str):
    lists = lists_of(provider)

    pages = all_pages(client_of(provider, lists.url))

    assert [entry for page in pages for entry in (*page.entries, *page.events)] == []


@MAIL
def test_who_is_on_no_list_is_not_found(lists_of: ListsOf, provider: str):
    lists = lists_of(provider)
    put(lists, BOUNCE, BEN)

    assert list(client_of(provider, lists.url).find(ANA)) == []


@MAIL
def test_a_list_in_other_letters_is_found_after_a_read(lists_of: ListsOf, provider: str):
    lists = lists_of(provider)
    put(lists, BOUNCE, "Ana@Example.com")
    client = client_of(provider, lists.url)
    all_pages(client)

    (found,) = client.find(ANA)

    # As the list has it, which is what some providers need to take it off.
    assert found.address in ("Ana@Example.com", ANA)
    client.remove(found)
    assert lists.entries(ANA) == []


@EVERY_KIND
def test_one_entry_is_taken_off_unless_it_is_a_complaint(
    lists_of: ListsOf, provider: str, kind: str
):
    lists = lists_of(provider)
    put(lists, kind, ANA, BEN)
    client = client_of(provider, lists.url)
    (entry,) = client.find(ANA)

    if kind == COMPLAINT:
        with pytest.raises(AddressRefused):
            client.remove(entry)
        assert lists.calls("remove") == 0
    else:
        client.remove(entry)
        client.remove(entry)
        assert list(client.find(ANA)) == []

    assert len(lists.entries(BEN)) == 1
    assert len(lists.entries(ANA)) == (kind == COMPLAINT)
    assert lists.emptied == 0


@MAIL
def test_what_is_added_is_found_and_adding_it_again_changes_nothing(
    lists_of: ListsOf, provider: str
):
    lists = lists_of(provider)
    client = client_of(provider, lists.url)

    first, second = client.add([ANA, BEN]), client.add([BEN, ANA])

    assert [one.address for one in (*first, *second)] == [ANA, BEN, BEN, ANA]
    assert [one.problem for one in (*first, *second)] == [""] * 4
    for address in (ANA, BEN):
        assert client.find(address)
    assert lists.emptied == 0


@MAIL
@pytest.mark.parametrize(
    "address",
    [
        "o'brien+x/y@example.com",
        "a?b#c&d=e@example.com",
        "100%@example.com",
        "a..b@docomo.example",
        "{a}|~$!*@example.com",
        "a%2fb@example.com",
    ],
)
def test_an_odd_address_is_added_found_and_taken_off(
    lists_of: ListsOf, provider: str, address: str
):
    lists = lists_of(provider)
    client = client_of(provider, lists.url)
    put(lists, BOUNCE, BEN)

    (added,) = client.add([address])
    found = client.find(address)
    for entry in found:
        client.remove(replace(entry, listing=Listing(provider=provider, cause=Cause.OURS)))

    assert not added.problem
    assert {entry.address for entry in found} == {address}
    assert lists.entries(address) == []
    assert len(lists.entries(BEN)) == 1
    assert lists.emptied == 0


@MAIL
def test_a_domain_in_unicode_is_written_as_dns_has_it(lists_of: ListsOf, provider: str):
    lists = lists_of(provider)
    client = client_of(provider, lists.url)

    (added,) = client.add(["ana@bücher.example"])

    assert not added.problem
    assert {one["address"] for one in lists.entries()} == {"ana@xn--bcher-kva.example"}
    assert {one.address for one in client.find("ana@bücher.example")} == {
        "ana@xn--bcher-kva.example"
    }


@MAIL
@pytest.mark.parametrize(
    "address", ["", "..", ".", "/", "ana", "../@example.com", "a/../b@example.com"]
)
def test_no_call_is_made_for_what_is_no_address(lists_of: ListsOf, provider: str, address: str):
    lists = lists_of(provider)
    put(lists, BOUNCE, BEN)
    lists.settle(reset_calls=True)
    client = client_of(provider, lists.url)
    place = {"resend": "", "ses": "", "postmark": "outbound"}.get(
        provider, KINDS[provider][BOUNCE][0]
    )
    listing = Listing(provider=provider, cause=Cause.BOUNCE)
    entry = ListedAddress(address=address, listing=listing, since=None, place=place)

    with pytest.raises(AddressRefused):
        client.find(address)
    with pytest.raises(AddressRefused):
        client.remove(entry)
    assert client.add([address])[0].problem

    assert lists.calls("remove") == lists.calls("add") == lists.emptied == 0
    assert len(lists.entries()) == 1


@EACH
def test_a_key_that_is_refused_says_what_to_set(lists_of: ListsOf, provider: str):
    lists = lists_of(provider)
    client = refused_key(provider, lists.url)

    with pytest.raises(ListsForbidden, match=r"(OPTIN|AWS)_"):
        ask(client)
    if provider in KINDS:
        for call in (lambda: client.find(ANA), lambda: client.add([ANA])):
            with pytest.raises(ListsForbidden):
                call()
        with pytest.raises(ListsForbidden):
            list(client.check())


@EACH
@pytest.mark.parametrize("kind", ["down", "server_error", "garbage", "half", "close_after_accept"])
def test_a_provider_that_fails_is_unavailable_and_nothing_else(
    lists_workspace: Workspace, lists_of: ListsOf, provider: str, kind: str
):
    lists = lists_of(provider)
    if provider in KINDS:
        put(lists, BOUNCE, ANA)
    client = client_of(provider, lists.url)
    lists_workspace.fault(f"lists/{provider}", kind)

    with pytest.raises(ListsUnavailable) as raised:
        ask(client)

    assert not isinstance(raised.value, ListsForbidden)
    assert ask(client)


@EACH
def test_a_rate_limit_says_how_long_to_wait(
    lists_workspace: Workspace, lists_of: ListsOf, provider: str
):
    client = client_of(provider, lists_of(provider).url)
    lists_workspace.fault(f"lists/{provider}", "ratelimited", retry_after=7)

    with pytest.raises(ListsUnavailable) as raised:
        ask(client)

    assert raised.value.retry_after == timedelta(seconds=7)


@MAIL
def test_an_answer_of_another_account_is_not_believed_about_an_address(provider: str):
    """Whatever is asked about Ana is answered about Ben."""
    with answering(lambda asked, _: about(BEN, provider, asked)) as api:
        client = client_of(provider, api.url)
        with pytest.raises(ListsUnavailable, match="another address"):
            client.find(ANA)


@MAIL
@pytest.mark.parametrize("content", [None, {}, [], ["x"], {"data": None}, {"items": {}}, "no", 7])
def test_an_answer_of_another_shape_is_no_empty_list(provider: str, content: Any):
    with answering(lambda asked, _: Told(content=content)) as api:
        client = client_of(provider, api.url)
        if provider == "sendgrid" and content == []:  # that is SendGrid's empty list
            assert not any(page.entries for page in all_pages(client))
            return
        with pytest.raises(ListsUnavailable):
            all_pages(client)


@MAIL
def test_a_404_from_elsewhere_does_not_say_that_an_address_is_gone(provider: str):
    with answering(lambda asked, _: Told(status=404, content={"detail": "no such page"})) as api:
        client = client_of(provider, api.url)
        with pytest.raises(ListsUnavailable):
            client.find(ANA)


@EACH
def test_the_account_is_known_by_its_key_and_never_shows_it(provider: str):
    url = "http://127.0.0.1:1"
    client, same = client_of(provider, url), client_of(provider, url)

    assert client.account == same.account
    assert refused_key(provider, url).account != client.account or provider == "twilio"
    assert client_of(provider, f"{url}/other").account != client.account
    secrets = {value for value in SWITCHES[provider].values() if "sandbox" in value}
    assert not any(one in f"{client.account} {client!r}" for one in secrets)


@MAIL
def test_no_log_line_and_no_error_has_an_address(
    lists_of: ListsOf, provider: str, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    lists = lists_of(provider)
    canary = "canary.person@example.com"
    put(lists, BOUNCE, canary)
    client = client_of(provider, lists.url)

    all_pages(client)
    for entry in client.find(canary):
        client.remove(entry)
    client.add([canary])
    with answering(lambda asked, _: Told(status=400, content={"message": canary})) as api:
        other = client_of(provider, api.url)
        for call in (lambda: other.find(canary), lambda: all_pages(other)):
            with pytest.raises((ListsUnavailable, AddressRefused)) as raised:
                call()
            assert "canary" not in str(raised.value)
        if provider != "postmark":  # which asks for its streams first
            assert "canary" not in "".join(one.problem for one in other.add([canary]))

    ours = [one.getMessage() for one in caplog.records if one.name.startswith("handlers.")]
    assert ours
    assert not any("canary" in one for one in ours)


@READ
def test_a_slow_answer_ends_within_its_time(provider: str, monkeypatch: pytest.MonkeyPatch):
    with answering(dripping) as api:
        client = client_of(provider, api.url)
        vars(vars(client)["_calls"])["_within"] = 0.3
        with pytest.raises(ListsUnavailable, match="does not answer within"):
            all_pages(client)


@READ
def test_doctor_reads_the_list_and_says_so(lists_of: ListsOf, provider: str):
    lists = lists_of(provider)

    checks = list(client_of(provider, lists.url).check())

    assert any("can be read" in one.what for one in checks)
    assert [one.cure for one in checks if one.cure] == []


def about(address: str, provider: str, asked: Asked) -> Told:
    """A look-up that is answered about this address."""
    row = {
        "email": address,
        "address": address,
        "EmailAddress": address,
        "created": 1,
        "created_at": "2026-03-01T12:00:00Z",
        "Reason": "BOUNCE",
        "SuppressionReason": "HardBounce",
        "id": "1",
        "origin": "bounce",
    }
    stream = {"ID": "outbound", "ServerID": 23, "MessageStreamType": "Transactional"}
    match provider:
        case "sendgrid":
            content: Any = {"suppressions": []} if "/asm/" in asked.path else [row]
        case "postmark":
            content = {"MessageStreams": [stream], "Suppressions": [row]}
        case "ses":
            content = {"SuppressedDestinationSummaries": [], "SuppressedDestination": row}
        case _:
            content = row
    return Told(content=content)
