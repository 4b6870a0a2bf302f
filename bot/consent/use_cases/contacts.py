"""Adding a contact, and editing one: a new phone number or mailbox is a new address."""

from __future__ import annotations

from dataclasses import dataclass

from bot.consent.addresses import key_of
from bot.consent.errors import Changed, Invalid, Refused
from bot.consent.frozen import quick
from bot.consent.log.changes import ContactChanged, Noted
from bot.consent.log.entries import Pair
from bot.consent.model import Actor, Channel, Contact
from bot.consent.parsing import blank, fold, read_phone, storable, visible
from bot.consent.permissions import Action, authorize
from bot.consent.use_cases.address_opt_outs import carry, gain
from bot.consent.use_cases.context import Service, present
from bot.consent.use_cases.lists.leaving_entries import left_behind
from bot.consent.use_cases.record import Recorder, new_id

LONGEST_NAME = 1_000


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """Who a contact is, as somebody typed it. None means untouched, empty takes it away."""

    name: str | None = None
    phone: str | None = None
    email: str | None = None
    company: str | None = None
    external_id: str | None = None


def add(service: Service, details: Details, actor: Actor) -> Contact:
    """A new contact with a name, and a phone number or a mailbox.

    Raises `Invalid` with the field, and `Refused` where the same person is there already.
    """
    authorize(actor, Action.EDIT)
    with service.store.transaction() as records:
        recorder = Recorder(
            service=service, records=records, actor=actor.id, source=actor.source, now=service.now()
        )
        fields = read_details(service, details)
        check_whole(fields)
        _check_new(recorder, fields)
        return create(service, recorder, fields)


def edit(
    service: Service, id: str, details: Details, actor: Actor, *, version: int | None = None
) -> Contact:
    """Changes who a contact is. Raises `Changed` where somebody else was quicker."""
    authorize(actor, Action.EDIT)
    with service.store.transaction() as records:
        contact = present(records.contacts, id)
        if version is not None and version != contact.version:
            raise Changed
        recorder = Recorder(
            service=service, records=records, actor=actor.id, source=actor.source, now=service.now()
        )
        fields = read_details(service, details)
        check_whole({**identity(contact), **fields})
        if fields.get("external_id", contact.external_id) != contact.external_id:
            check_external_id(recorder, fields)
        return update(service, recorder, contact, fields)


def note(service: Service, id: str, text: str, actor: Actor) -> None:
    """Writes something down about a contact."""
    authorize(actor, Action.EDIT)
    if blank(text):
        raise Invalid("Write something.", field="note")
    with service.store.transaction() as records:
        contact = present(records.contacts, id)
        recorder = Recorder(
            service=service, records=records, actor=actor.id, source=actor.source, now=service.now()
        )
        recorder.record(contact, Noted(reason=text.strip()))


#: Fields of a contact by name: text, or None.
Fields = dict[str, str | None]


def read_details(service: Service, details: Details) -> Fields:
    """What was typed, read: only the fields that were touched. Raises `Invalid`."""
    fields: Fields = {}
    for name in ("name", "company", "external_id"):
        text = getattr(details, name)
        if text is not None:
            fields[name] = _clean(text, name)
    if details.phone is not None:
        phone, line = (
            read_phone(details.phone, service.region) if details.phone.strip() else (None, None)
        )
        fields |= {"phone": phone, "line": line}
    if details.email is not None:
        fields["email"] = service.read_email(details.email) if details.email.strip() else None
    return fields


def identity(contact: Contact) -> Fields:
    """The same fields as a contact has them."""
    return {
        "name": contact.name,
        "company": contact.company,
        "external_id": contact.external_id,
        "phone": contact.phone,
        "line": contact.line,
        "email": contact.email,
    }


def create(service: Service, recorder: Recorder, fields: Fields) -> Contact:
    """Brings a contact into being, and applies what its addresses had refused before."""
    changes: dict[str, Pair] = {
        name: (None, value) for name, value in fields.items() if value not in (None, "")
    }
    contact = recorder.record(
        None, ContactChanged(after="added", changes=changes), creates=new_id(recorder.now)
    )
    assert contact is not None
    for channel in Channel:
        contact = gain(service, recorder, contact, channel)
    return contact


def update(
    service: Service,
    recorder: Recorder,
    contact: Contact,
    fields: Fields,
    *,
    reason: str | None = None,
) -> Contact:
    """Records the fields that differ; the contact unchanged where none does."""
    was = identity(contact)
    changes: dict[str, Pair] = {
        name: (was[name], value) for name, value in fields.items() if value != was[name]
    }
    if not changes:
        return contact
    after = recorder.record(
        contact, ContactChanged(after="changed", reason=reason, changes=changes)
    )
    assert after is not None
    for channel in Channel:
        former = contact.key(channel)
        if former != after.key(channel):
            if former is not None and channel is Channel.EMAIL:
                after = left_behind(recorder, after, former)
            after = carry(recorder, after, former, channel)
            after = gain(service, recorder, after, channel)
    return after


def _clean(text: str, field: str) -> str:
    text = storable(" ".join(visible(text).split()))
    if len(text) > LONGEST_NAME:
        raise Invalid(f"That is too long: at most {LONGEST_NAME:,} characters.", field=field)
    return text


def check_whole(fields: Fields) -> None:
    """Raises `Invalid` for a contact without a name, or without any address."""
    if blank(fields.get("name")):
        raise Invalid("A contact needs a name.", field="name")
    if not fields.get("phone") and not fields.get("email"):
        raise Invalid("A contact needs a phone number or an e-mail address.", field="phone")


def _check_new(recorder: Recorder, fields: Fields) -> None:
    name = fold(fields["name"] or "")
    for field in ("phone", "email"):
        address = fields.get(field)
        for holder in recorder.records.contacts.at(key_of(address)) if address else ():
            if fold(holder.name) == name:
                raise Refused(
                    f"{holder.name} is there already with this {field}. Look them up instead.",
                    field=field,
                )
    if fields.get("external_id"):
        check_external_id(recorder, fields)


def check_external_id(recorder: Recorder, fields: Fields) -> None:
    """Raises `Refused` where another contact has this id."""
    external_id = fields.get("external_id")
    if external_id and recorder.records.contacts.by_external_id(external_id):
        raise Refused("Another contact has this external id.", field="external_id")
