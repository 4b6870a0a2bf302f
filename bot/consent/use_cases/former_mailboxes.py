"""The mailboxes of a contact whom an unsubscribe link names: the present and former ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.consent.addresses import key_of
from bot.consent.log.entries import EntryKind
from bot.consent.model import Channel, Contact
from bot.consent.records import Log
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.erase import erased_id

#: Entries in which a contact's former mailboxes are looked for, the newest first.
_MOST_ENTRIES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailboxes:
    """What is known of the mailboxes of one id."""

    #: By the address under which Optin keeps a mailbox, the ways in which it was written. The
    #: present mailbox first, then the newest.
    written: Mapping[str, Sequence[str]]
    #: A contact with this id was erased.
    erased: bool


def find_mailboxes(service: Service, id: str) -> Mailboxes:
    """Those of the contact with this id, ours or the external one; of a contact who was removed or
    merged, those that the log has."""
    with service.store.reading() as records:
        contact = records.contacts.get(id) or records.contacts.by_external_id(id)
        erased = records.events.seen(erased_id(service, id)) or (
            contact is not None and contact.erased
        )
        return Mailboxes(written=_written(records.log, contact, id), erased=erased)


def _written(log: Log, contact: Contact | None, id: str) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}

    def add(text: object) -> None:
        if isinstance(text, str) and "@" in text:
            found.setdefault(key_of(text), []).append(text)

    if contact is not None:
        add(contact.address(Channel.EMAIL))
    for entry in log.entries(
        contact=contact.id if contact else id, kinds=(EntryKind.CONTACT,), limit=_MOST_ENTRIES
    ):
        for text in reversed((entry.changes or {}).get("email", ())):
            add(text)
    for address in contact.consents if contact else ():
        add(address)
    return found
