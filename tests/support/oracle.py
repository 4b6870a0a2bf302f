"""An independent oracle: rules.md as a list of facts and questions about that list.

It is written from rules.md alone and imports nothing of Optin. Nothing is stored but the facts that
were heard, in the order in which they were heard. Every question goes through the whole list again.
A record that was taken back is skipped as if nobody had made it (§6).

Addresses are keys (§2a). A contact is a name that is never used twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

YES, NO, UNSET = "YES", "NO", "UNSET"
SMS, EMAIL = "sms", "email"
BLOCKED, UNKNOWN, NONE = "blocked", "unknown", "none"
UNDO_WITHIN = timedelta(minutes=15)
CONFIRMED_WITHIN = timedelta(minutes=5)
EXPIRES_AFTER = timedelta(days=14)
SOFT_WITHIN, SOFT_LIMIT = timedelta(days=30), 3
#: These gates leave the answer open: 🟡, not 🔴 (§3).
UNSURE = {"block_unknown", "probation"}


@dataclass(frozen=True, kw_only=True)
class Fact:
    #: When Optin heard it.
    told: datetime
    #: The place in the list.
    n: int = -1
    #: The record that this fact is a part of, a row of a file as `file/row`. Only records can be
    #: taken back.
    record: str = ""


@dataclass(frozen=True, kw_only=True)
class Held(Fact):
    """From now on the contact has this address, or none."""

    contact: str
    channel: str
    address: str | None


@dataclass(frozen=True, kw_only=True)
class OptOut(Fact):
    """An opt-out by the contact, which the address keeps (§2)."""

    address: str
    #: When the contact acted.
    at: datetime
    #: On whose card or row a person or a file recorded it. It belongs to that contact and moves
    #: along (§2). None for a STOP, an unsubscribe, a complaint, or a reply that was read.
    contact: str | None = None
    actor: str = ""
    from_file: bool = False
    #: It counts only for whoever takes the address later.
    for_later: bool = False


@dataclass(frozen=True, kw_only=True)
class SaidYes(Fact):
    contact: str
    address: str
    #: The date of the evidence. None for an import's YES without any.
    agreed: datetime | None
    #: The case that gave it.
    by_case: bool = False


@dataclass(frozen=True, kw_only=True)
class StaffNo(Fact):
    """Wrong person, correction, or our own side's suppression: this contact alone (§2)."""

    contact: str
    address: str
    actor: str = ""


@dataclass(frozen=True, kw_only=True)
class CarrierNo(Fact):
    """A failed send showed an opt-out that is newer than the consent (§4). It is not an opt-out of
    the address (§2)."""

    contact: str
    address: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Blocked(Fact):
    """A carrier's block, or an entry of an e-mail provider's suppression list (§2b, §4)."""

    address: str
    sender: Sender
    at: datetime
    state: str = BLOCKED
    #: When the contact texted STOP, which Optin confirms within five minutes.
    stop: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Lifted(Fact):
    address: str
    sender: Sender
    at: datetime
    #: A manager says that the entry was removed at the provider: whatever was seen is gone (§4).
    removed: bool = False


@dataclass(frozen=True, kw_only=True)
class Expected(Fact):
    """The error of the confirmation of this STOP (§4)."""

    stop: int


@dataclass(frozen=True, kw_only=True)
class Bounced(Fact):
    address: str
    at: datetime
    complaint: bool = False
    #: Whose row it was, where a file said so.
    contact: str | None = None


@dataclass(frozen=True, kw_only=True)
class SoftFailure(Fact):
    address: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Delivered(Fact):
    address: str
    at: datetime
    sent: datetime | None


@dataclass(frozen=True, kw_only=True)
class Cleared(Fact):
    """A person cleared the bounce: the next message is the test."""

    address: str


@dataclass(frozen=True, kw_only=True)
class FreeText(Fact):
    """A probable refusal, which a person has to read until the deadline (§5)."""

    address: str
    at: datetime
    deadline: datetime


@dataclass(frozen=True, kw_only=True)
class WasRead(Fact):
    """Somebody read what this address had written."""

    address: str


@dataclass(frozen=True, kw_only=True)
class DoNotContact(Fact):
    contact: str
    on: bool


@dataclass(frozen=True, kw_only=True)
class Gone(Fact):
    """The contact was erased, removed with its import, or merged into another one."""

    contact: str


@dataclass(frozen=True, kw_only=True)
class TakenBack(Fact):
    """A record that no longer counts."""

    what: str


@dataclass(frozen=True, kw_only=True)
class Member(Fact):
    """An event named our number and its service together (§2b)."""

    number: str
    service: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Retired(Fact):
    """The company no longer uses this sender or provider (§2b)."""

    name: str


@dataclass(frozen=True)
class Sender:
    """What an event names: our number, its service, or both. For e-mail the provider's list stands
    in place of the service, as `sendgrid/unsubscribe/news` (provider, cause, scope)."""

    number: str | None = None
    service: str | None = None


@dataclass(frozen=True)
class Group:
    """A group of `OPTIN_SENDERS` (§2b): numbers, each toll-free or not."""

    id: str
    numbers: dict[str, bool] = field(hash=False, default_factory=dict)
    service: str | None = None


@dataclass
class Case:
    """A re-opt-in (§6)."""

    contact: str
    channel: str
    address: str
    agreed: datetime
    asked_by: str
    asked: datetime
    #: The place in the list of facts at which it was asked for.
    n: int
    state: str = "pending"
    decided_by: str | None = None

    @property
    def open(self) -> bool:
        return self.state in ("pending", "approved")


F = TypeVar("F", bound=Fact)


class Oracle:
    """What was heard so far, and what follows from it."""

    def __init__(self, groups: Sequence[Group] = (), *, self_approve: bool = False) -> None:
        self.groups = groups
        self.self_approve = self_approve
        self.facts: list[Fact] = []
        self.cases: list[Case] = []

    def add(self, fact: Fact) -> None:
        self.facts.append(replace(fact, n=len(self.facts)))

    def all(self, kind: type[F]) -> Iterator[F]:
        """The facts of this kind whose record was not taken back (§6)."""
        gone = {f.what for f in self.facts if isinstance(f, TakenBack)}
        return (
            f
            for f in self.facts
            if isinstance(f, kind) and not gone & {f.record, f.record.partition("/")[0]}
        )

    def before(self, n: int) -> Oracle:
        """The oracle as it was, but for records that were taken back since."""
        past = Oracle(self.groups)
        past.facts = [f for f in self.facts if f.n < n or isinstance(f, TakenBack)]
        return past

    # Who has what

    def address(self, contact: str, channel: str, at: datetime | None = None) -> str | None:
        """The present address, or the one at that time."""
        held = [
            f.address
            for f in self.all(Held)
            if (f.contact, f.channel) == (contact, channel) and (at is None or f.told <= at)
        ]
        return held[-1] if held else None

    def contacts(self) -> list[str]:
        gone = {f.contact for f in self.all(Gone)}
        return [c for c in dict.fromkeys(f.contact for f in self.all(Held)) if c not in gone]

    def contacts_at(self, address: str) -> list[str]:
        return [
            c for c in self.contacts() if address in (self.address(c, SMS), self.address(c, EMAIL))
        ]

    # Consent

    def opt_outs(self, contact: str, address: str) -> list[OptOut | CarrierNo]:
        """The refusals that count for this contact at this address (§2, "When it stops counting").

        A completed case of this contact for this address ends what was told before it. An opt-out
        out of a file is only a note where a YES stood that rests on a completed case, or on
        evidence that is newer (§4, import row).
        """
        yes = [f for f in self.all(SaidYes) if (f.contact, f.address) == (contact, address)]
        ended = max((f.n for f in yes if f.by_case), default=-1)

        words = [
            *yes,
            *(f for f in self.all(StaffNo) if (f.contact, f.address) == (contact, address)),
        ]

        def is_note(o: OptOut) -> bool:
            stood = max((w for w in words if w.n < o.n), key=lambda w: w.n, default=None)
            if not o.from_file or not isinstance(stood, SaidYes):
                return False
            return stood.by_case or (stood.agreed is not None and stood.agreed > o.at)

        came = max(
            (f.n for f in self.all(Held) if f.contact == contact and f.address == address),
            default=-1,
        )
        told: list[OptOut | CarrierNo] = [
            o
            for o in self.all(OptOut)
            if o.address == address and not is_note(o) and not (o.for_later and came < o.n)
        ]
        told += [o for o in self.all(CarrierNo) if (o.contact, o.address) == (contact, address)]
        return sorted((o for o in told if o.n > ended), key=lambda o: o.n)

    def refused(self, contact: str, channel: str) -> bool:
        """NO, by the contact: YES takes a case (§6)."""
        address = self.address(contact, channel)
        return address is not None and bool(self.opt_outs(contact, address))

    def consent(self, contact: str, channel: str) -> SaidYes | StaffNo | None:
        """What stands where the contact did not refuse: the latest word of staff, files, cases."""
        here = (contact, self.address(contact, channel))
        words = [*self.all(SaidYes), *self.all(StaffNo)]
        return max(
            (w for w in words if (w.contact, w.address) == here), key=lambda w: w.n, default=None
        )

    def on(self, contact: str, channel: str) -> str:
        if self.refused(contact, channel):
            return NO
        word = self.consent(contact, channel)
        return UNSET if word is None else YES if isinstance(word, SaidYes) else NO

    def no_contact(self, contact: str) -> bool:
        marks = [f.on for f in self.all(DoNotContact) if f.contact == contact]
        return bool(marks) and marks[-1]

    # Carriers, and the lists of e-mail providers

    def group(self, sender: Sender) -> str:
        """The group under which a block is kept (§2b): one of OPTIN_SENDERS, else the service,
        else the number. What is learned from events counts, the newest first."""
        learned = {f.number: f.service for f in sorted(self.all(Member), key=lambda f: (f.at, f.n))}
        service = sender.service or learned.get(sender.number or "")
        ours = {sender.number} | {n for n, s in learned.items() if service and s == service}
        for group in self.groups:
            if (service and service == group.service) or ours & group.numbers.keys():
                return group.id
        return service or sender.number or "?"

    def own(self, sender: Sender) -> str | None:
        """A toll-free number that belongs to a larger group has a block of its own besides."""
        number = sender.number
        if number is None or not self.is_toll_free(number) or self.group(sender) == number:
            return None
        alone = any(list(g.numbers) == [number] and not g.service for g in self.groups)
        learned = any(f.number == number for f in self.all(Member))
        return number if learned or sender.service or not alone else None

    def is_toll_free(self, number: str) -> bool:
        for group in self.groups:
            if number in group.numbers:
                return group.numbers[number]
        return number.startswith(("+1800", "+1888"))

    def keys(self, sender: Sender) -> set[str]:
        """Under which a block of this sender is kept, and what an UNSTOP to it or a delivery from
        it lifts: the group's, and the number's own. It never lifts another number's own."""
        return {key for key in (self.group(sender), self.own(sender)) if key}

    def stands(self, block: Blocked, key: str) -> bool:
        """The newest act wins by when it happened, ties go to the block (§8.5). What a manager says
        was removed at the provider is all that was known then: what arrives later blocks again,
        whatever its time (§4)."""
        return not any(
            key in self.keys(lift.sender)
            and (lift.n > block.n if lift.removed else lift.at > block.at)
            for lift in self.all(Lifted)
            if lift.address == block.address
        )

    def certain(self, block: Blocked, key: str) -> bool:
        """What is known to be blocked is not made unknown by a vaguer word, whichever is older."""
        return block.state == BLOCKED or any(
            other.state == BLOCKED
            and other.address == block.address
            and key in self.keys(other.sender)
            and self.before(max(block.n, other.n)).stands(other, key)
            for other in self.all(Blocked)
        )

    def blocks(self, address: str) -> dict[str, str]:
        """State by key."""
        retired = {f.name for f in self.all(Retired)}
        found: dict[str, str] = {}
        for block in self.all(Blocked):
            for key in self.keys(block.sender) if block.address == address else ():
                names = {key, self._group_of_key(key), key.partition("/")[0]}
                if self.stands(block, key) and not retired & names:
                    certain = self.certain(block, key) or found.get(key) == BLOCKED
                    found[key] = BLOCKED if certain else UNKNOWN
        return found

    def _group_of_key(self, key: str) -> str:
        """The group to which a key belongs: that of its number, for a toll-free number's own."""
        return self.group(Sender(number=key)) if key.startswith("+") else key

    def blocks_for(self, address: str, group: str | None) -> dict[str, str]:
        """The blocks that count for one of our groups: its own, its toll-free numbers', and every
        block whose group is unknown. Without a group every block counts (§2b)."""
        known = {g.id for g in self.groups}
        return {
            key: state
            for key, state in self.blocks(address).items()
            if group is None
            or self._group_of_key(key) == group
            or self._group_of_key(key) not in known
        }

    # Deliverability

    def bounce(self, address: str) -> tuple[str, bool]:  # noqa: C901 - a table of kinds of facts
        """NO, YES or PROBATION, and whether it is a complaint (§4)."""
        state, since, complaint, proved = NO, None, False, None
        soft: list[datetime] = []
        for fact in self.all(Fact):
            if getattr(fact, "address", None) != address:
                continue
            if isinstance(fact, SoftFailure) and state != YES:
                soft = sorted([*soft, fact.at])
                if _too_many(soft):
                    state, since, complaint, soft = YES, fact.at, False, []
            elif isinstance(fact, Bounced) and fact.contact and state == YES:
                continue  # A file that repeats what is known is no new bounce.
            elif isinstance(fact, Bounced) and (fact.complaint or not proved or fact.at >= proved):
                complaint = fact.complaint or (complaint and state == YES)
                since = max(since, fact.at) if since and state == YES else fact.at
                state, soft = YES, []
            elif isinstance(fact, Cleared):
                state, since, complaint, soft = "PROBATION", fact.told, False, []
            elif isinstance(fact, Delivered) and not complaint:
                if state == YES and since and fact.sent and fact.sent > since:
                    state, proved, soft = NO, fact.sent, []
                elif state == "PROBATION" and since and (fact.sent or fact.at) >= since:
                    state, proved, soft = NO, fact.sent or fact.at, []
                elif state == NO:
                    soft = [at for at in soft if at > fact.at]
        return state, complaint

    def is_blocked(
        self, address: str, sender: Sender, at: datetime, now: datetime, state: str = BLOCKED,
        stop: datetime | None = None,
    ) -> None:  # fmt: skip
        self.add(Blocked(told=now, address=address, sender=sender, at=at, state=state, stop=stop))

    # Free texts

    def hold(self, address: str) -> FreeText | None:
        """The first text that waits for somebody's reading (§5)."""
        waiting = None
        for fact in self.all(Fact):
            if isinstance(fact, FreeText) and fact.address == address and waiting is None:
                waiting = fact
            if isinstance(fact, WasRead) and fact.address == address:
                waiting = None
        return waiting

    # The decision

    def gates(self, contact: str, channel: str, group: str | None = None) -> set[str]:
        """Every failing gate (§3); `opted_out` with whose NO it is."""
        gates = {"do_not_contact"} if self.no_contact(contact) else set()
        address = self.address(contact, channel)
        if address is None:
            return gates | {"no_address"}
        if self.refused(contact, channel):
            gates.add("opted_out:manager")
        elif self.on(contact, channel) != YES:
            gates.add("never_asked" if self.on(contact, channel) == UNSET else "opted_out:agent")
        for state in self.blocks_for(address, group if channel == SMS else None).values():
            blocked = "carrier_block" if channel == SMS else "suppressed"
            gates.add(blocked if state == BLOCKED else "block_unknown")
        bounce, complaint = self.bounce(address)
        if bounce == YES:
            gates.add("complaint" if complaint else "bounced")
        elif bounce == "PROBATION":
            gates.add("probation")
        if self.hold(address):
            gates.add("review_hold")
        return gates

    def answer(self, contact: str, channel: str, group: str | None = None) -> str:
        gates = self.gates(contact, channel, group)
        return "no" if gates - UNSURE else "unverified" if gates else "yes"

    # What people do

    def holds(self, contact: str, channel: str, address: str | None, now: datetime) -> None:
        """A new address. What a person or a file recorded of the contact goes along (§2)."""
        had = [f for f in self.all(Held) if (f.contact, f.channel) == (contact, channel)]
        last = next((f.address for f in reversed(had) if f.address), None)
        goes_along = [
            o
            for o in (self.opt_outs(contact, last) if last else [])
            if isinstance(o, OptOut) and o.contact == contact
        ]
        self.add(Held(told=now, contact=contact, channel=channel, address=address))
        if address is not None and address != last:
            for opt_out in goes_along:
                self.add(replace(opt_out, address=address, from_file=False))
        self.look_at_cases(now)

    def wants_no(
        self, contact: str, channel: str, actor: str, record: str, by_staff: bool, now: datetime
    ) -> None:
        """A person records NO (§2, §6): the contact's wish reaches every contact with the address;
        "wrong person" and "correction" stay on this one."""
        address = self.address(contact, channel)
        assert address is not None
        if not by_staff:
            self.add(
                OptOut(
                    told=now,
                    record=record,
                    address=address,
                    at=now,
                    contact=contact,
                    actor=actor,
                )
            )
        elif not isinstance(self.consent(contact, channel), StaffNo):
            self.add(
                StaffNo(told=now, record=record, contact=contact, address=address, actor=actor)
            )
        self.look_at_cases(now)

    def wants_yes(
        self, contact: str, channel: str, evidence: bool, record: str, now: datetime
    ) -> str:
        """A person records YES (§6): "taken", "nothing", or why not."""
        address = self.address(contact, channel)
        if address is None:
            return "Invalid"
        word = self.consent(contact, channel)
        if self.refused(contact, channel):
            return "NeedsManager"
        if isinstance(word, SaidYes) and (word.agreed or not evidence):
            return "nothing"
        if not evidence:
            return "NeedsEvidence"
        self.add(SaidYes(told=now, record=record, contact=contact, address=address, agreed=now))
        self.look_at_cases(now)
        return "taken"

    def slip(self, contact: str, channel: str, actor: str, now: datetime) -> str | None:
        """The record that this person may take back as their own slip: their YES → NO, at most 15
        minutes old, if no refusal by the contact lies between (§6)."""
        address = self.address(contact, channel)
        words: list[OptOut | StaffNo] = [*self.all(OptOut), *self.all(StaffNo)]
        for word in sorted(words, key=lambda w: -w.n):
            own = (word.address, word.actor) == (address, actor)
            if isinstance(word, StaffNo) and word.contact != contact:
                continue  # It is that contact's alone (§2).
            if own and self.before(word.n).on(contact, channel) == YES:
                told = self.opt_outs(contact, address or "")
                later = any(o.n > word.n and o.record != word.record for o in told)
                in_time = now - word.told <= UNDO_WITHIN
                return (word.record or None) if in_time and not later else None
        return None

    def mistake(self, contact: str, channel: str) -> str | None:
        """The newest record of a person or a file that makes this contact's NO; of those of one
        file the contact's own, or the first. What the contact did can't be taken back (§6)."""
        address = self.address(contact, channel)
        if address is None or self.on(contact, channel) != NO:
            return None
        word = self.consent(contact, channel)
        told: list[Fact] = [*self.opt_outs(contact, address)]
        told += [word] if isinstance(word, StaffNo) else []
        records = sorted((f for f in told if f.record), key=lambda f: f.n)
        newest = records[-1] if records else None
        if isinstance(newest, OptOut) and newest.from_file:
            file = newest.record.partition("/")[0]
            rows = [o for o in records if isinstance(o, OptOut) and o.from_file]
            rows = [o for o in rows if o.record.startswith(f"{file}/")]
            newest = next((o for o in rows if o.contact == contact), rows[0])
        return newest.record if newest else None

    def hides(self, contact: str, channel: str, record: str) -> bool:
        """Whether something newer, which can't be taken back, stands beside this record of another
        contact: whoever came later may be shown that alone, and taking it back changes nothing."""
        told = self.opt_outs(contact, self.address(contact, channel) or "")
        at = max((o.at for o in told if o.record == record), default=None)
        others = all(o.contact != contact for o in told if o.record == record)
        return others and at is not None and any(not o.record and o.at >= at for o in told)

    def take_back(self, record: str, now: datetime) -> None:
        """With its effects on other contacts and on the address (§6)."""
        self.add(TakenBack(told=now, what=record))
        self.look_at_cases(now)

    def clears_bounce(self, contact: str, channel: str, manager: bool, now: datetime) -> str:
        address = self.address(contact, channel)
        bounce, complaint = self.bounce(address) if address else (NO, False)
        if address is None or bounce != YES:
            return "nothing"
        if complaint and not manager:
            return "NotAllowed"
        self.add(Cleared(told=now, address=address))
        return "taken"

    def erases(self, contact: str, now: datetime) -> None:
        """What is known of the addresses stays, and no undo reaches what was recorded of this
        contact any more: nobody can say of what is erased that it was a mistake. Do not contact
        becomes an opt-out (§2, §8.15). What was recorded of others can still be taken back (§6)."""
        kept = [f for f in (*self.all(OptOut), *self.all(Bounced)) if f.contact == contact]
        self.facts = [replace(f, record="") if f in kept else f for f in self.facts]
        if self.no_contact(contact):
            for address in filter(None, (self.address(contact, SMS), self.address(contact, EMAIL))):
                self.add(OptOut(told=now, address=address, at=now))
        for address in {f.address for f in self.all(Held) if f.contact == contact and f.address}:
            known = [o for o in self.all(OptOut) if o.address == address and not o.for_later]
            refused = [*known, *(n for n in self.opt_outs(contact, address) if n not in known)]
            done = [o.at for o in refused if not o.record]
            if done:
                self.add(OptOut(told=now, address=address, at=max(done), for_later=True))
            for o in known:
                if o.record:
                    self.add(replace(o, told=now, for_later=True))
        had = {f.address for f in self.all(Held) if f.contact == contact}
        self.leaves(contact, now)
        for address in sorted(filter(None, had)):
            if self.hold(address) and not self.contacts_at(address):
                self.reads(address, True, now)  # nobody can read it any more

    def leaves(self, contact: str, now: datetime) -> None:
        self.add(Gone(told=now, contact=contact))
        self.look_at_cases(now)

    def merges(self, kept: str, merged: str, now: datetime) -> None:
        """One of two records (NO wins, and nothing of the log is lost; rules.md §8.3, §8.16).

        The one that stays gets the addresses that it lacks. A NO of the other one counts for it at
        its own address; a YES of the other one fills only UNSET, at the same address.
        """
        for channel in (SMS, EMAIL):
            theirs = self.address(merged, channel)
            if theirs is None:
                continue
            said, word, refusals = (
                self.on(merged, channel),
                self.consent(merged, channel),
                self.opt_outs(merged, theirs),
            )
            if self.address(kept, channel) is None:
                self.holds(kept, channel, theirs, now)
            here = self.address(kept, channel) or ""
            known = self.opt_outs(kept, here)
            for refusal in refusals:
                # What was the other one's own goes along with the one that stays from now on (§2).
                if refusal not in known or refusal.contact == merged:
                    contact = kept if refusal.contact == merged else refusal.contact
                    if isinstance(refusal, OptOut):  # NO wins, also over a YES that is newer
                        refusal = replace(refusal, from_file=False, actor="")
                    self.add(replace(refusal, address=here, contact=contact))
            if isinstance(word, StaffNo) and self.on(kept, channel) != NO:
                self.add(replace(word, contact=kept, address=here, actor=""))  # nobody's slip
            if said == YES and word and self.on(kept, channel) == UNSET and here == theirs:
                self.add(replace(word, contact=kept))
        if self.no_contact(merged) and not self.no_contact(kept):
            self.add(DoNotContact(told=now, contact=kept, on=True))
        self.leaves(merged, now)

    # Files

    def imports(
        self, contact: str, channel: str, wanted: str, agreed: datetime | None, proof: bool,
        file: str, now: datetime,
    ) -> None:  # fmt: skip
        """One channel of a row (§4). An opt-out without a date is as old as the first sighting of
        the address on such a list."""
        address = self.address(contact, channel)
        if address is None:
            return
        if wanted == NO:
            seen = [o.at for o in self.all(OptOut) if o.from_file and o.address == address]
            self.add(
                OptOut(
                    told=now, record=f"{file}:opt-outs/{contact}/{channel}", address=address,
                    at=min(seen, default=now), contact=contact, from_file=True,
                )
            )  # fmt: skip
        elif wanted == YES and not self.refused(contact, channel):
            word = self.consent(contact, channel)
            unproven = isinstance(word, SaidYes) and word.agreed is None
            if any(map(self.no_contact, self.contacts_at(address))):
                return
            if word is None or (unproven and proof):
                dated = (agreed or now) if proof else None
                self.add(
                    SaidYes(told=now, record=file, contact=contact, address=address, agreed=dated)
                )
        self.look_at_cases(now)

    # Cases

    def open_case(self, contact: str, channel: str) -> Case | None:
        found = [c for c in self.cases if (c.contact, c.channel) == (contact, channel) and c.open]
        return found[0] if found else None

    def asks(self, contact: str, channel: str, agreed: datetime, actor: str, now: datetime) -> str:
        """Evidence has to be newer than every refusal (§6). "taken", or why not."""
        self.look_at_cases(now)
        address = self.address(contact, channel)
        if address is None:
            return "Invalid"
        if not self.refused(contact, channel) or self.open_case(contact, channel):
            return "Refused"
        if agreed <= max(o.at for o in self.opt_outs(contact, address)):
            return "Refused"
        self.cases.append(
            Case(
                contact=contact, channel=channel, address=address, agreed=agreed, asked_by=actor,
                asked=now, n=len(self.facts),
            )
        )  # fmt: skip
        return "taken"

    def decides(self, case: Case, word: str, actor: str, manager: bool, now: datetime) -> str:
        """A manager at this moment, and not the one who asked (§6)."""
        self.look_at_cases(now)
        own = case.asked_by == actor
        if not manager and not (word == "cancelled" and own):
            return "NotAllowed"
        if word == "approved" and case.state == "pending" and own and not self.self_approve:
            return "NotAllowed"
        if not (case.open if word == "cancelled" else case.state == "pending"):
            return "lost"
        case.state, case.decided_by = word, actor
        self.look_at_cases(now)
        return "won"

    def look_at_cases(self, now: datetime) -> None:
        """What voids a case, and what completes it (§6)."""
        for case in self.cases:
            if not case.open:
                continue
            here = self.address(case.contact, case.channel)
            refusals = self.opt_outs(case.contact, case.address)
            if now >= case.asked + EXPIRES_AFTER:
                case.state = "expired"
            elif case.contact not in self.contacts() or here != case.address or not refusals:
                case.state = "cancelled"
            elif any(o.n >= case.n and o.at >= case.agreed for o in refusals):
                case.state = "overtaken"
            elif case.state == "approved" and not self.keys_missing(case):
                case.state = "completed"
                self.add(
                    SaidYes(
                        told=now, contact=case.contact, address=case.address, agreed=case.agreed,
                        by_case=True,
                    )
                )  # fmt: skip

    def keys_missing(self, case: Case) -> list[str]:
        """The senders to which the contact has to text UNSTOP: only where a carrier block stands.
        An e-mail provider's list is a gate and not a key (§6, §4)."""
        if case.channel == EMAIL:
            return []
        return [key for key, state in self.blocks(case.address).items() if state == BLOCKED]

    # What providers tell

    def hears(self, sender: Sender, at: datetime, now: datetime) -> None:
        """Membership is learned from any event that names both (§2b)."""
        if sender.number and sender.service:
            self.add(Member(told=now, number=sender.number, service=sender.service, at=at))

    def stops(self, address: str, sender: Sender, at: datetime, block: str, now: datetime) -> None:
        """A block word, or a refusal that is none (§4, §5)."""
        self.add(OptOut(told=now, address=address, at=at))
        if block != NONE:
            self.is_blocked(address, sender, at, now, block, stop=at)
        self.look_at_cases(now)

    def writes(self, address: str, at: datetime, deadline: datetime, now: datetime) -> None:
        """A probable refusal. Whoever refused already, and asks for nothing, has refused again."""
        here = self.contacts_at(address)
        over = [bool(self.opt_outs(c, address)) for c in here] or [
            any(o.address == address for o in self.all(OptOut))
        ]
        under_way = any(self.open_case(c, SMS) for c in here)
        if self.hold(address) is None and all(over) and not under_way:
            self.add(OptOut(told=now, address=address, at=at))
        else:
            self.add(FreeText(told=now, address=address, at=at, deadline=deadline))
        self.look_at_cases(now)

    def reads(self, address: str, refusal: bool, now: datetime) -> None:
        """Somebody's reading of what is held; or the deadline, which makes it a refusal (§10)."""
        held = self.hold(address)
        assert held is not None
        self.add(WasRead(told=now, address=address))
        if refusal:
            self.add(OptOut(told=now, address=address, at=held.at))
        self.look_at_cases(now)

    def time_passes(self, now: datetime) -> None:
        held = [self.hold(a) for a in {f.address for f in self.all(FreeText)}]
        for text in held:
            if text is not None and now >= text.deadline:
                self.reads(text.address, True, now)
        self.look_at_cases(now)

    def unstops(self, address: str, sender: Sender, at: datetime, word: str, now: datetime) -> None:
        """UNSTOP and START lift the block of that sender alone (§8.4). YES does only where the
        number is not toll-free and a block is known (§5). Consent stays as it is."""
        if word == "YES":
            blocked = self.blocks(address).get(self.group(sender)) == BLOCKED
            if not blocked or (sender.number and self.is_toll_free(sender.number)):
                return
        self.add(Lifted(told=now, address=address, sender=sender, at=at))
        self.look_at_cases(now)

    def delivers(
        self, address: str, sender: Sender, at: datetime, sent: datetime | None, now: datetime
    ) -> None:
        """Lifts what began before the message was sent, unless it is the confirmation (§4)."""
        sms = "@" not in address
        known = self.blocks(address).keys() & self.keys(sender)
        if sms and known and sent and self.confirmed_stop(address, sender, sent, sent) is None:
            self.add(Lifted(told=now, address=address, sender=sender, at=sent))
        self.add(Delivered(told=now, address=address, at=at, sent=sent))
        self.look_at_cases(now)

    def confirmed_stop(
        self, address: str, sender: Sender, sent: datetime, at: datetime
    ) -> Blocked | None:
        """The STOP whose confirmation this message may be: at most five minutes old, to the same
        sender, and not taken back by an UNSTOP before the message was sent (§4)."""
        group = self.group(sender)
        lifts = [
            f.at for f in self.all(Lifted) if f.address == address and self.group(f.sender) == group
        ]
        stops = [
            (b.stop, b.n, b)
            for b in self.all(Blocked)
            if b.stop and b.address == address and self.group(b.sender) == group
        ]
        for stopped, _, stop in sorted(stops, reverse=True, key=lambda s: s[:2]):
            in_time = stopped <= sent and at - stopped <= CONFIRMED_WITHIN
            if in_time and not any(stopped < lift <= sent for lift in lifts):
                return stop
        return None

    def is_rejected(
        self, address: str, sender: Sender, at: datetime, sent: datetime | None, now: datetime
    ) -> None:
        """A failure of the opt-out class (§4)."""
        began = min(at, sent or at)
        stop = self.confirmed_stop(address, sender, began, at)
        if stop is not None and not any(f.stop == stop.n for f in self.all(Expected)):
            self.add(Expected(told=now, stop=stop.n))
            if stop.state == UNKNOWN:  # The provider has read it as a STOP, after all.
                self.is_blocked(address, sender, began, now)
            self.look_at_cases(now)
            return
        self.is_blocked(address, sender, began, now)
        began = self._block_began(address, sender, began)
        for contact in self.contacts_at(address):
            channel = EMAIL if "@" in address else SMS
            word = self.consent(contact, channel)
            older = word and (getattr(word, "agreed", None) or word.told) <= began
            refused = self.opt_outs(contact, address)
            if refused:
                # What was recorded may be taken back, and then this has to stand (§8.16).
                recorded = all(o.record for o in refused)
                older = recorded and (older or all(o.at <= began for o in refused))
            if older and not self._was_away(contact, channel, address, began):
                self.add(CarrierNo(told=now, contact=contact, address=address, at=at))
        self.look_at_cases(now)

    def _was_away(self, contact: str, channel: str, address: str, at: datetime) -> bool:
        """Had this address before that time, and another one at that time."""
        had = [f for f in self.all(Held) if (f.contact, f.channel) == (contact, channel)]
        before = [f.address for f in had if f.told <= at]
        return address in before and before[-1] != address

    def _block_began(self, address: str, sender: Sender, at: datetime) -> datetime:
        """When the block began that stood at this time."""
        mine = self.keys(sender)
        lifts = [
            f.at for f in self.all(Lifted) if f.address == address and self.keys(f.sender) & mine
        ]
        last = max((lift for lift in lifts if lift <= at), default=None)
        return min(
            b.at
            for b in self.all(Blocked)
            if b.address == address
            and self.keys(b.sender) & mine
            and b.state == BLOCKED
            and b.at <= at
            and (last is None or b.at >= last)
        )

    def is_suppressed(self, address: str, provider: Sender, at: datetime, now: datetime) -> None:
        """Our own side put the address on the provider's list: `no` by staff (§4)."""
        for contact in self.contacts_at(address):
            if not isinstance(self.consent(contact, EMAIL), StaffNo):
                self.add(StaffNo(told=now, contact=contact, address=address))
        self.is_blocked(address, provider, at, now)
        self.look_at_cases(now)


def _too_many(failures: list[datetime]) -> bool:
    """Three within thirty days, on two days at least (§4). `failures` are sorted."""
    for first in failures:
        within = [at for at in failures if first <= at <= first + SOFT_WITHIN]
        if len(within) >= SOFT_LIMIT and len({at.date() for at in within}) >= 2:
            return True
    return False
