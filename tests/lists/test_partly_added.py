"""A call that was only partly made, or whose end nobody saw: its addresses may stand on a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from bot.consent.model import Channel
from bot.consent.suppressions import Cause
from bot.consent.use_cases import Service, undo
from bot.consent.use_cases.lists.list_state import confirm_writes
from bot.consent.write_backs import WriteAction, WriteState
from handlers.suppression_lists.provider_lists import Added, AddressRefused, ProviderLists
from handlers.suppression_lists.provider_writes import ProviderWrites
from handlers.suppression_lists.read_lists import read_lists
from sandbox.client.lists_client import ListsClient
from tests.support.answering_lists import Asked, Told, answering
from tests.support.consent_fixtures import AGENT, OPERATOR
from tests.support.list_clients_fixtures import client_of
from tests.support.list_jobs import Seconds, opted_out, rows, sendgrid, writing

MISSING = {"message": "Address not found in unsubscribes table"}


def confirmed(service: Service, lists: ProviderLists) -> None:
    """A whole read, and an operator's yes."""
    assert read_lists(service, lists, token="reader") is not None
    confirm_writes(service, lists.name, OPERATOR)


def test_a_rate_limit_at_the_second_domain_leaves_what_the_first_one_took(
    service: Service,
) -> None:
    """The undo has to take it off the first domain's list again."""
    there: dict[str, str] = {}

    def answer(asked: Asked, handler: BaseHTTPRequestHandler) -> Told:
        domain, _, address = asked.path.removeprefix("/v3/").replace("%40", "@").partition("/")
        address = address.removeprefix("unsubscribes").removeprefix("/")
        match asked.method:
            case "POST" if domain == "b.example.com":
                return Told(status=429, headers={"Retry-After": "60"})
            case "POST":
                there.update({row["address"]: domain for row in asked.json})
            case "DELETE":
                there.pop(address, None)
            case _ if "@" not in address:
                return Told(content={"items": [], "paging": {}})
            case _ if there.get(address) != domain:
                return Told(status=404, content=MISSING)
            case _:
                created = f"{service.now():%a, %d %b %Y %H:%M:%S UTC}"
                return Told(content={"address": address, "tags": ["*"], "created_at": created})
        return Told(content={"message": "done"})

    mailgun = writing(service, "mailgun")
    with answering(answer) as api:
        domains = "a.example.com,b.example.com"
        lists = client_of("mailgun", api.url, OPTIN_MAILGUN_DOMAINS=domains)
        confirmed(mailgun, lists)
        (contact,) = opted_out(mailgun, 1)
        time = Seconds()
        writes = ProviderWrites(mailgun, lists, chance=lambda: 0.5, monotonic=time)
        writes.turn()
        assert list(there) == [contact.email]
        undo(mailgun, contact.id, Channel.EMAIL, AGENT)
        time.now += 3_600
        writes.turn()

    assert there == {}
    assert [(one.action, one.state) for one in rows(mailgun)] == [
        (WriteAction.REMOVE, WriteState.SENT)
    ]


class CutShort:
    """The client, and Ctrl+C after its call."""

    def __init__(self, lists: ProviderLists) -> None:
        self._lists = lists

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lists, name)

    def add(self, addresses: Sequence[str]) -> Sequence[Added]:
        self._lists.add(addresses)
        raise KeyboardInterrupt


def test_a_call_that_is_cut_short_counts_as_one_that_may_have_been_made(
    ready: Service, there: ListsClient
) -> None:
    (contact,) = opted_out(ready, 1)
    lists: Any = CutShort(sendgrid(there.url)["sendgrid"])
    with pytest.raises(KeyboardInterrupt):
        ProviderWrites(ready, lists).turn()
    assert [one.state for one in rows(ready)] == [WriteState.SENDING]
    undo(ready, contact.id, Channel.EMAIL, AGENT)

    (write,) = rows(ready)
    assert (write.action, write.state) == (WriteAction.REMOVE, WriteState.WAITING)
    assert write.added_at is not None


def test_a_fresh_complaint_at_amazon_is_not_taken_for_optins_own(service: Service) -> None:
    """Optin's own entry has no id of a report."""
    row = {
        "EmailAddress": "ana@example.com",
        "Reason": "COMPLAINT",
        "LastUpdateTime": datetime.now(UTC).timestamp(),
        "Attributes": {"MessageId": "m", "FeedbackId": "f"},
    }
    path = "/v2/email/suppression/addresses"
    one = Told(content={"SuppressedDestination": row})
    table = {
        f"GET {path}": Told(content={"SuppressedDestinationSummaries": []}),
        f"GET {path}/ana%40example.com": one,
    }
    with answering(table) as api:
        ses = client_of("ses", api.url)
        (added,) = ses.add(["ana@example.com"])
        (entry,) = ses.find("ana@example.com")
        with pytest.raises(AddressRefused):
            ses.remove(replace(entry, listing=replace(entry.listing, cause=Cause.OURS)))

    assert "stands there already" in added.problem
    assert [one for one in api.lines if not one.startswith("GET")] == []
