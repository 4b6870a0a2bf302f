"""Whether the log is whole, and the state is what the log says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.consent.addresses import key_of
from bot.consent.log.apply import apply
from bot.consent.log.chain import GENESIS, holds
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import AddressFacts, Contact
from bot.consent.store import Records, Store
from bot.consent.use_cases.context import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found. Whoever keeps `entries` and `head` elsewhere can tell a cut tail later."""

    entries: int
    #: Hash of the newest entry.
    head: str
    #: The first thing that does not hold, in a sentence; None where all does.
    problem: str | None = None


def verify(service: Service, *, progress: Callable[[int], None] = lambda entries: None) -> Verdict:
    """Recomputes the hash chain and the fold. `progress` is told how many entries are done."""
    return verify_store(service.store, progress=progress)


def verify_store(
    store: Store, *, progress: Callable[[int], None] = lambda entries: None
) -> Verdict:
    """The same for a storage with no use cases over it."""
    contacts: dict[str, Contact] = {}
    known: dict[str, AddressFacts] = {}
    cases: dict[str, str] = {}
    #: Contacts with a redacted entry, by the first such entry; erasure must account for it.
    redacted: dict[str | None, int] = {}
    seq, previous = 0, GENESIS
    with store.reading() as records:
        for entry in records.log.all():
            if entry.seq != seq + 1:
                return Verdict(entries=seq, head=previous, problem=_gap(seq, entry))
            if not holds(entry, previous):
                return Verdict(entries=seq, head=previous, problem=_broken(entry))
            seq, previous = entry.seq, entry.hash
            if entry.redacted:
                redacted.setdefault(entry.contact, entry.seq)
            if entry.kind is EntryKind.ERASED:
                redacted.pop(entry.contact, None)
            _fold(entry, contacts, known)
            if entry.kind is EntryKind.CASE and entry.changes:
                cases[str(entry.changes["case"][1])] = entry.after
            if seq % 1000 == 0:
                progress(seq)
        if redacted:
            first = min(redacted.values())
            problem = f"Entry {first} lost its personal part, and its contact was never erased."
            return Verdict(entries=seq, head=previous, problem=problem)
        if records.log.head() != (seq, previous):
            return Verdict(entries=seq, head=previous, problem="The end of the log is missing.")
        different = _difference(records, contacts, known) or _other_case(records, cases)
        return Verdict(entries=seq, head=previous, problem=different)


def _fold(entry: Entry, contacts: dict[str, Contact], known: dict[str, AddressFacts]) -> None:
    contact = contacts.get(entry.contact) if entry.contact else None
    facts = None
    key = key_of(entry.address) if entry.address else ""
    if key:
        facts = known.get(key) or AddressFacts(address=key)
    contact, facts = apply(entry, contact, facts)
    if entry.contact:
        if contact is None:
            contacts.pop(entry.contact, None)
        else:
            contacts[entry.contact] = contact
    if key and facts:
        known[key] = facts


def _difference(
    records: Records, contacts: dict[str, Contact], known: dict[str, AddressFacts]
) -> str | None:
    for contact in records.contacts.all():
        if contacts.pop(contact.id, None) != contact:
            return f"Contact {contact.id} is not what the log says."
    if contacts:
        return f"Contact {min(contacts)} is in the log, and not in the contacts."
    for facts in records.addresses.all():
        if known.pop(facts.address, None) != facts:
            return "What is known of one address is not what the log says."
    if any(facts != AddressFacts(address=address) for address, facts in known.items()):
        return "The log knows of an address of which the storage knows nothing."
    return None


def _other_case(records: Records, cases: dict[str, str]) -> str | None:
    for id, state in cases.items():
        case = records.cases.get(id)
        if case is None or case.state != state:
            return f"The re-opt-in {id} is not what the log says."
    return None


def _gap(seq: int, entry: Entry) -> str:
    return f"After entry {seq} comes entry {entry.seq}: something between is missing or doubled."


def _broken(entry: Entry) -> str:
    return f"Entry {entry.seq} does not hold: it, or one before it, was changed."
