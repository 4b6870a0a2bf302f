"""What an erasure leaves of a person: their refusals and lasting bounces, under a keyed hash."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from bot.consent.addresses import key_of
from bot.consent.frozen import replace
from bot.consent.log.apply import apply
from bot.consent.log.changes import Act, BounceChanged, Change, ConsentChanged
from bot.consent.log.entries import ACT, Entry, act_of, tells_of_address
from bot.consent.log.entries import of as whose
from bot.consent.model import AddressFacts, Bounce, Channel, ConsentValue, Contact, Origin
from bot.consent.use_cases.address_opt_outs import is_known
from bot.consent.use_cases.consent_history import refusals_of
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.record import Recorder, told_block, told_failures, told_marks
from bot.consent.use_cases.restate import restate
from bot.consent.use_cases.take_back_opt_outs import take_from_address


class OthersEntries:
    """What the entries of others tell of the addresses of a contact who is erased."""

    def __init__(self, keys: Iterable[str], but: Collection[str]) -> None:
        self.facts = {key: AddressFacts(address=key) for key in keys}
        #: Who has the last entry about an address.
        self.by: dict[str, str] = {}
        self._but = but

    def fold(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            key = key_of(entry.address) if entry.address else ""
            if key not in self.facts or entry.contact in self._but or entry.redacted:
                continue
            if tells_of_address(entry):
                # Only the address is of interest, but not whose record it is.
                changes = {ACT: (whose(entry), act_of(entry)), **(entry.changes or {})}
                alone = replace(entry, contact=None, changes=changes)
                _, facts = apply(alone, None, self.facts[key])
                assert facts is not None
                self.facts[key] = facts
                if entry.contact:
                    self.by[key] = entry.contact


def keep_refusals(
    service: Service, recorder: Recorder, contact: Contact, key: str, gone: Collection[str]
) -> None:
    """The refusals at the address, and Do not contact, under its hash: the newest of those that
    nobody can take back any more, and what was recorded of others."""
    records = recorder.records
    hashed = service.hashed(key)
    refused = refusals_of(records, contact, key)
    told = [(r.since, r.act, r.of) for r in records.addresses.get(key).refusals]
    # A record that the address has not was taken back.
    told += [(entry.occurred_at, "", "") for entry in refused if not act_of(entry)]
    kept = {(act, of): at for at, act, of in sorted(told) if act and of not in gone}
    since = [at for at, act, of in told if not act or of in gone]
    if final := _refused_since(recorder, contact, key, since):
        kept["", ""] = final
    for (act, of), at in sorted(kept.items()):
        if is_known(act, at, records.addresses.get(hashed).refusals):
            continue
        recorder.record(
            None,
            ConsentChanged(
                by=Origin.CONTACT,
                before=ConsentValue.UNSET,
                after=ConsentValue.NO,
                reason="Refused before erasure",
                act=Act(of=of or None, name=act),
            ),
            address=hashed,
            channel=address_channel(key),
            occurred_at=at,
        )


def _refused_since(
    recorder: Recorder, contact: Contact, key: str, since: list[datetime]
) -> datetime | None:
    """The newest of what nobody can take back."""
    facts = recorder.records.addresses.get(key)
    if contact.do_not_contact and key in contact.keys:
        since.append(recorder.now)
    # A reply that nobody has judged yet, and nobody can any more, counts as what it may be.
    others = any(holder.id != contact.id for holder in recorder.records.contacts.at(key))
    if facts.hold and not others:
        since.append(facts.hold.since)
    return max(since, default=None)


def leave_refusals(
    service: Service,
    recorder: Recorder,
    contact: Contact,
    told: OthersEntries,
    key: str,
    gone: Collection[str],
) -> None:
    """What is known of the address stays with whoever else has it; else blocks and a bounce stay
    under its hash, and with the address only what the log still tells."""
    records, channel = recorder.records, address_channel(key)
    facts, left = records.addresses.get(key), told.facts[key]
    taken_back = [r for r in left.refusals if not is_known(r.act, r.since, facts.refusals)]
    final = [replace(r, act="", of="") if r.of in gone else r for r in facts.refusals]
    facts = _with_lasting_bounce(replace(facts, refusals=tuple(final)), gone)
    others = [holder for holder in records.contacts.at(key) if holder.id != contact.id]
    # Who had the address before goes on telling of it, and nothing that was answered since.
    teller = others[0] if others else records.contacts.get(told.by.get(key, ""))
    if teller is not None and teller.erased:
        teller = None
    if not others:
        _hash(service, recorder, facts if teller is None else _without_failures(facts), channel)
    records.addresses.put(left)
    if teller is not None:
        restate(recorder, facts, left, teller, channel)
        for refusal in taken_back:
            take_from_address(
                recorder, key, channel, refusal.act, reason=_TAKEN_BACK, teller=teller.id
            )


def _without_failures(facts: AddressFacts) -> AddressFacts:
    """Soft failures that the address still tells must not count twice."""
    if facts.beneath is not None:
        return replace(facts, beneath=replace(facts.beneath, soft_failures=()))
    return replace(facts, soft_failures=())


def _with_lasting_bounce(facts: AddressFacts, gone: Collection[str]) -> AddressFacts:
    """No undo reaches what a file said of a contact who is gone."""
    left = tuple(mark for mark in facts.marks if mark.of not in gone)
    if len(left) == len(facts.marks):
        return facts
    lasting = replace(facts, beneath=None).deliverability
    return replace(facts, marks=left, beneath=lasting if left else None)


_TAKEN_BACK = "Taken back before an erasure"


def _hash(service: Service, recorder: Recorder, facts: AddressFacts, channel: Channel) -> None:
    """What is known of the address, as far as it is newer than what its hash knows."""
    hashed = service.hashed(facts.address)

    def say(change: Change, at: datetime | None) -> None:
        recorder.record(None, change, address=hashed, channel=channel, occurred_at=at)

    for name in {**facts.blocks, **facts.cleared}:
        state, since = facts.block(name)
        known, known_since = recorder.records.addresses.get(hashed).block(name)
        if since is None or (known_since is not None and known_since >= since):
            continue
        say(told_block(name, facts.blocks.get(name), known, state), since)
    _hash_bounce(recorder, facts, hashed, say)


def _hash_bounce(
    recorder: Recorder,
    facts: AddressFacts,
    hashed: str,
    say: Callable[[Change, datetime | None], None],
) -> None:
    known = facts.deliverability
    if known.bounce is not Bounce.NO and recorder.records.addresses.get(hashed).bounce is Bounce.NO:
        by = Origin.CONTACT if known.complaint else None
        say(BounceChanged(before=Bounce.NO, after=known.bounce, by=by), known.bounced_at)
    count = len(recorder.records.addresses.get(hashed).deliverability.soft_failures)
    for failed, at in told_failures(known, count):
        say(failed, at)
    for mark in told_marks(facts):
        say(mark, facts.bounced_at)


def address_channel(address: str) -> Channel:
    return Channel.EMAIL if "@" in address else Channel.SMS
