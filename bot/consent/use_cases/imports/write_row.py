"""Writes what a row says, inside a transaction: its contact, and what it says of addresses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from bot.consent.addresses import key_of
from bot.consent.errors import Invalid
from bot.consent.log.changes import Noted
from bot.consent.log.entries import EntryKind
from bot.consent.model import Channel, ConsentValue, Contact
from bot.consent.suppressions import Cause, Listing
from bot.consent.use_cases.contacts import Fields, create, update
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.imports.match_row import apart, but_same_addresses, match
from bot.consent.use_cases.imports.read_row import Addresses, ReadRow, refused_addresses
from bot.consent.use_cases.imports.row_bounces import mark, suppress
from bot.consent.use_cases.imports.row_consent import refuse_nobody, set_consent
from bot.consent.use_cases.imports.rows import Consequence, Row
from bot.consent.use_cases.record import Recorder


@dataclass(frozen=True, slots=True, kw_only=True)
class RowWriter:
    """Writes the rows of one import."""

    service: Service
    #: The id of the e-mail provider whose suppression list it is.
    provider: str | None
    #: Called before the first change.
    begin: Callable[[Recorder], None]

    def write(self, recorder: Recorder, read: ReadRow) -> list[Consequence]:
        """Everything that the row says. Raises `Invalid` where nobody can tell whom it means."""
        row, fields = read.row, read.fields
        if fields is None:
            self.begin(recorder)
            return self._write_addresses(recorder, row, read.addresses)
        found = match(recorder.records.contacts, fields)
        others: dict[Channel, str] = {}
        if found is None:
            if not fields.get("name"):
                return self._write_list(recorder, row)
            self.begin(recorder)
            done = [Consequence.ADDED]
            contact = create(self.service, recorder, fields)
        else:
            self.begin(recorder)
            if not fields.get("name"):
                others = apart(recorder.records.contacts, found, fields)
                fields = _without(fields, others)
            contact = update(self.service, recorder, found, but_same_addresses(found, fields))
            done = [] if contact is found else [Consequence.UPDATED]
        for channel in Channel:
            if channel not in others:
                contact, consequences = set_consent(recorder, contact, channel, row)
                done += consequences
        if contact is not found:
            recorder.records.contacts.put(contact)
        if row.do_not_call:
            done += _note_do_not_call(recorder, contact)
        return done + self._write_rest(recorder, read, contact, others)

    def _write_rest(
        self, recorder: Recorder, read: ReadRow, contact: Contact, others: Mapping[Channel, str]
    ) -> list[Consequence]:
        """What a row says of its addresses, beside the consent of its contact."""
        row, done = read.row, []
        stores = replace(recorder, stores=True)
        for channel in Channel:
            address = contact.address(channel)
            if channel in others:
                done += self._write_address(recorder, row, channel, others[channel])
            elif address and row.bounced(channel):
                complaint = row.complaint and channel is Channel.EMAIL
                done += mark(
                    self.service, stores, address, channel, of=contact, complaint=complaint
                )
            for further in read.addresses.get(channel, ()):
                if row.on(channel) is ConsentValue.NO:
                    done += self._refuse(stores, row, channel, further)
        return done

    def _write_list(self, recorder: Recorder, row: Row) -> list[Consequence]:
        """A row of addresses that nobody has, out of a file without names: a list of opt-outs or
        of bounces, which are kept."""
        left = refused_addresses(self.service, row)
        if row.details.name is not None or not left or ConsentValue.YES in (row.sms, row.email):
            raise Invalid("There is no name, and nobody has this address.")
        self.begin(recorder)
        return self._write_addresses(recorder, row, left)

    def write_rejected(self, recorder: Recorder, read: ReadRow) -> list[Consequence]:
        """The opt-outs and bounces of a row that was rejected."""
        if not read.addresses:
            return []
        self.begin(recorder)
        done = self._write_addresses(recorder, read.row, read.addresses)
        return [*done, Consequence.FROM_REJECTED] if done else []

    def _write_addresses(self, recorder: Recorder, row: Row, left: Addresses) -> list[Consequence]:
        return [
            consequence
            for channel, addresses in left.items()
            for address in addresses
            for consequence in self._write_address(recorder, row, channel, address)
        ]

    def _write_address(
        self, recorder: Recorder, row: Row, channel: Channel, address: str
    ) -> list[Consequence]:
        """What a row says against an address, whoever has it; a YES says nothing there."""
        recorder = replace(recorder, stores=True)
        done = []
        if row.on(channel) is ConsentValue.NO:
            done += self._refuse(recorder, row, channel, address)
        if row.bounced(channel):
            holder = next(iter(recorder.records.contacts.at(key_of(address))), None)
            complaint = row.complaint and channel is Channel.EMAIL
            done += mark(self.service, recorder, address, channel, of=holder, complaint=complaint)
        if self.provider and row.listed and channel is Channel.EMAIL:
            listing = Listing(provider=self.provider, cause=_cause(row))
            done += suppress(self.service, recorder, address, listing, row.refusal(channel).at)
        return done

    def _refuse(
        self, recorder: Recorder, row: Row, channel: Channel, address: str
    ) -> list[Consequence]:
        """The NO of a row, at one address, whoever has it."""
        done: list[Consequence] = []
        holders = recorder.records.contacts.at(key_of(address))
        if not holders:
            return refuse_nobody(self.service, recorder, address, channel, row.refusal(channel))
        # Our own side's NO reaches nobody else.
        for holder in holders if row.refusal(channel).by_staff else holders[:1]:
            _, said = set_consent(recorder, holder, channel, row)
            done += said
        return done


def _cause(row: Row) -> Cause:
    """Why a row of a provider's list is on it."""
    if row.complaint:
        return Cause.COMPLAINT
    if row.on(Channel.EMAIL) is not ConsentValue.NO:
        return Cause.BOUNCE
    return Cause.OURS if row.refusal(Channel.EMAIL).by_staff else Cause.UNSUBSCRIBE


_DO_NOT_CALL = "Do Not Call, says an import"


def _note_do_not_call(recorder: Recorder, contact: Contact) -> list[Consequence]:
    noted = recorder.records.log.entries(contact=contact.id, kinds=(EntryKind.NOTE,), limit=100)
    if any(entry.reason == _DO_NOT_CALL for entry in noted):
        return []
    recorder.record(contact, Noted(reason=_DO_NOT_CALL))
    return [Consequence.DO_NOT_CALL]


def _without(fields: Fields, others: Mapping[Channel, str]) -> Fields:
    left = dict(fields)
    for channel in others:
        for name in ("phone", "line") if channel is Channel.SMS else ("email",):
            left.pop(name, None)
    return left
