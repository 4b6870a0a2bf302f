"""What providers tell, once more by the rules: rules.md §4 as code that knows nothing of ours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.rules_model import UNSET, Person, Rules, block_in

FIVE_MINUTES, THIRTY_DAYS = timedelta(minutes=5), timedelta(days=30)
TOLL_FREE = "+18885550199"

#: What a text is (rules.md §5): what the contact wants, and what the carrier has heard.
WORDS = {
    "STOP": ("refusal", "blocked"),
    "STOP!!!": ("refusal", "unknown"),
    "stop all": ("refusal", None),
    "Stop. Thank you": ("probable", None),
    "UNSTOP": ("unblock", None),
    "YES": ("maybe unblock", None),
    "hello": ("nothing", None),
}


class RulesOfEvents(Rules):
    """The rules of people and files, and of what providers tell."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def hear(self, event: dict[str, Any], now: datetime) -> str:
        """One event; what becomes of it."""
        if event["id"] in self.seen:
            return "duplicate"
        before = self.entries
        _Heard(self, event, now).take()
        changed = self.entries != before
        if changed or not (
            event["what"] == "delivered" or event.get("class") in ("ours", "route", "not_final")
        ):
            self.seen.add(event["id"])
        return "applied" if changed else "no_effect"

    def lifted(self, people: list[Person], channel: str, at: datetime, now: datetime) -> None:
        """A block was lifted, of an address that these people have."""


class _Heard:
    def __init__(self, rules: RulesOfEvents, event: dict[str, Any], now: datetime) -> None:
        self.rules, self.event, self.now = rules, event, now
        self.at = min(event["at"] or now, now)
        self.address = event["address"]
        self.channel = "email" if "@" in self.address else "phone"
        self.sender = "sendgrid" if self.channel == "email" else event["sender"]
        self.people = rules._holders(self.address)
        self.key = self.address if self.people else f"#{self.address}"

    @property
    def known(self) -> dict[str, Any]:
        return self.rules.known(self.key)

    def take(self) -> None:
        what: Callable[[], None] = getattr(self, f"_{self.event['what']}")
        what()

    # What they said

    def _text(self) -> None:
        meaning, heard = WORDS[self.event["words"]]
        state, since = block_in(self.known, self.sender)
        if meaning == "refusal":
            self.refuse(heard)
        elif meaning == "probable":
            refused = [
                self.consent(p)["on"] == "NO" and self.consent(p)["whose"] != "staff"
                for p in self.people
            ] or [self.known["refusal"] is not None]
            may_return = self.rules.may_return(self.people, self.channel)
            if self.known["hold"] or (all(refused) and not may_return):
                # Whoever refused already has refused again, as far as it can be told.
                told = {"address": self.address} if all(refused) else {}
                self.each("refused again" if told else "note", **told)
            else:
                words = self.event["words"] if self.people else ""
                self.each("hold", "hold", (self.at, words))
        else:
            answers = state == "blocked" and self.sender != TOLL_FREE
            unblocks = meaning == "unblock" or (meaning == "maybe unblock" and answers)
            if unblocks and (since is None or since < self.at):
                self.unblock(self.at)

    def _unsubscribed(self) -> None:
        self.refuse(None)

    def _complaint(self) -> None:
        self.refuse(None)
        if self.people and not self.known["complaint"]:
            self.each("bounce", "bounce", ("YES", self.at, True), theirs=True)

    def _resubscribed(self) -> None:
        state, since = block_in(self.known, self.sender)
        if state != "none":
            if since < self.at:
                self.unblock(self.at)
            return
        for person in self.people:
            here = self.consent(person)
            if here["on"] == "NO" and here["whose"] != "staff":
                self.event_of(person, "note")

    def _suppressed(self) -> None:
        for person in self.people:
            if self.consent(person)["on"] != "NO":
                self.set_no(person, "staff", "provider:sendgrid")

    def _unsuppressed(self) -> None:
        state, since = block_in(self.known, self.sender)
        if state != "none" and since < self.at:
            self.unblock(self.at)

    # What became of a message

    def _delivered(self) -> None:
        known, sent = self.known, self.event["sent"]
        state, since = block_in(known, self.sender)
        if state != "none" and sent and sent > since and self.stop_before(sent) is None:
            self.unblock(sent)
        when, bounced_at = sent or self.at, known["bounced_at"]
        if known["complaint"]:
            return
        if known["bounce"] == "YES":
            well = sent is not None and sent > bounced_at
        else:
            well = known["bounce"] == "PROBATION" and when >= bounced_at
        if well:
            self.each("bounce", "bounce", ("NO", self.at, False))
        elif known["bounce"] == "NO":
            left = [at for at in known["soft"] if at > self.at]
            if len(left) < len(known["soft"]):
                self.each("bounce", "soft", (len(left), self.at))

    def _failed(self) -> None:
        of = self.event["class"]
        if of == "opt_out":
            self.opted_out()
        elif not self.people:
            return
        elif of == "hard":
            self.bounces()
        elif of == "known":
            if self.known["bounce"] != "YES":
                self.bounces()
        elif of in ("soft", "ambiguous"):
            if of == "ambiguous" and block_in(self.known, self.sender)[0] != "blocked":
                self.block("unknown", self.at)
            self.soft()

    def opted_out(self) -> None:
        at = min(self.at, self.event["sent"] or self.at)
        stop = self.stop_before(self.at)
        state, since = block_in(self.known, self.sender)
        if stop and at >= stop and not self.excused(stop):
            for person in self.people:
                self.event_of(person, "expected")
                person["expected"].append((self.address, self.sender, self.at))
            if state == "unknown":
                self.block("blocked", at)
            return
        if state != "blocked":
            self.block("blocked", at, theirs=True)
            since = at
        for person in self.people:
            here = self.consent(person)
            open_ = here["on"] == "YES" or (here["on"] == "NO" and here["whose"] != "contact")
            if open_ and here["since"] <= since:
                provider = "twilio" if self.channel == "phone" else "sendgrid"
                self.set_no(person, "contact", f"provider:{provider}")

    def bounces(self) -> None:
        known = self.known
        if known["bounce"] != "YES" or (not known["complaint"] and known["bounced_at"] < self.at):
            self.each("bounce", "bounce", ("YES", self.at, False))

    def soft(self) -> None:
        if self.known["bounce"] == "YES":
            return
        self.each("bounce", "soft", (len(self.known["soft"]) + 1, self.at))
        failures = self.known["soft"]
        for first in failures:
            within = [at for at in failures if first <= at <= first + THIRTY_DAYS]
            if len(within) >= 3 and len({at.date() for at in within}) >= 2:
                self.bounces()
                return

    # How

    def refuse(self, heard: str | None) -> None:
        sender = self.sender if heard else None
        for person in self.people:
            here = self.consent(person)
            if here["on"] == "NO" and here["whose"] == "contact":
                self.event_of(person, "refused again", address=self.address)
                if heard:
                    self.rules._say(self.key, person, "stop again", (sender, self.at))
            else:
                self.set_no(person, "contact", "contact")
            if heard:
                person["stops"].append((self.address, sender, self.at))
        if not self.people:
            kept = self.known["refusal"]
            if kept is None or kept < self.at:
                self.rules._say(self.key, None, "refusal", self.at)
            elif heard:
                self.rules._say(self.key, None, "stop again", (sender, self.at))
            self.rules.entries += 1
        if heard:
            self.block(heard, self.at, theirs=True)

    def block(self, state: str, at: datetime, theirs: bool = False) -> None:
        before, since = block_in(self.known, self.sender)
        after = "blocked" if before == "blocked" else state
        if (since is None or since <= at) and (before, since) != (after, at):
            self.each("block", "block", (self.sender, after, at), theirs=theirs)

    def unblock(self, at: datetime) -> None:
        self.each("block", "block", (self.sender, "none", at))
        self.rules.lifted(self.people, self.channel, at, self.now)

    def stop_before(self, moment: datetime) -> datetime | None:
        if self.people:
            stops = [
                at
                for person in self.people
                for (address, sender, at) in person["stops"]
                if (address, sender) == (self.address, self.sender)
            ]
        else:
            kept, (_, since) = self.known["refusal"], block_in(self.known, self.sender)
            stops = [kept] if kept and since else []
        lately = [at for at in stops if at <= moment <= at + FIVE_MINUTES]
        return max(lately) if lately else None

    def excused(self, stop: datetime) -> bool:
        return any(
            (address, sender) == (self.address, self.sender) and at >= stop
            for person in self.people
            for (address, sender, at) in person["expected"]
        )

    def consent(self, person: Person) -> dict[str, Any]:
        return person["consents"].get(self.address, UNSET)

    def set_no(self, person: Person, whose: str, actor: str) -> None:
        no = {"on": "NO", "whose": whose, "since": self.at, "evidence": None}
        self.rules._consent(person, self.channel, self.address, no, actor, "provider", self.now)

    def each(self, what: str, line: str | None = None, value: Any = None, **more: Any) -> None:
        """Told of the address, and logged on everybody who has it."""
        for person in self.people:
            if line:
                self.rules._say(self.key, person, line, value)
            self.event_of(person, what, **more)
        if not self.people:
            if line:
                self.rules._say(self.key, None, line, value)
            self.rules.entries += 1

    def event_of(self, person: Person, what: str, theirs: bool = False, **more: Any) -> None:
        if theirs:
            more["theirs"] = self.channel
        self.rules._event(
            person,
            what,
            "provider",
            "provider",
            self.now,
            channel=self.channel,
            occurred=self.at,
            **more,
        )
