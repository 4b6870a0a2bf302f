"""Everything that Optin knows of one contact, with the proofs that it is in the Activity Log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from bot.consent.addresses import HASH, key_of
from bot.consent.errors import NotFound, Refused
from bot.consent.log.chain import GENESIS
from bot.consent.log.entries import (
    CHANGING,
    MERGED,
    Entry,
    EntryKind,
    is_own,
    is_refusal,
    tells_of_address,
)
from bot.consent.log.heads import LogHead
from bot.consent.model import Actor, Contact
from bot.consent.permissions import Action, authorize
from bot.consent.records import Log
from bot.consent.store import Records
from bot.consent.use_cases.accepted_losses import (
    AcceptedLoss,
    accepted_losses,
    loss_of_head,
)
from bot.consent.use_cases.contact_profile import Profile
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.log_tree import consistency, inclusions, present_head
from bot.consent.use_cases.look_up import profile_of
from bot.consent.use_cases.record import history
from bot.consent.use_cases.witnessed_heads import contradiction

#: What an erasure writes about addresses stands right before its own entry: so many at most.
_BEFORE_ERASURE = 200
#: Published heads that a pack has at most.
_MOST_HEADS = 100
_NO_PROOF = "The log proves nothing until somebody has found out why."
_NONE: Mapping[str, Sequence[LogHead]] = {}
#: How the actor of an import's entries begins.
_IMPORT = "import:"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEntry:
    """An entry of the log, and the proof that it is one."""

    entry: Entry
    #: The hash of the entry before.
    previous: str
    #: Of inclusion in the tree of the head (RFC 6962).
    proof: Sequence[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedHead:
    """An earlier head of the log that somebody outside keeps."""

    head: LogHead
    #: What keeps it, as the settings name it.
    witnesses: Sequence[str]
    #: That the log of the pack begins with the one of this head.
    consistency: Sequence[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class LostHead:
    """A head that somebody outside keeps, and that the log does not have: a person accepted that
    the log lost its end."""

    head: LogHead
    witnesses: Sequence[str]
    #: `seq` of the entry that says who accepted it.
    accepted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactEvidence:
    """What an evidence pack says of one contact."""

    profile: Profile
    #: The oldest first: the contact's, those of contacts that became one with this one, those of
    #: others about the same addresses, and those of `losses`.
    entries: Sequence[LoggedEntry]
    #: The log that they are in.
    head: LogHead
    #: The oldest first.
    published: Sequence[PublishedHead]
    #: What was lost of the log, the oldest first: entries about this contact may have been in it.
    losses: Sequence[AcceptedLoss]
    #: The smallest first.
    lost: Sequence[LostHead]
    #: The files that some of the entries came from, by the actor of these.
    files: Mapping[str, str]
    made_at: datetime

    @property
    def contact(self) -> Contact:
        return self.profile.contact


def collect_evidence(
    service: Service, id: str, actor: Actor, *, heads: Mapping[str, Sequence[LogHead]] = _NONE
) -> ContactEvidence:
    """Reads it all in one state of the storage. `heads` are those that witnesses remember, by the
    witness's name.

    Raises `NotFound`, and `NotAllowed` for whoever is no manager. Raises `Refused` where a witness
    remembers what the log contradicts: that log proves nothing.
    """
    authorize(actor, Action.EVIDENCE)
    now = service.now()
    with service.store.reading() as records:
        contact = records.contacts.get(id)
        if contact is None:
            raise NotFound
        head = present_head(records, now)
        losses = accepted_losses(records)
        entries = chain(_entries(records, contact), (loss.entry for loss in losses))
        found = dict(sorted({e.seq: e for e in entries}.items()))
        proofs = inclusions(records, found, head.size)
        published, lost = _published(records, head, heads, losses)
        return ContactEvidence(
            profile=profile_of(service, records, contact),
            entries=[
                LoggedEntry(entry=entry, previous=_hash_at(records.log, seq - 1), proof=proof)
                for (seq, entry), proof in zip(found.items(), proofs, strict=True)
            ],
            head=head,
            published=published,
            losses=losses,
            lost=lost,
            files=_files(records, found.values()),
            made_at=now,
        )


def _published(
    records: Records,
    head: LogHead,
    heads: Mapping[str, Sequence[LogHead]],
    losses: Sequence[AcceptedLoss],
) -> tuple[list[PublishedHead], list[LostHead]]:
    """The newest of the heads that were published, each once: those that the log has, and those
    that it lost."""
    witnesses: dict[tuple[int, str, str], list[str]] = {}
    first: dict[tuple[int, str, str], LogHead] = {}
    for name, remembered in heads.items():
        for one in remembered[-_MOST_HEADS:]:
            key = one.size, one.chain, one.root
            if name not in witnesses.setdefault(key, []):
                witnesses[key].append(name)
            first[key] = min(one, first.get(key, one), key=lambda known: known.at)
    missing = {key: loss_of_head(records, one, losses) for key, one in first.items()}
    lost = [
        LostHead(head=first[key], witnesses=witnesses[key], accepted=loss.entry.seq)
        for key in sorted(missing)
        if (loss := missing[key]) is not None
    ]
    newest = sorted(key for key, loss in missing.items() if loss is None)[-_MOST_HEADS:]
    for key in newest:
        if problem := contradiction(records, first[key]):
            raise Refused(f"{', '.join(witnesses[key])}: {problem} {_NO_PROOF}")
    published = [
        PublishedHead(
            head=first[key],
            witnesses=witnesses[key],
            consistency=consistency(records, first[key].size, head.size),
        )
        for key in newest
    ]
    return published, lost[-_MOST_HEADS:]


def _hash_at(log: Log, seq: int) -> str:
    return log.hashes(seq - 1, 1)[0] if seq else GENESIS


def _files(records: Records, entries: Iterable[Entry]) -> dict[str, str]:
    actors = sorted({entry.actor for entry in entries if entry.actor.startswith(_IMPORT)})
    known = ((actor, records.imports.get(actor.removeprefix(_IMPORT))) for actor in actors)
    return {actor: imported.file for actor, imported in known if imported is not None}


def _entries(records: Records, contact: Contact) -> Iterator[Entry]:
    own = _histories(records.log, contact.id)
    entries = list(chain.from_iterable(own.values()))
    yield from entries
    if contact.erased:
        yield from _hashed(records.log, entries)
        return
    for key in sorted(_keys(contact, entries)):
        for entry in records.log.of_address(key):
            if entry.contact not in own and _bears_on_others(entry):
                yield entry


def _histories(log: Log, id: str) -> dict[str, list[Entry]]:
    """The contact's entries, and those of all who became one with them, by id."""
    found: dict[str, list[Entry]] = {}
    left = [id]
    while left:
        one = left.pop()
        found[one] = list(history(log, one))
        pairs = [(entry.changes or {}).get(MERGED) for entry in found[one]]
        left += [id for pair in pairs if pair and (id := str(pair[0])) not in found]
    return found


def _bears_on_others(entry: Entry) -> bool:
    """Whether the entry counts for whoever has the address. Nothing else of another contact's log
    belongs here, nor what reached that contact from this one."""
    counts = entry.kind in CHANGING or is_refusal(entry)
    return counts and tells_of_address(entry) and is_own(entry)


def _keys(contact: Contact, entries: Iterable[Entry]) -> set[str]:
    """Of the contact's addresses, former ones too."""
    told = {entry.address for entry in entries if entry.address}
    return {*contact.keys, *contact.consents, *map(key_of, told)}


def _hashed(log: Log, own: Iterable[Entry]) -> Iterator[Entry]:
    """What an erasure kept of the addresses, under their keyed hashes: it stands right before the
    entry that says that the contact was erased."""
    for erased in own:
        if erased.kind is not EntryKind.ERASED:
            continue
        for entry in log.entries(before=erased.seq, limit=_BEFORE_ERASURE):
            if entry.recorded_at != erased.recorded_at or entry.actor != erased.actor:
                break
            if entry.contact is None and (entry.address or "").startswith(HASH):
                yield entry
