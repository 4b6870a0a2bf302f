"""Our senders: what a carrier counts as one, and which numbers belong to it (rules.md §2b).

A carrier or provider keeps a block under a number, a short code, a messaging service (Twilio) or a
messaging profile (Telnyx). Contacts know only numbers. So a sender is a group: an id, the service
under which a block is kept, and the numbers that belong to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

import phonenumbers

from bot.consent.addresses import phone_key
from bot.consent.known_providers import KnownProviders
from bot.consent.model import AddressFacts, Block


class NumberKind(StrEnum):
    """What a number of ours is. A toll-free number has a block of its own in the network."""

    TOLL_FREE = "toll_free"
    LONG_CODE = "long_code"
    SHORT_CODE = "short_code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number of ours that contacts can text."""

    #: E.164, or a short code.
    number: str
    kind: NumberKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """One group of numbers that a carrier counts as one sender."""

    id: str
    name: str = ""
    #: Twilio's messaging service or Telnyx's messaging profile, under which a block is kept.
    service: str | None = None
    numbers: tuple[Number, ...] = ()
    #: What the contact texts to lift the carrier's block.
    unblock_word: str = "UNSTOP"

    @property
    def number(self) -> str:
        """What a contact can text: the first number; its id where no number is known."""
        return self.numbers[0].number if self.numbers else self.id

    def has(self, name: str) -> bool:
        """Whether this is the group's id, its service or one of its numbers."""
        return name in (self.id, self.service) or any(n.number == name for n in self.numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Senders:
    """All that is known of our senders: what `OPTIN_SENDERS` says, what events have shown, which of
    them the company no longer uses, and the providers that carry them."""

    #: The default one first.
    groups: Sequence[Sender] = ()
    #: Services by their numbers, as events showed them together; the newest membership wins.
    members: Mapping[str, str] = field(default_factory=dict)
    #: Ids, services, numbers and providers whose blocks count no more.
    retired: frozenset[str] = frozenset()
    providers: KnownProviders = field(default_factory=KnownProviders)

    @property
    def default(self) -> Sender | None:
        """The sender whose answer is the headline."""
        return self.groups[0] if self.groups else None

    def service_of(self, number: str) -> str | None:
        """The service that a number belongs to: as the newest event showed it, else as
        `OPTIN_SENDERS` says."""
        if learned := self.members.get(number):
            return learned
        for group in self.groups:
            if group.service and any(n.number == number for n in group.numbers):
                return group.service
        return None

    def group_of(self, name: str) -> Sender | None:
        """The group to which a service or a number belongs; None where nobody has said. The first
        of several."""
        return next(iter(self.groups_of(name)), None)

    def groups_of(self, name: str) -> Sequence[Sender]:
        """All groups to which a service or a number belongs: those that name it first. A number may
        have moved to a service of another group, and groups may share one."""
        named = [group for group in self.groups if group.has(name)]
        if not self.members:
            return named
        services = {name, self.members.get(name, name)}
        shares = [g for g in self.groups if g not in named and services & self._services(g)]
        return [*named, *shares]

    def _services(self, group: Sender) -> set[str]:
        """The services that a group's numbers belong to, or did."""
        learned = (self.members.get(one.number) for one in group.numbers)
        return {service for service in (group.service, *learned) if service}

    def is_toll_free(self, number: str) -> bool:
        """Whether it is a toll-free number, where STOP blocks in the network."""
        for group in self.groups:
            for one in group.numbers:
                if one.number == number:
                    return one.kind is NumberKind.TOLL_FREE
        return kind_of(number) is NumberKind.TOLL_FREE

    def block_names(self, number: str | None, service: str | None) -> tuple[str, ...]:
        """Under which names a STOP to this number of this service is kept: the service's, or the
        number's own; and a toll-free number's besides. Empty where neither is known."""
        service = service or (self.service_of(number) if number else None)
        if not service:
            return (number,) if number else ()
        own = number is not None and self.is_toll_free(number)
        return (service, number) if own and number else (service,)

    def lifted_names(
        self, facts: AddressFacts, number: str | None, service: str | None
    ) -> tuple[str, ...]:
        """The names of the blocks that an UNSTOP to this number lifts: its service's, its own, and
        those of other numbers of the service. Never another toll-free number's."""
        names = dict.fromkeys(self.block_names(number, service))
        ours = service or (self.service_of(number) if number else None)
        if number and number in facts.blocks:
            names[number] = None
        for name in facts.blocks:
            if ours and self.service_of(name) == ours and not self.is_toll_free(name):
                names[name] = None
        return tuple(names)

    def counts(self, name: str, block: Block, sender: Sender | None) -> bool:
        """Whether a block under this name holds this sender back: its own does, and one whose
        group nobody knows. Without a sender every block does."""
        if self.is_retired(name, block):
            return False
        if sender is None:
            return True
        groups = self.groups_of(name)
        return not groups or any(group.id == sender.id for group in groups)

    def is_retired(self, name: str, block: Block) -> bool:
        """Whether the company no longer uses this sender: itself, its service, every group that it
        belongs to, or every provider that told of the block."""
        if not self.retired:
            return False
        if self.retired & {name, name.partition("/")[0], self.members.get(name, name)}:
            return True
        groups = self.groups_of(name)
        if groups and all(self.retired & {group.id, group.service} for group in groups):
            return True
        return bool(block.providers) and self.retired.issuperset(block.providers)

    def shown(self, name: str, block: Block | None = None) -> str:
        """A number that the contact can text, never an id: the number that the contact texted,
        else the group's first. The name itself where no number is known."""
        if kind_of(name) is not None:
            return name
        if block is not None and block.number and kind_of(block.number) is not None:
            return block.number
        group = self.group_of(name)
        if group is not None and group.numbers:
            return group.number
        # An RCS agent belongs to a service, too, and has no number.
        members = (number for number, service in self.members.items() if service == name)
        return next((number for number in members if kind_of(number) is not None), name)

    def named(self, id: str) -> str:
        """What people call the group with this id."""
        group = next((group for group in self.groups if group.id == id), None)
        return (group.name or group.number) if group else id

    def unblock_word(self, name: str) -> str:
        """What the contact texts to lift a block of this name."""
        group = self.group_of(name)
        return group.unblock_word if group else "UNSTOP"


@lru_cache(maxsize=1_024)
def kind_of(number: str) -> NumberKind | None:
    """What the numbering plan says of a number; None for an id that is none."""
    digits = phone_key(number).removeprefix("+")
    if not digits.isdecimal():
        return None
    if not number.startswith("+"):
        return NumberKind.SHORT_CODE
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return NumberKind.LONG_CODE
    if phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.TOLL_FREE:
        return NumberKind.TOLL_FREE
    return NumberKind.LONG_CODE
