"""What Optin would have answered at any moment, computed from the Activity Log.

An entry has two times: when something happened, and when Optin recorded it. An answer about the
past goes by one of them (`TimeBasis`). It applies today's rules (`RULES_VERSION`), and takes our
senders, and those that were retired since, as they are today: the log does not say when they
changed. Entries of people who were erased tell nothing, as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.consent.addresses import key_of
from bot.consent.errors import Invalid, NotFound, Refused
from bot.consent.log.apply import apply
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import Actor, AddressFacts, Channel, Contact
from bot.consent.permissions import Action, authorize
from bot.consent.reader_times import ReaderTimes
from bot.consent.records import Log
from bot.consent.rules import RULES_VERSION
from bot.consent.storage_behind import behind_of
from bot.consent.store import Records
from bot.consent.use_cases.contact_profile import Profile
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.known_senders import senders_of
from bot.consent.use_cases.look_up import decisions_by_sender, decisions_of
from bot.consent.use_cases.record import history
from bot.consent.use_cases.unheld_addresses import known_of


class TimeBasis(StrEnum):
    """Which entries an answer about the past takes into account."""

    #: Those that Optin had recorded by then: what it knew.
    RECORDED = "recorded"
    #: Those about what had happened by then, also where Optin learned of it later.
    HAPPENED = "happened"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastProfile:
    """A contact as of a moment: details, answers and gates. What else a card shows is left out."""

    profile: Profile
    at: datetime
    by: TimeBasis
    rules_version: int = RULES_VERSION


def profile_at(
    service: Service,
    id: str,
    at: datetime,
    actor: Actor,
    *,
    by: TimeBasis = TimeBasis.RECORDED,
) -> PastProfile:
    """The contact as of this moment, also one that was removed since. Raises `NotFound`, `Invalid`
    for a time to come, and `Refused` where Optin did not have the contact then, or the contact was
    erased since."""
    authorize(actor, Action.LOOK)
    check_past(service, at)
    with service.store.reading() as records:
        return answers_at(service, records, id, at, by=by)


def holders_at(
    service: Service, address: str, at: datetime, actor: Actor, *, by: TimeBasis
) -> list[Contact]:
    """The contacts who had this phone number or mailbox at that moment, as they were."""
    authorize(actor, Action.LOOK)
    check_past(service, at)
    with service.store.reading() as records:
        return PastState(records, at, by).holders(key_of(address))


def unheld_at(
    service: Service, address: str, at: datetime, actor: Actor, *, by: TimeBasis
) -> AddressFacts | None:
    """What was known then of a phone number or mailbox that nobody had; None where nothing was."""
    authorize(actor, Action.LOOK)
    check_past(service, at)
    with service.store.reading() as records:
        return known_of(service, PastState(records, at, by), address)


def check_past(service: Service, at: datetime) -> None:
    """Raises `Invalid` for a time to come."""
    if at > service.now():
        raise Invalid("That time is still to come.", field="at")


def answers_at(
    service: Service,
    records: Records,
    id: str,
    at: datetime,
    *,
    by: TimeBasis = TimeBasis.RECORDED,
) -> PastProfile:
    """The same inside a transaction."""
    past = PastState(records, at, by)
    contact = past.contact(id)
    if contact is None:
        raise _absent(service, records.log, id, past)
    keys = {channel: key for channel in Channel if (key := contact.key(channel))}
    facts = {channel: past.get(key) for channel, key in keys.items()}
    senders = senders_of(service, records.key_value, *facts.values())
    # A storage that went back may lack what was recorded by then, too.
    behind = behind_of(service.heads, records.key_value)
    profile = Profile(
        contact=contact,
        facts=facts,
        senders=senders,
        decisions=decisions_of(contact, facts, senders, behind),
        by_sender=decisions_by_sender(contact, facts, senders, behind),
        shared={},
    )
    return PastProfile(profile=profile, at=at, by=by)


class PastState:
    """Contacts and facts of addresses as of a moment: the fold of the entries that count."""

    def __init__(self, records: Records, at: datetime, by: TimeBasis) -> None:
        self._records = records
        self._at = at
        self._by = by

    def counts(self, entry: Entry) -> bool:
        """Whether the entry is of that time or before."""
        if self._by is TimeBasis.HAPPENED:
            return entry.occurred_at <= self._at
        return entry.recorded_at <= self._at

    def said(self, since: datetime, times: ReaderTimes) -> str:
        """When something happened that this moment is before or after, in words."""
        return times.since(since, self._at)

    def contact(self, id: str) -> Contact | None:
        """The contact as it was. None where there was none, and of one that was erased since."""
        contact, begun = None, False
        for entry in _oldest_first(self._records.log, id):
            if entry.kind is EntryKind.CONTACT and not begun:
                # That Optin got to know somebody is nothing that happened to them: what they said
                # before counts for the addresses that they were added with.
                begun = self._by is TimeBasis.HAPPENED or self.counts(entry)
                contact = apply(entry, None, None)[0] if begun else None
            elif self.counts(entry) and (contact is not None or entry.kind is EntryKind.ERASED):
                contact, _ = apply(entry, contact, _some_facts(entry))
        return contact

    def get(self, address: str) -> AddressFacts:
        """What was known of the address, by its key."""
        facts = AddressFacts(address=address)
        for entry in self._records.log.of_address(address):
            if self.counts(entry):
                someone = Contact(id=entry.contact) if entry.contact else None
                facts = apply(entry, someone, facts)[1] or facts
        return facts

    def holders(self, address: str) -> list[Contact]:
        """The contacts who had this address, by its key, oldest first. Of those who have given it
        up since, the ones with an entry about it: nobody else can have agreed there."""
        ids = {contact.id for contact in self._records.contacts.at(address)}
        ids |= {entry.contact for entry in self._records.log.of_address(address) if entry.contact}
        found = (self.contact(id) for id in sorted(ids))
        return [contact for contact in found if contact and address in contact.keys]


def _oldest_first(log: Log, id: str) -> Iterator[Entry]:
    return reversed([entry for entry in history(log, id) if not entry.redacted])


def _some_facts(entry: Entry) -> AddressFacts | None:
    """Facts for whoever has no use for them."""
    return AddressFacts(address=key_of(entry.address)) if entry.address else None


def _absent(service: Service, log: Log, id: str, past: PastState) -> Exception:
    """Why there was no such contact then."""
    told = [entry for entry in history(log, id) if entry.kind in (_CONTACT, _ERASED)][::-1]
    if not told:
        return NotFound()
    times = service.times
    erased = next((entry for entry in told if entry.kind is _ERASED), None)
    if erased is not None:
        since = past.said(erased.recorded_at, times)
        return Refused(f"This contact was erased on {since}: Optin can't say what was before.")
    if not past.counts(told[0]):
        came = past.said(told[0].recorded_at, times)
        return Refused(f"Optin did not have this contact then: it came on {came}.")
    left = past.said(told[-1].recorded_at, times)
    return Refused(
        f"Optin did not have this contact any more: it was removed on {left}."
        + (f" {told[-1].reason}." if told[-1].reason else "")
    )


_CONTACT, _ERASED = EntryKind.CONTACT, EntryKind.ERASED
