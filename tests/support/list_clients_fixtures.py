"""The clients of the providers' lists, each against the sandbox's lists, over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice

import pytest

from bot.consent.suppressions import ListedAddress
from bot.runtime.read_settings import read_settings
from handlers.suppression_lists.provider_lists import ListPage, ProviderLists
from handlers.webhooks.registry import list_clients
from sandbox.client import Workspace
from sandbox.client.lists_client import ListsClient

#: The settings that switch a provider's lists on, in the sandbox. `{url}` is its API.
SWITCHES: Mapping[str, Mapping[str, str]] = {
    "sendgrid": {
        "OPTIN_SENDGRID_API_KEY": "SG.sandbox",
        "OPTIN_SENDGRID_API_URL": "{url}",
    },
    "mailgun": {
        "OPTIN_MAILGUN_API_KEY": "key-sandbox",
        "OPTIN_MAILGUN_DOMAINS": "mg.example.com",
        "OPTIN_MAILGUN_API_URL": "{url}",
    },
    "postmark": {
        "OPTIN_POSTMARK_SERVER_TOKEN": "00000000-0000-4000-8000-000000000001",
        "OPTIN_POSTMARK_API_URL": "{url}",
    },
    "resend": {
        "OPTIN_RESEND_API_KEY": "re_sandbox",
        "OPTIN_RESEND_API_URL": "{url}",
    },
    "ses": {
        "OPTIN_SES_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIASANDBOX",
        "AWS_SECRET_ACCESS_KEY": "sandbox-secret",
        "OPTIN_SES_OPTOUT": "complaint",
        "OPTIN_SES_API_URL": "{url}",
    },
    "telnyx": {
        "OPTIN_TELNYX_API_KEY": "KEYsandbox",
        "OPTIN_TELNYX_API_URL": "{url}",
    },
    "twilio": {
        "OPTIN_TWILIO_ACCOUNT_SID": "AC00000000000000000000000000000001",
        "OPTIN_TWILIO_AUTH_TOKEN": "sandbox-token",
        "OPTIN_TWILIO_CONSENT": "add",
        "OPTIN_TWILIO_CONSENT_SENDERS": "+18885550199",
        "OPTIN_TWILIO_CONSENT_URL": "{url}",
    },
}

#: Makes the client of a provider, whose API is at this URL, with other settings if any.
ClientOf = Callable[..., ProviderLists]


def client_of(provider: str, url: str, **settings: str) -> ProviderLists:
    """The client as the settings make it."""
    env = {name: value.format(url=url) for name, value in SWITCHES[provider].items()}
    return list_clients(read_settings(env | settings).providers)[provider]


def all_pages(lists: ProviderLists, resume: str | None = None, most: int = 2_000) -> list[ListPage]:
    """Every page, from the beginning or from an earlier page on."""
    pages = list(islice(lists.pages(resume), most))
    assert pages[-1].next is None, "the read has no end"
    return pages


def all_entries(lists: ProviderLists, resume: str | None = None) -> list[ListedAddress]:
    """Every entry, as often as it comes."""
    return [entry for page in all_pages(lists, resume) for entry in page.entries]


def known(entries: list[ListedAddress]) -> set[tuple[str, str, str]]:
    """What and where."""
    return {(entry.address, entry.listing.name, entry.place) for entry in entries}


@pytest.fixture(scope="module")
def lists_workspace() -> Iterator[Workspace]:
    """A sandbox for the tests of one module."""
    with Workspace.start(mode="socket") as workspace:
        yield workspace


@pytest.fixture
def lists_of(lists_workspace: Workspace) -> Callable[[str], ListsClient]:
    """A provider's simulated lists, empty and without delay or limits."""

    def found(provider: str) -> ListsClient:
        lists_workspace.clear_faults()
        lists = lists_workspace.lists(provider)
        lists.settle(clear=True, rate=None, delay=0, reset_calls=True)
        return lists

    return found
