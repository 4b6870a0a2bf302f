"""The mailboxes of the contact whom an unsubscribe link names: present and former ones."""

from __future__ import annotations

from bot.consent.use_cases import Service, find_mailboxes
from handlers.webhooks.provider import UnsubscribeMailboxes


def mailboxes_of(service: Service, id: str) -> UnsubscribeMailboxes | None:
    """The mailboxes of the contact with this id; None where nobody has or had it."""
    found = find_mailboxes(service, id)
    if not found.written and not found.erased:
        return None
    return UnsubscribeMailboxes(written=found.written, erased=found.erased)
