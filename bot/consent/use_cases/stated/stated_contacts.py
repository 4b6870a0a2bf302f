"""A program puts or patches who a contact is."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.consent.errors import Changed, Invalid
from bot.consent.model import Actor, Contact
from bot.consent.permissions import Action, authorize
from bot.consent.use_cases.contacts import (
    Details,
    Fields,
    check_whole,
    create,
    identity,
    read_details,
    update,
)
from bot.consent.use_cases.context import Service, present
from bot.consent.use_cases.imports.match_row import (
    but_same_addresses,
    match,
    read_external_id,
)
from bot.consent.use_cases.record import Recorder


@dataclass(frozen=True, slots=True, kw_only=True)
class PutResult:
    """The contact as it is now."""

    contact: Contact
    created: bool
    changed: bool


def put_contact(
    service: Service,
    external_id: str,
    details: Details,
    actor: Actor,
    *,
    version: int | None = None,
) -> PutResult:
    """The contact with this id in the company's other systems, with these details. The same once
    more changes nothing.

    A detail that is not given stays as it is. A contact whom Optin knows without an external id, by
    name and address, gets this one. Raises `Invalid`, and `Changed` where the contact has moved on
    from `version`.
    """
    authorize(actor, Action.STATE)
    with service.store.transaction() as records:
        recorder = Recorder(
            service=service, records=records, actor=actor.id, source=actor.source, now=service.now()
        )
        fields = _read(service, replace(details, external_id=external_id))
        found = records.contacts.by_external_id(fields["external_id"] or "")
        if found is None:
            check_whole(fields)
            found = match(records.contacts, fields)
        if version is not None and (found is None or found.version != version):
            raise Changed
        if found is None:
            contact = create(service, recorder, fields)
            return PutResult(contact=contact, created=True, changed=True)
        contact = _update(service, recorder, found, fields)
        return PutResult(contact=contact, created=False, changed=contact is not found)


def patch_contact(
    service: Service, id: str, details: Details, actor: Actor, *, version: int
) -> PutResult:
    """Changes these details. Raises `Changed` where the contact has moved on from `version`."""
    authorize(actor, Action.STATE)
    with service.store.transaction() as records:
        contact = present(records.contacts, id)
        if version != contact.version:
            raise Changed
        recorder = Recorder(
            service=service, records=records, actor=actor.id, source=actor.source, now=service.now()
        )
        fields = read_details(service, replace(details, external_id=None))
        after = _update(service, recorder, contact, fields)
        return PutResult(contact=after, created=False, changed=after is not contact)


def _read(service: Service, details: Details) -> Fields:
    fields = read_details(service, details)
    known: Fields = {"external_id": fields["external_id"]}
    read_external_id(known)
    if not known.get("external_id"):
        raise Invalid("This is no id of one contact.", field="external_id")
    return fields


def _update(service: Service, recorder: Recorder, contact: Contact, fields: Fields) -> Contact:
    check_whole({**identity(contact), **fields})
    return update(service, recorder, contact, but_same_addresses(contact, fields))
