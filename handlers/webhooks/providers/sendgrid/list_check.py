"""What `optin doctor` asks SendGrid: the key's scopes, and a setting that defeats the lists."""

from __future__ import annotations

from collections.abc import Iterator

from handlers.suppression_lists.list_calls import ListCalls
from handlers.suppression_lists.provider_lists import ListCheck, ListsForbidden, ListsUnavailable
from handlers.webhooks.payload_parsing import at, list_at

#: What a key needs to write, besides reading.
_WRITES = (
    "asm.groups.suppressions.delete",
    "asm.suppressions.global.create",
    "asm.suppressions.global.delete",
    "suppression.bounces.delete",
    "suppression.invalid_emails.delete",
)


def scopes(calls: ListCalls) -> Iterator[ListCheck]:
    """Whether the key may write."""
    try:
        granted = list_at(calls.get("/v3/scopes"), "scopes")
    except ListsUnavailable:
        return
    if missing := [one for one in _WRITES if one not in granted]:
        yield ListCheck(
            what=f"SendGrid's API key can't write: it lacks {', '.join(missing)}.",
            cure="If OPTIN_WRITE_BACK is yes, give the key these scopes under Settings, API Keys.",
            advice=True,
        )
    else:
        yield ListCheck(what="SendGrid's API key may write to the lists.")


def address_whitelist(calls: ListCalls) -> Iterator[ListCheck]:
    """A line where SendGrid ignores its lists for some addresses.

    https://www.twilio.com/docs/sendgrid/api-reference/settings-mail/retrieve-address-whitelist-mail-settings
    """
    try:
        told = calls.get("/v3/mail_settings/address_whitelist")
    except ListsForbidden:
        yield ListCheck(
            what="Whether SendGrid's Address Whitelist is on, Optin can't tell.",
            cure="Give the API key the scope mail_settings.address_whitelist.read.",
            advice=True,
        )
        return
    except ListsUnavailable:
        return
    listed = list_at(told, "list")
    if at(told, "enabled") is True and listed:
        yield ListCheck(
            what=f"SendGrid's Address Whitelist is on, with {len(listed)} entries: SendGrid sends "
            "to these addresses and domains whatever its lists say.",
            cure="Empty it, or switch it off, under Settings, Mail Settings.",
            advice=True,
        )
