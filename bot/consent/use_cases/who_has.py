"""Who has the addresses that a text names: each contact once, and each address that nobody has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.consent.addresses import key_of
from bot.consent.model import Actor, AddressFacts, Contact
from bot.consent.permissions import Action, authorize
from bot.consent.store import Expected
from bot.consent.use_cases.contact_profile import Profile
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.look_up import profile_of
from bot.consent.use_cases.unheld_addresses import known_of


@dataclass(frozen=True, slots=True, kw_only=True)
class UnheldAddress:
    """An address that no contact has, and what is known of it all the same."""

    address: str
    facts: AddressFacts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoHas:
    """A page of whom the addresses lead to, in the order of the addresses."""

    entries: Sequence[Profile | UnheldAddress]
    #: On all pages.
    count: int


def who_has(
    service: Service, addresses: Sequence[str], actor: Actor, *, skip: int = 0, limit: int = 10
) -> WhoHas:
    """`addresses` are phone numbers in E.164 and mailboxes. A contact with several of them stands
    where the first one does, and each who shares an address stands on their own."""
    authorize(actor, Action.LOOK)
    with service.store.reading() as records:
        records.expect(Expected(addresses=[key_of(address) for address in addresses]))
        found: dict[str, Contact | str] = {}
        for address in addresses:
            holders = records.contacts.at(key_of(address))
            found |= {holder.id: holder for holder in holders if holder.id not in found}
            if not holders:
                found[key_of(address)] = address
        page = list(found.values())[skip : skip + limit]
        latest = 1 if len(found) == 1 else 0
        return WhoHas(
            entries=[
                UnheldAddress(address=one, facts=known_of(service, records.addresses, one))
                if isinstance(one, str)
                else profile_of(service, records, one, actor, latest=latest)
                for one in page
            ],
            count=len(found),
        )
