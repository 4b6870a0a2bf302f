"""A list of addresses, each with its answer: may this one be sent to, why not, and what next.

Nothing of the list is stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Protocol

from bot.consent.addresses import key_of, phone_key
from bot.consent.frozen import quick, replace
from bot.consent.model import Actor, AddressFacts, Channel, Contact
from bot.consent.permissions import Action, authorize
from bot.consent.rules import Answer, Decision, decide
from bot.consent.senders import Sender, Senders
from bot.consent.storage_behind import StorageBehind, behind_of
from bot.consent.store import Expected, Records
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.known_senders import known_senders, senders_of
from bot.consent.use_cases.look_up import read_address
from bot.consent.use_cases.time_travel import PastState, TimeBasis, check_past
from bot.consent.use_cases.unheld_addresses import FactsByAddress, as_if_held, known_of

#: As many are looked up in one state of the storage.
_TOGETHER = 200
#: What counts of several contacts at one address: the answer that sends least.
_LEAST = (Answer.NO, Answer.UNVERIFIED, Answer.YES)
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_OTHER_CHANNEL = {
    Channel.SMS: "A text needs a phone number, and this is a mailbox.",
    Channel.EMAIL: "An e-mail needs a mailbox, and this is a phone number.",
}
_NO_ADDRESS = "This is no phone number and no e-mail address."


class AddressVerdict(StrEnum):
    """What a list says of one of its lines."""

    YES = "yes"
    NO = "no"
    UNVERIFIED = "unverified"
    UNREADABLE = "unreadable"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedAddress:
    """One line of the list, with its answer."""

    #: As it stands in the list.
    text: str
    #: The phone number in E.164 or the mailbox; None where the text is neither.
    address: str | None = None
    channel: Channel | None = None
    decision: Decision | None = None
    #: Whom the decision is about; None where nobody has the address.
    contact: Contact | None = None
    #: How many contacts have the address.
    holders: int = 0
    #: The decisions of our other senders that answer otherwise, by what the sender is called.
    others: Mapping[str, Decision] = field(default_factory=dict)
    #: Why there is no decision: the text is no address, say.
    problem: str | None = None
    #: What of a `Recipient` that is about.
    field: str = "to"

    @property
    def verdict(self) -> AddressVerdict:
        """The answer, in one word."""
        return AddressVerdict(self.decision.answer) if self.decision else AddressVerdict.UNREADABLE


def check_addresses(
    service: Service, texts: Iterable[str], actor: Actor
) -> Iterator[CheckedAddress]:
    """The answer for each, in the order of the list. Several contacts may have one address: then
    the answer is that of whoever may be sent least."""
    authorize(actor, Action.LOOK)
    left = iter(texts)
    while some := [_read(service, text) for text in islice(left, _TOGETHER)]:
        with service.store.reading() as records:
            records.expect(Expected(addresses=[key_of(one.address) for one in some if one.address]))
            state = _Present(records)
            answers = [_answered(service, records, one, state) for one in some]
        yield from answers


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Whom a program is about to send to."""

    #: A phone number or a mailbox.
    to: str
    #: None where the address says it.
    channel: Channel | None = None
    #: The id, a number or the service of one of our senders; the default one where nobody says.
    sender: str | None = None
    #: As of when; None for now.
    at: datetime | None = None
    by: TimeBasis = TimeBasis.RECORDED


def check_recipients(
    service: Service, asked: Sequence[Recipient], actor: Actor
) -> tuple[Sequence[CheckedAddress], int]:
    """The answer for each, in the order asked, and the place in the feed that all are as of. Raises
    `Invalid` for a time to come."""
    authorize(actor, Action.LOOK)
    for at in {one.at for one in asked if one.at is not None}:
        check_past(service, at)
    answers: dict[int, CheckedAddress] = {}
    with service.store.reading() as records:
        if len(asked) > 1:
            likely = [key for one in asked if one.at is None and (key := _likely_key(one.to))]
            records.expect(Expected(addresses=likely))
        for n, one in enumerate(asked):
            if one.at is None:
                answers[n] = _checked(service, records, one, _Present(records))
        as_of = records.log.head()[0]
    for n, one in enumerate(asked):
        if one.at is not None:
            # Each in a block of its own: it may read a whole log, while others wait to write.
            with service.store.reading() as records:
                past = PastState(records, one.at, one.by)
                answers[n] = _checked(service, records, one, past)
    return [answers[n] for n in range(len(asked))], as_of


class _State(FactsByAddress, Protocol):
    """Who has an address, and what is known of it, now or at another time."""

    def holders(self, address: str) -> list[Contact]: ...


class _Present:
    """What the storage says now."""

    __slots__ = ("_records",)

    def __init__(self, records: Records) -> None:
        self._records = records

    def get(self, address: str) -> AddressFacts:
        return self._records.addresses.get(address)

    def holders(self, address: str) -> list[Contact]:
        return self._records.contacts.at(address)


def _checked(service: Service, records: Records, asked: Recipient, state: _State) -> CheckedAddress:
    # A number that somebody has is not looked up in the numbering plans once more.
    held = state.holders(key_of(asked.to)) if _E164.fullmatch(asked.to) else []
    if held and asked.sender is None and asked.channel is not Channel.EMAIL:
        one = CheckedAddress(text=asked.to, address=asked.to, channel=Channel.SMS)
        return _answered(service, records, one, state, holders=held)
    one = _read(service, asked.to)
    if one.problem is None and asked.channel not in (None, one.channel):
        return replace(one, problem=_OTHER_CHANNEL[asked.channel], field="channel")
    if one.problem is not None or asked.sender is None:
        return _answered(service, records, one, state)
    if one.channel is Channel.EMAIL:
        return replace(one, problem="E-mail has no sender to choose.", field="sender")
    known = known_senders(service, records.key_value)
    sender = _sender(known, asked.sender)
    if sender is None:
        return replace(one, problem="Optin knows no such sender.", field="sender")
    return _answered(service, records, one, state, sender)


def _likely_key(text: str) -> str | None:
    """The key of the address that the text most likely is, to be prefetched."""
    return key_of(text) if _E164.fullmatch(text) or "@" in text else None


def _sender(known: Senders, name: str) -> Sender | None:
    by_id = next((group for group in known.groups if group.id == name), None)
    return by_id or known.group_of(phone_key(name))


def _read(service: Service, text: str) -> CheckedAddress:
    phone, email, problem = read_address(service, text)
    address = phone or email
    if address is None:
        return CheckedAddress(text=text, problem=problem or _NO_ADDRESS)
    return CheckedAddress(
        text=text, address=address, channel=Channel.SMS if phone else Channel.EMAIL
    )


def _answered(
    service: Service,
    records: Records,
    one: CheckedAddress,
    state: _State,
    sender: Sender | None = None,
    *,
    holders: Sequence[Contact] | None = None,
) -> CheckedAddress:
    """The decision for this sender; without one, for the default one, and what differs for the
    others. `holders` are those of the address, if they have been read."""
    if one.address is None or one.channel is None:
        return one
    key = key_of(one.address)
    holders = state.holders(key) if holders is None else holders
    facts = state.get(key) if holders else known_of(service, state, one.address)
    known = (facts,) if facts is not None and facts.blocks else ()
    senders = senders_of(service, records.key_value, *known)
    behind = behind_of(service.heads, records.key_value)
    whoever = holders or [as_if_held(one.address, one.channel, facts)]
    chosen = sender or senders.default
    decision, contact = _least(whoever, facts, one.channel, chosen, senders, behind)
    others = {}
    if one.channel is Channel.SMS and sender is None:
        for group in senders.groups[1:]:
            other, _ = _least(whoever, facts, one.channel, group, senders, behind)
            if other.answer is not decision.answer:
                others[senders.named(group.id)] = other
    return CheckedAddress(
        text=one.text,
        address=one.address,
        channel=one.channel,
        decision=decision,
        contact=contact if holders else None,
        holders=len(holders),
        others=others,
    )


def _least(
    whoever: Sequence[Contact],
    facts: AddressFacts | None,
    channel: Channel,
    sender: Sender | None,
    senders: Senders,
    behind: StorageBehind | None,
) -> tuple[Decision, Contact]:
    """The decision for whoever may be sent least, and who that is."""
    if len(whoever) == 1:
        return decide(whoever[0], facts, channel, sender, senders, behind), whoever[0]
    decisions = ((decide(one, facts, channel, sender, senders, behind), one) for one in whoever)
    return min(decisions, key=lambda decided: _LEAST.index(decided[0].answer))
