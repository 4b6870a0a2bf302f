"""Whether the log is whole, and the state is what the log says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.consent.addresses import key_of
from bot.consent.errors import Corrupt
from bot.consent.log.apply import apply
from bot.consent.log.chain import GENESIS, ChainLink
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import AddressFacts, Contact
from bot.consent.records import KeyValue, Log
from bot.consent.store import Records, Store
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.log_tree import TreeCheck


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
    with store.reading() as records:
        chain = _ChainCheck(records.key_value, progress)
        try:
            for link, entry in zip(records.log.links(), records.log.all(), strict=True):
                if not chain.take(link):
                    return chain.verdict()
                _fold(entry, contacts, known)
                if entry.kind is EntryKind.CASE and entry.changes:
                    cases[str(entry.changes["case"][1])] = entry.after
        except Corrupt as damage:
            return chain.verdict(damage.sentence)
        return chain.verdict(
            chain.end(records.log)
            or _difference(records, contacts, known)
            or _other_case(records, cases)
            or chain.tree.problem()
        )


def verify_chain(
    store: Store, *, progress: Callable[[int], None] = lambda entries: None
) -> Verdict:
    """Recomputes the hash chain and the tree, and not the fold."""
    with store.reading() as records:
        chain = _ChainCheck(records.key_value, progress)
        try:
            for link in records.log.links():
                if not chain.take(link):
                    return chain.verdict()
        except Corrupt as damage:
            return chain.verdict(damage.sentence)
        return chain.verdict(chain.end(records.log) or chain.tree.problem())


class _ChainCheck:
    """Checks the links of the chain, one after the other."""

    def __init__(self, key_value: KeyValue, progress: Callable[[int], None]) -> None:
        self.tree = TreeCheck(key_value)
        self._progress = progress
        self._seq, self._hash = 0, GENESIS
        self._problem: str | None = None
        #: Contacts with a redacted entry, by the first such entry; erasure must account for it.
        self._redacted: dict[str | None, int] = {}

    def take(self, link: ChainLink) -> bool:
        """Whether the next link holds."""
        seq, hash, held, redacted, kind, contact = link
        if seq != self._seq + 1:
            self._problem = _gap(self._seq, seq)
        elif not held:
            self._problem = _broken(seq)
        if self._problem is not None:
            return False
        self._seq, self._hash = seq, hash
        self.tree.take(hash)
        if redacted:
            self._redacted.setdefault(contact, seq)
        if kind == EntryKind.ERASED:
            self._redacted.pop(contact, None)
        if seq % 1000 == 0:
            self._progress(seq)
        return True

    def end(self, log: Log) -> str | None:
        """What is wrong after the last link, in a sentence."""
        if self._redacted:
            first = min(self._redacted.values())
            return f"Entry {first} lost its personal part, and its contact was never erased."
        if log.head() != (self._seq, self._hash):
            return "The end of the log is missing."
        return None

    def verdict(self, problem: str | None = None) -> Verdict:
        return Verdict(entries=self._seq, head=self._hash, problem=self._problem or problem)


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


def _gap(before: int, seq: int) -> str:
    return f"After entry {before} comes entry {seq}: something between is missing or doubled."


def _broken(seq: int) -> str:
    return f"Entry {seq} does not hold: it, or one before it, was changed."
