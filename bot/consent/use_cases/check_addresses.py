"""A list of addresses, each with its answer: may this one be sent to, why not, and what next.

Nothing of the list is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice

from bot.consent.addresses import key_of
from bot.consent.model import Actor, AddressFacts, Channel, Contact
from bot.consent.permissions import Action, authorize
from bot.consent.rules import Answer, Decision, decide
from bot.consent.senders import Sender, Senders
from bot.consent.store import Expected, Records
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.known_senders import senders_of
from bot.consent.use_cases.look_up import read_address
from bot.consent.use_cases.unheld_addresses import as_if_held, known_of

#: As many are looked up in one state of the storage.
_TOGETHER = 200
#: What counts of several contacts at one address: the answer that sends least.
_LEAST = (Answer.NO, Answer.UNVERIFIED, Answer.YES)
_NO_ADDRESS = "This is no phone number and no e-mail address."


class AddressVerdict(StrEnum):
    """What a list says of one of its lines."""

    YES = "yes"
    NO = "no"
    UNVERIFIED = "unverified"
    UNREADABLE = "unreadable"


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
    #: Why the text is no address.
    problem: str | None = None

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
            answers = [_answered(service, records, one) for one in some]
        yield from answers


def _read(service: Service, text: str) -> CheckedAddress:
    phone, email, problem = read_address(service, text)
    address = phone or email
    if address is None:
        return CheckedAddress(text=text, problem=problem or _NO_ADDRESS)
    return CheckedAddress(
        text=text, address=address, channel=Channel.SMS if phone else Channel.EMAIL
    )


def _answered(service: Service, records: Records, one: CheckedAddress) -> CheckedAddress:
    if one.address is None or one.channel is None:
        return one
    key = key_of(one.address)
    holders = records.contacts.at(key)
    facts = (
        records.addresses.get(key) if holders else known_of(service, records.addresses, one.address)
    )
    senders = senders_of(service, records.key_value, *([facts] if facts else []))
    whoever = holders or [as_if_held(one.address, one.channel, facts)]
    decision, contact = _least(whoever, facts, one.channel, senders.default, senders)
    others = {}
    if one.channel is Channel.SMS:
        for sender in senders.groups[1:]:
            other, _ = _least(whoever, facts, one.channel, sender, senders)
            if other.answer is not decision.answer:
                others[senders.named(sender.id)] = other
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
    whoever: Iterable[Contact],
    facts: AddressFacts | None,
    channel: Channel,
    sender: Sender | None,
    senders: Senders,
) -> tuple[Decision, Contact]:
    """The decision for whoever may be sent least, and who that is."""
    decisions = ((decide(one, facts, channel, sender, senders), one) for one in whoever)
    return min(decisions, key=lambda decided: _LEAST.index(decided[0].answer))
