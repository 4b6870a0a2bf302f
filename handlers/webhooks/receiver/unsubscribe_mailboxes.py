"""The mailboxes of the contact whom an unsubscribe link names: present and former ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.consent.addresses import key_of
from bot.consent.log.entries import EntryKind
from bot.consent.model import Channel, Contact
from bot.consent.store import Records
from bot.consent.use_cases import Service
from bot.consent.use_cases.erase import erased_id
from handlers.webhooks.provider import UnsubscribeMailboxes

#: Entries in which a contact's former mailboxes are looked for, the newest first.
_MOST_ENTRIES = 500


def mailboxes_of(service: Service, id: str) -> UnsubscribeMailboxes | None:
    """The mailboxes of the contact with this id, ours or the external one, present and former; of
    a contact who was taken out or merged, those that the log has."""
    with service.store.reading() as records:
        contact = records.contacts.get(id) or records.contacts.by_external_id(id)
        erased = records.events.seen(erased_id(service, id)) or (
            contact is not None and contact.erased
        )
        written = _written(records, contact, id)
    return UnsubscribeMailboxes(written=written, erased=erased) if written or erased else None


def _written(records: Records, contact: Contact | None, id: str) -> Mapping[str, Sequence[str]]:
    """Every mailbox of the contact with the ways in which it was written, by the address under
    which it is kept. The present one comes first, then the newest."""
    found: dict[str, list[str]] = {}

    def add(text: object) -> None:
        if isinstance(text, str) and "@" in text:
            found.setdefault(key_of(text), []).append(text)

    if contact is not None:
        add(contact.address(Channel.EMAIL))
    for entry in records.log.entries(
        contact=contact.id if contact else id, kinds=(EntryKind.CONTACT,), limit=_MOST_ENTRIES
    ):
        for text in reversed((entry.changes or {}).get("email", ())):
            add(text)
    for address in contact.consents if contact else ():
        add(address)
    return found
