"""Reading the Activity Log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.consent.errors import NotFound
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import Actor, Channel, Contact
from bot.consent.permissions import Action, authorize
from bot.consent.use_cases.context import Service


def activity(
    service: Service,
    id: str,
    actor: Actor,
    *,
    kinds: Iterable[EntryKind] = (),
    channel: Channel | None = None,
    before: int | None = None,
    limit: int = 10,
) -> tuple[Contact, Sequence[Entry]]:
    """The contact and a page of their log, newest first, below `before`. Raises `NotFound`."""
    authorize(actor, Action.LOOK)
    with service.store.reading() as records:
        contact = records.contacts.get(id)
        if contact is None:
            raise NotFound
        entries = records.log.entries(
            contact=id, kinds=kinds, channel=channel, before=before, limit=limit
        )
        return contact, entries


def recent(
    service: Service,
    actor: Actor,
    *,
    kinds: Iterable[EntryKind] = (),
    before: int | None = None,
    limit: int = 10,
) -> Sequence[tuple[Entry, Contact | None]]:
    """The last entries of all contacts, newest first, below `before`."""
    authorize(actor, Action.LOOK)
    with service.store.reading() as records:
        entries = records.log.entries(kinds=kinds, before=before, limit=limit)
        contacts = records.contacts.get_many({entry.contact for entry in entries if entry.contact})
        return [(entry, contacts.get(entry.contact or "")) for entry in entries]
