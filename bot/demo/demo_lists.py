"""SendGrid's suppression lists in the demo: they hold what the samples say, and Optin keeps them in
step."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from bot.config.provider_settings import ProviderSettings
from bot.consent.model import Actor, AddressFacts, BlockState, Bounce, Role
from bot.consent.suppressions import Cause, Listing
from bot.consent.use_cases import Service
from bot.consent.use_cases.lists.list_state import confirm_writes
from bot.demo.demo_world import post
from handlers.suppression_lists.read_lists import read_lists
from handlers.webhooks.registry import list_clients

_SENDGRID = "sendgrid"
#: Lee of the sandbox's workspace.
_MANAGER = Actor(id="slack:U0LEECHEN1", role=Role.MANAGER, source="slack")
#: SendGrid's names of the lists.
_LISTS: Mapping[Cause, str] = {
    Cause.UNSUBSCRIBE: "unsubscribes",
    Cause.COMPLAINT: "spam_reports",
    Cause.BOUNCE: "bounces",
}


def list_settings(page: str, api_key: str) -> dict[str, str]:
    """Optin's settings for the lists of the sandbox at `page`."""
    return {
        "OPTIN_SENDGRID_API_KEY": api_key,
        "OPTIN_SENDGRID_API_URL": f"{page}/lists/{_SENDGRID}",
        "OPTIN_WRITE_BACK": "yes",
    }


def fill_lists(page: str, api_key: str, service: Service) -> None:
    """Puts on SendGrid's lists whom SendGrid sends nothing by now. Raises OSError where the sandbox
    is gone."""
    with service.store.reading() as records:
        entries = [entry for facts in records.addresses.all() for entry in _entries(facts)]
    post(page, f"/sandbox/lists/{_SENDGRID}", {"keys": {api_key: None}, "entries": entries})


def confirm_lists(service: Service, settings: ProviderSettings) -> None:
    """The first read, and the manager's word that Optin may write from now on."""
    lists = list_clients(settings)[_SENDGRID]
    read_lists(service, lists, token=secrets.token_hex(8))
    confirm_writes(service, _SENDGRID, _MANAGER)


def _entries(facts: AddressFacts) -> Iterator[dict[str, Any]]:
    """What SendGrid holds against an address."""
    times = {
        Listing.of(name).cause: block.since
        for name, block in facts.blocks.items()
        if block.state is BlockState.BLOCKED and Listing.of(name).provider == _SENDGRID
    }
    if facts.bounce is Bounce.YES and facts.bounced_at and "@" in facts.address:
        times.setdefault(Cause.COMPLAINT if facts.complaint else Cause.BOUNCE, facts.bounced_at)
    for cause, since in times.items():
        reason = {"reason": facts.bounce_reason or ""} if cause is Cause.BOUNCE else {}
        at = since.timestamp()
        yield {"list": _LISTS[cause], "address": facts.address, "at": at, **reason}
