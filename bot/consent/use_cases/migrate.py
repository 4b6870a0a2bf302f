"""A storage of an earlier version, brought to this one: the log read once more by today's rules,
and what these add (rules.md §2, §2a, §2b, §4).

Nothing of the log changes. Where an answer changes, an entry by `system` says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bot.consent.addresses import HASH, key_of
from bot.consent.cases import RE_OPT_IN
from bot.consent.frozen import replace
from bot.consent.gates import Code
from bot.consent.known_providers import KnownProviders
from bot.consent.log.apply import apply
from bot.consent.log.changes import BlockChanged, Noted
from bot.consent.log.entries import Entry, EntryKind, opts_out
from bot.consent.model import (
    AddressFacts,
    Block,
    BlockState,
    Channel,
    Contact,
)
from bot.consent.records import Addresses, Contacts, KeyValue
from bot.consent.rules import Answer, Decision, decide
from bot.consent.store import Records, Store
from bot.consent.suppressions import Cause, Listing
from bot.consent.use_cases.address_opt_outs import carry, gain
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.known_senders import senders_of
from bot.consent.use_cases.record import Recorder

#: The version whose storages this program works on.
VERSION = "0.2"
#: The mark of a storage that has hashes of addresses as an earlier version spelled them.
OLD_SPELLINGS = "old-spellings"
_SYSTEM = "system"
#: In whose name it is told what a contact refused long ago.
_CONTACT = "contact"
#: The mark of a storage that is on its way to this version.
MIGRATING = "migrating"
#: An answer, and the codes of its gates.
Was = tuple[Answer, frozenset[Code]]
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedAnswer:
    """One answer that is another one by today's rules."""

    contact: Contact
    channel: Channel
    before: Answer
    after: Answer
    #: Why, in a sentence for people.
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """What bringing a storage to this version changes, or would change."""

    changed: tuple[ChangedAnswer, ...]
    contacts: int
    #: Where the storage was copied to before; None where nothing was copied.
    copied_to: Path | None = None


def is_outdated(store: Store) -> bool:
    """Whether an earlier version wrote it, or a migration was interrupted."""
    if store.outdated:
        return True
    with store.reading() as records:
        return records.key_value.get(MIGRATING) is not None


def has_old_spellings(store: Store) -> bool:
    """Whether it has hashes of addresses as an earlier version spelled them."""
    with store.reading() as records:
        return records.key_value.get(OLD_SPELLINGS) is not None


def migrate(
    service: Service, *, dry_run: bool = False, progress: Progress = lambda entries: None
) -> Migration:
    """Brings an outdated storage to this version, or says which answers that would change.

    The storage is copied first. What was interrupted is done by the same call again. Raises
    `StorageFailed`.
    """
    store = service.store
    if dry_run:
        with store.rehearsal() as records:
            changed, contacts = _bring(service, records, progress)
        return Migration(changed=changed, contacts=contacts)
    copied = store.back_up(VERSION)
    with store.transaction() as records:
        records.key_value.put(MIGRATING, VERSION)
    store.upgrade()
    with store.transaction() as records:
        changed, contacts = _bring(service, records, progress)
    return Migration(changed=changed, contacts=contacts, copied_to=copied)


@dataclass(slots=True)
class _Log:
    """What the log says by today's rules."""

    providers: KnownProviders
    contacts: dict[str, Contact] = field(default_factory=dict)
    facts: dict[str, AddressFacts] = field(default_factory=dict)
    #: E-mail providers' lists, which earlier versions did not keep: by key and listing.
    lists: dict[tuple[str, str], Block] = field(default_factory=dict)

    def read(self, entries: Iterator[Entry], progress: Progress) -> None:
        for entry in entries:
            contact = self.contacts.get(entry.contact) if entry.contact else None
            key = key_of(entry.address) if entry.address else ""
            facts = self.facts.get(key) or AddressFacts(address=key) if key else None
            contact, facts = apply(entry, contact, facts)
            if entry.contact and contact is None:
                self.contacts.pop(entry.contact, None)
            elif entry.contact and contact is not None:
                self.contacts[entry.contact] = contact
            if key and facts is not None:
                self.facts[key] = facts
                self._list(entry, key)
            if entry.seq % 1_000 == 0:
                progress(entry.seq)

    def _list(self, entry: Entry, key: str) -> None:
        """What an earlier version heard of a provider's list and did not keep."""
        provider = entry.source.removeprefix("provider:")
        if entry.channel is not Channel.EMAIL or provider == entry.source:
            return
        if not self.providers.keeps_list(provider):
            return
        if (entry.reason or "").startswith("Subscribed again at the provider"):
            for theirs in [listed for listed in self.lists if listed[0] == key]:
                if Listing.of(theirs[1]).cause is Cause.UNSUBSCRIBE:
                    del self.lists[theirs]
        elif cause := _cause(entry):
            scope = (entry.reason or "").partition("Unsubscribed from ")[2].partition(". Told")[0]
            name = Listing(provider=provider, cause=cause, scope=scope).name
            self.lists[key, name] = Block(state=BlockState.BLOCKED, since=entry.occurred_at)


def _cause(entry: Entry) -> Cause | None:
    reason = entry.reason or ""
    if entry.kind in (EntryKind.CONSENT, EntryKind.NOTE) and opts_out(entry):
        return Cause.COMPLAINT if reason.startswith("Reported") else Cause.UNSUBSCRIBE
    if entry.kind is EntryKind.CONSENT and reason.startswith("Suppressed by our own side"):
        return Cause.OURS
    if entry.kind is EntryKind.BOUNCE and "suppresses the address since it bounced" in reason:
        return Cause.BOUNCE
    return None


def _bring(
    service: Service, records: Records, progress: Progress
) -> tuple[tuple[ChangedAnswer, ...], int]:
    log = _Log(service.providers)
    log.read(records.log.all(), progress)
    before = {
        contact.id: _answers(service, records.addresses, contact)
        for contact in records.contacts.all()
    }
    _put_contacts(records.contacts, log)
    _put_facts(records.addresses, log)
    # Under which spellings something may be kept is known from here on.
    hashes = frozenset(name for name in log.facts if name.startswith(HASH))
    records.key_value.put(OLD_SPELLINGS, "yes" if hashes else None)
    records.key_value.put(MIGRATING, None)
    service = replace(service, old_spellings=bool(hashes))
    recorder = Recorder(
        service=service, records=records, actor=_SYSTEM, source="cli", now=service.now()
    )
    _put_lists(recorder, log)
    settling = _Settling(service, recorder, log, hashes)
    changed = [one for id in before for one in settling.settle(id, before[id])]
    return tuple(changed), len(before)


def _put_contacts(contacts: Contacts, log: _Log) -> None:
    for contact in list(contacts.all()):
        now = log.contacts.get(contact.id, contact)
        if now != contact or contact.keys != contact.addresses:
            contacts.put(now)


def _put_facts(addresses: Addresses, log: _Log) -> None:
    for facts in list(addresses.all()):
        if facts.address not in log.facts:
            addresses.put(AddressFacts(address=facts.address))
    for facts in log.facts.values():
        if facts != addresses.get(facts.address):
            addresses.put(facts)


def _put_lists(recorder: Recorder, log: _Log) -> None:
    for (key, name), block in log.lists.items():
        facts = recorder.records.addresses.get(key)
        if name in facts.blocks or _lifted_since(facts, name, block):
            continue
        holders: list[Contact | None] = [*recorder.records.contacts.at(key)]
        for holder in holders or [None]:
            recorder.record(
                holder,
                BlockChanged(
                    sender=name,
                    before=BlockState.NONE,
                    after=BlockState.BLOCKED,
                    reason="The provider told of it before Optin kept its list",
                ),
                address=holder.address(Channel.EMAIL) if holder else key,
                channel=Channel.EMAIL,
                actor=f"provider:{Listing.of(name).provider}",
                occurred_at=block.since,
            )


def _lifted_since(facts: AddressFacts, name: str, block: Block) -> bool:
    """Whether the provider took it off its list, which an earlier version kept by provider."""
    lifted = facts.cleared.get(Listing.of(name).provider) or facts.cleared.get(name)
    return lifted is not None and lifted > block.since


class _Settling:
    """Gives each contact what today's rules add, and says what is different."""

    def __init__(
        self, service: Service, recorder: Recorder, log: _Log, hashes: frozenset[str]
    ) -> None:
        self.service = service
        self.recorder = recorder
        self.records = recorder.records
        self.log = log
        self.hashes = hashes

    def settle(self, id: str, before: dict[Channel, Was]) -> list[ChangedAnswer]:
        """What is different for one contact."""
        contact = self.records.contacts.get(id)
        if contact is None or contact.erased:
            return []
        for channel in Channel:
            contact = self._add(contact, channel)
        changed = []
        for channel in Channel:
            key = contact.key(channel)
            facts = self.records.addresses.get(key) if key else None
            after = _decide(self.service, self.records.key_value, contact, channel, facts)
            was, codes = before[channel]
            if after.answer is not was:
                why = _why(codes, after)
                changed.append(
                    ChangedAnswer(
                        contact=contact,
                        channel=channel,
                        before=was,
                        after=after.answer,
                        reason=why,
                    )
                )
        if changed:
            said = " ".join(f"{c.channel.word} is {c.after} now: {c.reason}" for c in changed)
            self.recorder.record(
                self.records.contacts.get(id),
                Noted(reason=f"By the rules of version {VERSION} {said}"),
            )
        return changed

    def _add(self, contact: Contact, channel: Channel) -> Contact:
        key = contact.key(channel)
        if key is None:
            return contact
        email = channel is Channel.EMAIL
        elsewhere = [
            consent
            for other, consent in contact.consents.items()
            if other != key and ("@" in other) is email
        ]
        returned = (contact.consent(channel).reason or "").startswith(RE_OPT_IN)
        if not returned and any(consent.refused for consent in elsewhere):
            contact = carry(self.recorder, contact, None, channel, actor=_CONTACT)
        known = self.log.facts.get(key)
        if (known and known.refusals) or not self.hashes.isdisjoint(
            self.service.hashes(key).keys()
        ):
            contact = gain(self.service, self.recorder, contact, channel, actor=_CONTACT)
        return contact


def _why(known: frozenset[Code], after: Decision) -> str:
    new = [gate.reason for gate in after.gates if gate.code not in known]
    said = new or [gate.reason for gate in after.gates]
    return " ".join(said) or "Nothing stands in the way any more."


def _answers(service: Service, addresses: Addresses, contact: Contact) -> dict[Channel, Was]:
    """What the earlier version answered: consents and facts by the address as it was shown."""
    answers = {}
    for channel in Channel:
        address, key = contact.address(channel), contact.key(channel)
        facts = addresses.get(address) if address else None
        default = service.senders[0] if service.senders else None
        if facts is not None and default is not None and channel is Channel.SMS:
            # It knew a sender by its id alone.
            mine = {name: block for name, block in facts.blocks.items() if default.has(name)}
            facts = replace(facts, blocks=mine)
        known = contact.consents.get(address) if address else None
        was = replace(contact, consents={key: known} if key and known else {})
        decision = decide(was, facts, channel)
        codes = frozenset(gate.code for gate in decision.gates)
        answers[channel] = (decision.answer, codes)
    return answers


def _decide(
    service: Service,
    key_value: KeyValue,
    contact: Contact,
    channel: Channel,
    facts: AddressFacts | None,
) -> Decision:
    senders = senders_of(service, key_value, *((facts,) if facts else ()))
    return decide(contact, facts, channel, senders.default, senders)
