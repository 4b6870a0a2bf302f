"""Contacts out, with their answers."""

from __future__ import annotations

from collections.abc import Generator

from bot.consent.use_cases.contact_profile import Profile
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.look_up import profile_of


def export(service: Service) -> Generator[Profile]:
    """Every contact that is not erased, by creation, with the answers. Holds the storage open for
    reading until it ends or is closed."""
    with service.store.reading() as records:
        for contact in records.contacts.all():
            if not contact.erased:
                yield profile_of(service, records, contact)
