"""Contacts whom nothing may be sent to, for a system that keeps a suppression list of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from bot.consent.model import Channel, Contact
from bot.consent.rules import Answer, Decision
from bot.consent.store import Records
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.look_up import profile_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressed:
    """One address of one contact whose answer is not yes."""

    contact: Contact
    channel: Channel
    decision: Decision


def suppressed(
    service: Service, *, channel: Channel | None = None, after: str = "", limit: int
) -> tuple[list[Suppressed], str | None]:
    """Of the next `limit` contacts behind the id `after`, the addresses whose answer is not yes;
    and the id to go on with, None after the last contact."""
    with service.store.reading() as records:
        contacts = list(islice(records.contacts.all(after=after), limit))
        found = [one for contact in contacts for one in _of(service, records, contact, channel)]
    return found, contacts[-1].id if len(contacts) == limit else None


def _of(
    service: Service, records: Records, contact: Contact, channel: Channel | None
) -> Iterator[Suppressed]:
    if contact.erased:
        return
    decisions = profile_of(service, records, contact).decisions
    for one in (channel,) if channel else Channel:
        if contact.address(one) and decisions[one].answer is not Answer.YES:
            yield Suppressed(contact=contact, channel=one, decision=decisions[one])
