"""Whom a row means."""

from __future__ import annotations

import re

from bot.consent.addresses import key_of
from bot.consent.errors import Invalid
from bot.consent.model import Channel, Contact
from bot.consent.parsing import fold
from bot.consent.records import Contacts
from bot.consent.use_cases.contacts import Fields


def match(contacts: Contacts, fields: Fields) -> Contact | None:
    """The contact that a row means: by external id; else the same name at the same address, or
    both addresses the same. Another name at the same number is another person; no name is whoever
    has it.

    Raises `Invalid` where the external id is that of somebody who has neither a word of the name
    nor an address in common with the row: a row never moves one person's record onto another.
    """
    external_id = fields.get("external_id")
    name = fold(fields.get("name") or "")
    phone, email = (_key(fields.get(field)) for field in ("phone", "email"))
    if external_id and (contact := contacts.by_external_id(external_id)):
        same_words = set(name.split()) & set(fold(contact.name).split())
        if not same_words and not {phone, email} & {*contact.keys}:
            raise Invalid(
                "Another contact has this external id, with another name and other addresses."
            )
        return contact
    holders = {holder.id: holder for key in (phone, email) if key for holder in contacts.at(key)}
    for holder in holders.values():
        if external_id and holder.external_id:
            continue
        same = phone and email and holder.keys == (phone, email)
        if same or not name or fold(holder.name) == name:
            return holder
    return None


def read_external_id(fields: Fields) -> None:
    """Takes a placeholder out. Raises `Invalid` for an id that a spreadsheet has rounded: several
    people would share it."""
    id = fields.get("external_id") or ""
    if id.strip().lower() in _PLACEHOLDERS or not id.strip(" -_.#/"):
        fields.pop("external_id", None)
    elif _ROUNDED.fullmatch(id.strip()):
        raise Invalid(
            "A spreadsheet has rounded this external id (it ends in E+…). Format the column as "
            "text and export it again."
        )


def but_same_addresses(contact: Contact, fields: Fields) -> Fields:
    """The fields without an address that the contact has already in another spelling. A number
    that is seen with Argentina's mobile 9 is a mobile: that form stays."""
    fields = dict(fields)
    phone, email = fields.get("phone"), fields.get("email")
    same = phone and contact.phone and key_of(phone) == key_of(contact.phone)
    if same and len(phone or "") <= len(contact.phone or ""):
        fields.pop("phone")
        fields.pop("line", None)
    if email and contact.email and key_of(email) == key_of(contact.email):
        fields.pop("email")
    return fields


def apart(contacts: Contacts, contact: Contact, fields: Fields) -> dict[Channel, str]:
    """Addresses of a row without a name that are not this contact's: they have another one, or
    somebody else has this. Nobody can say whose the row is, so it moves no address."""
    found = {}
    for channel in Channel:
        address = fields.get("phone" if channel is Channel.SMS else "email")
        other = address and contact.key(channel) != key_of(address)
        if address and other and (contact.key(channel) or contacts.at(key_of(address))):
            found[channel] = address
    return found


#: What systems export where there is no id.
_PLACEHOLDERS = frozenset(
    {"0", "n/a", "na", "#n/a", "none", "null", "nil", "nan", "undefined", "unknown", "(none)"}
)
_ROUNDED = re.compile(r"[+-]?\d+([.,]\d+)?[eE]\+?\d+", re.ASCII)


def _key(address: str | None) -> str | None:
    return key_of(address) if address else None
