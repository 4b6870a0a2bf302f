"""What the demo gives its newsletter, and what it tells it."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

import pytest

from bot.consent.api_key import Scope
from bot.consent.use_cases import Service
from bot.consent.use_cases.api_keys import hashed_key, list_keys
from bot.demo.demo_newsletter import ALLOWED, SUBSCRIBERS, give_access, settle_newsletter
from bot.demo.samples import fill
from sandbox.client import Workspace


@pytest.fixture
def allowing(service: Service) -> Service:
    return replace(service, webhook_allow=(ip_network(ALLOWED),))


def test_the_newsletter_may_only_check(allowing: Service) -> None:
    access = give_access(allowing, "http://127.0.0.1:3030")

    (key,) = list_keys(allowing)
    assert (key.hash, key.scopes) == (hashed_key(access.api_key), (Scope.CHECK,))
    assert access.webhook_secret.startswith("whsec_")
    assert access.api_key not in repr(access)
    assert access.webhook_secret not in repr(access)


def test_the_newsletter_has_its_list_from_the_samples(allowing: Service) -> None:
    fill(allowing)
    with Workspace.start(mode="socket") as ws:
        access = give_access(allowing, ws.url)
        settle_newsletter(ws.url, "http://127.0.0.1:1", access, allowing)
        rows = [ws.newsletter.subscriber(name, "email") for name in SUBSCRIBERS]

    assert {row["name"] for row in rows} == SUBSCRIBERS
    assert all(row["address"] and row["held"] is None for row in rows)


def test_a_sandbox_that_refuses_the_settings_is_an_error(allowing: Service) -> None:
    with Workspace.start(mode="socket") as ws:
        access = give_access(allowing, ws.url)

        with pytest.raises(OSError, match="can't be read"):
            settle_newsletter(ws.url, "http://optin.example", access, allowing)
