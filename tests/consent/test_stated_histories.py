"""Statements, confirmations, opt-outs and people in any order: after each step the consents are what
the rules say, and nobody who opted out comes back without a manager."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from bot.consent.errors import NotFound, Refused
from bot.consent.events import EventKind
from bot.consent.model import Channel, ConsentValue, Contact
from bot.consent.rules import Answer
from bot.consent.use_cases import Details, Service, StatusUpdate, add, change, profile, verify
from bot.consent.use_cases.stated.confirm_consent import confirm
from bot.consent.use_cases.stated.stated_event import EventType, StatedEvent
from bot.consent.use_cases.stated.stated_events import take_events
from bot.runtime.clock import Stopped
from tests.support.consent_fixtures import AGENT
from tests.support.stated_fixtures import NEWSLETTER, SHOP, say
from tests.support.take_fixtures import MAILBOX, PHONE, mailed, tell, text

NO, YES, UNSET = ConsentValue.NO, ConsentValue.YES, ConsentValue.UNSET
STEPS = 40


@dataclass(slots=True)
class Pending:
    """A token, and what stood when it was given."""

    contact: str
    channel: Channel
    opt_outs: int
    at: datetime
    used: bool = False


@dataclass(slots=True)
class World:
    """Two contacts who share a number and a mailbox, and what the rules say of them."""

    service: Service
    clock: Stopped
    chance: random.Random
    people: list[Contact] = field(default_factory=list)
    on: dict[tuple[str, Channel], ConsentValue] = field(default_factory=dict)
    #: How often each channel's address opted out.
    opt_outs: dict[Channel, int] = field(default_factory=lambda: dict.fromkeys(Channel, 0))
    tokens: dict[str, Pending] = field(default_factory=dict)

    def step(self) -> None:
        who, channel = self.chance.choice(self.people), self.chance.choice(list(Channel))
        self.clock.advance(timedelta(minutes=self.chance.choice([1, 90, 60 * 24, 60 * 24 * 3])))
        self.chance.choice([self.agrees, self.agrees, self.asks, self.confirms, self.confirms,
                            self.refuses, self.opts_out, self.reports, self.staff_says,
                            self.unstops])(who, channel)  # fmt: skip
        self.look()

    def agrees(self, who: Contact, channel: Channel) -> None:
        with suppress(Refused):
            say(self.service, who, "yes", channel)
        self._may_agree(who.id, channel)

    def asks(self, who: Contact, channel: Channel) -> None:
        with suppress(Refused):
            token = say(self.service, who, "pending", channel).token
            if token:
                now = self.clock()
                self.tokens[token] = Pending(who.id, channel, self.opt_outs[channel], now)

    def confirms(self, who: Contact, channel: Channel) -> None:
        if not self.tokens:
            return
        token, pending = self.chance.choice([*self.tokens.items()])
        done = None
        with suppress(Refused, NotFound):
            done = confirm(self.service, token, self.chance.choice([NEWSLETTER, SHOP]))
        fresh = (
            not pending.used
            and self.clock() - pending.at < timedelta(days=7)
            and pending.opt_outs == self.opt_outs[pending.channel]
        )
        assert fresh or done is None
        if done is not None:
            pending.used = True
            self._may_agree(pending.contact, pending.channel)

    def refuses(self, who: Contact, channel: Channel) -> None:
        say(self.service, who, "no", channel)
        self._opted_out(channel)

    def opts_out(self, who: Contact, channel: Channel) -> None:
        sms = channel is Channel.SMS
        tell(self.service, text("STOP") if sms else mailed(EventKind.UNSUBSCRIBED))
        self._opted_out(channel)

    def reports(self, who: Contact, channel: Channel) -> None:
        """Half of the time with a field that is wrong."""
        event = StatedEvent(
            type=EventType.OPT_OUT,
            address=PHONE if channel is Channel.SMS else MAILBOX,
            id=str(self.chance.random()),
            occurred_at=self.clock(),
        )
        if self.chance.random() < 0.5:
            event = replace(event, occurred_at=None)
        take_events(self.service, [event], SHOP)
        self._opted_out(channel)

    def staff_says(self, who: Contact, channel: Channel) -> None:
        wanted = {"sms" if channel is Channel.SMS else "email": NO}
        change(self.service, who.id, StatusUpdate(**wanted, reason="Wrong person"), AGENT)  # type: ignore[arg-type]
        if self.on[who.id, channel] is not NO:
            self.on[who.id, channel] = NO

    def unstops(self, who: Contact, channel: Channel) -> None:
        tell(self.service, text("UNSTOP"))

    def look(self) -> None:
        for who in self.people:
            found = profile(self.service, who.id, AGENT)
            for channel in Channel:
                on = self.on[who.id, channel]
                assert found.contact.consent(channel).on is on
                assert on is YES or found.decisions[channel].answer is Answer.NO

    def _may_agree(self, who: str, channel: Channel) -> None:
        if self.on[who, channel] is not NO:
            self.on[who, channel] = YES

    def _opted_out(self, channel: Channel) -> None:
        self.opt_outs[channel] += 1
        for who in self.people:
            self.on[who.id, channel] = NO


@pytest.mark.parametrize("seed", range(25))
def test_nobody_who_opted_out_comes_back_by_statements(
    desk: Service, clock: Stopped, seed: int
) -> None:
    world = World(desk, clock, random.Random(seed))
    for name in ("Ana", "Bo"):
        world.people.append(add(desk, Details(name=name, phone=PHONE, email=MAILBOX), AGENT))
    world.on = {(who.id, channel): UNSET for who in world.people for channel in Channel}
    for _ in range(STEPS):
        world.step()

    assert verify(desk).problem is None
