"""Finding contacts for a program: by a whole address or id, never by what is similar."""

from __future__ import annotations

from collections.abc import Sequence

from bot.consent.addresses import key_of
from bot.consent.model import Actor
from bot.consent.parsing import read_phone
from bot.consent.permissions import Action, authorize
from bot.consent.use_cases.contact_profile import Profile
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.look_up import profile_of


def find_exactly(
    service: Service,
    actor: Actor,
    *,
    phone: str | None = None,
    email: str | None = None,
    external_id: str | None = None,
) -> Sequence[Profile]:
    """All who have this phone number or mailbox, or the one who has the external id. Raises
    `Invalid` for what is no address."""
    authorize(actor, Action.LOOK)
    address = None
    if phone is not None:
        address, _ = read_phone(phone, service.region)
    elif email is not None:
        address = service.read_email(email)
    with service.store.reading() as records:
        if address is not None:
            found = records.contacts.at(key_of(address))
        else:
            one = records.contacts.by_external_id(external_id or "")
            found = [one] if one is not None else []
        return [profile_of(service, records, contact, actor) for contact in found]
