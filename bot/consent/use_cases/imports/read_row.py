"""Reads the addresses of a row, which takes most of an import's time, outside any transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.consent.errors import Invalid
from bot.consent.frozen import quick
from bot.consent.model import Channel, ConsentValue
from bot.consent.use_cases.contacts import Details, Fields, read_details
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.imports.left import addresses_in, best_address
from bot.consent.use_cases.imports.match_row import read_external_id
from bot.consent.use_cases.imports.rows import Row

#: Addresses of a row by channel, as they are shown.
Addresses = Mapping[Channel, Sequence[str]]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRow:
    """A row whose addresses were read."""

    row: Row
    #: Of a contact; none for a row of a suppression list, and for a rejected one.
    fields: Fields | None = None
    #: Of such a row: the addresses of which it says NO or a bounce. Of a contact: further ones.
    addresses: Addresses = field(default_factory=dict)

    @property
    def all_addresses(self) -> list[str]:
        """By which contacts are looked up."""
        found = [address for addresses in self.addresses.values() for address in addresses]
        if self.fields is not None:
            found += [a for a in (self.fields.get("phone"), self.fields.get("email")) if a]
        return found


def read_row(service: Service, row: Row) -> ReadRow:
    """Raises `Invalid` for a row that can't be taken."""
    if row.problem:
        raise Invalid(row.problem)
    if row.listed:
        return _read_listed(service, row)
    details, further = _best(service, row) if row.more else (row.details, {})
    typed = read_details(service, details)
    fields: Fields = {name: value for name, value in typed.items() if value}
    if not fields.get("phone") and not fields.get("email"):
        raise Invalid("There is neither a phone number nor an e-mail address.")
    read_external_id(fields)
    for proof in (row.evidence, row.sms_evidence, row.email_evidence):
        if proof and proof.at and proof.at > service.now():
            raise Invalid("consent_at is in the future.")
    return ReadRow(row=row, fields=fields, addresses=further)


def refused_addresses(service: Service, row: Row) -> Addresses:
    """The readable addresses of a row that it marks as NO or as bounced. An opt-out is never lost
    with its row."""
    found = {}
    for channel, text in _texts(row).items():
        if text and (row.on(channel) is ConsentValue.NO or row.bounced(channel)):
            found[channel] = addresses_in(service, text, channel)
    return {channel: addresses for channel, addresses in found.items() if addresses}


def _read_listed(service: Service, row: Row) -> ReadRow:
    """A row of a suppression list: it is good where each of its cells holds an address."""
    for channel, text in _texts(row).items():
        if text.strip() and not addresses_in(service, text, channel):
            read_details(service, Details(**{_FIELDS[channel]: text}))
            raise Invalid("There is no address that can be read.", field=_FIELDS[channel])
    return ReadRow(row=row, addresses=refused_addresses(service, row))


def _best(service: Service, row: Row) -> tuple[Details, Addresses]:
    """The details with the best address of several, and the other ones that can be read."""
    best, further = {}, {}
    for channel, texts in (row.more or {}).items():
        first = getattr(row.details, _FIELDS[channel]) or ""
        best[_FIELDS[channel]], further[channel] = best_address(service, [first, *texts], channel)
    return replace(row.details, **best), further


_FIELDS = {Channel.SMS: "phone", Channel.EMAIL: "email"}


def _texts(row: Row) -> dict[Channel, str]:
    """Everything that stands where addresses belong."""
    return {
        channel: ";".join(filter(None, (first, *(row.more or {}).get(channel, ()))))
        for channel, first in (
            (Channel.SMS, row.details.phone),
            (Channel.EMAIL, row.details.email),
        )
    }
