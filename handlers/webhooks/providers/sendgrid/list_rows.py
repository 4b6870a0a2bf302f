"""Entries of SendGrid's lists, in Optin's words: under the names that the webhook's events give."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from bot.consent.addresses import key_of
from bot.consent.suppressions import Cause, ListedAddress, Listing
from handlers.suppression_lists.list_entries import reason_of
from handlers.webhooks.payload_parsing import at, moment, text_at
from handlers.webhooks.providers.sendgrid.webhook import Sendgrid

UNSUBSCRIBES = "unsubscribes"
#: How the scope of an unsubscribe group begins.
GROUP = "asm_group:"
#: By the last part of a list's path.
CAUSES: Mapping[str, Cause] = {
    "bounces": Cause.BOUNCE,
    "invalid_emails": Cause.BOUNCE,
    "spam_reports": Cause.COMPLAINT,
    UNSUBSCRIBES: Cause.UNSUBSCRIBE,
}


def listed(list_: str, row: Any) -> ListedAddress:
    return ListedAddress(
        address=text_at(row, "email"),
        listing=Listing(provider=Sendgrid.name, cause=CAUSES[list_]),
        since=moment(at(row, "created")),
        reason=reason_of(text_at(row, "reason")),
        place=list_,
    )


def in_group(row: Any) -> ListedAddress:
    """The scope is the one that the webhook states."""
    scope = f"{GROUP}{text_at(row, 'group_id')}"
    return ListedAddress(
        address=text_at(row, "email"),
        listing=Listing(provider=Sendgrid.name, cause=Cause.UNSUBSCRIBE, scope=scope),
        since=moment(at(row, "created_at")),
        reason=reason_of(text_at(row, "group_name")),
        place=scope,
    )


def is_of(row: Any, address: str) -> bool:
    return key_of(text_at(row, "email")) == key_of(address)


def mark_of(row: Any) -> str:
    """Stands for an entry in a cursor, which holds no address."""
    text = f"{text_at(row, 'email')}\0{at(row, 'created')}"
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
