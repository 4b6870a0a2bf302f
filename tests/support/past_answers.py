"""What Optin said at each moment of a history, and whether it says the same of that moment later.

By what was recorded, an answer about the present is the live one, and an answer about the past is
the one that was given then, to the last field of contacts and addresses. Erasure takes what it
takes, also from the past: then only contacts that remain are compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.consent.model import AddressFacts, Channel, Contact
from bot.consent.rules import Decision, decide
from bot.consent.store import Records
from bot.consent.use_cases import Service
from bot.consent.use_cases.known_senders import MARK, senders_of
from bot.consent.use_cases.record import history
from bot.consent.use_cases.time_travel import PastState, TimeBasis, answers_at


@dataclass(frozen=True)
class Moment:
    """Everything that Optin said at one time."""

    at: datetime
    contacts: Mapping[str, Contact]
    facts: Mapping[str, AddressFacts]
    decisions: Mapping[tuple[str, Channel], Decision]
    #: What was known of our senders beside the settings.
    senders: str | None


class PastAnswers:
    """The moments of one history."""

    def __init__(self) -> None:
        self.moments: list[Moment] = []

    def look(self, service: Service) -> None:
        """Remembers this moment, in place of an earlier one of the same time."""
        with service.store.reading() as records:
            contacts = {c.id: c for c in records.contacts.all() if not c.erased}
            keys = {key for contact in contacts.values() for key in contact.keys}
            moment = Moment(
                at=service.now(),
                contacts=contacts,
                facts={key: records.addresses.get(key) for key in keys},
                decisions={
                    (contact.id, channel): _decision(service, records, contact, channel)
                    for contact in contacts.values()
                    for channel in Channel
                },
                senders=records.key_value.get(MARK),
            )
        if self.moments and self.moments[-1].at == moment.at:
            self.moments.pop()
        self.moments.append(moment)

    def differences(self, service: Service) -> Iterator[str]:
        """Where an answer about a moment is not the one that was given then, in sentences."""
        with service.store.reading() as records:
            senders = records.key_value.get(MARK)
            erased = any(contact.erased for contact in records.contacts.all())
            gone = {contact.id for contact in records.contacts.all() if contact.erased}
            for moment in self.moments:
                past = PastState(records, moment.at, TimeBasis.RECORDED)
                for id, contact in moment.contacts.items():
                    if id not in gone and past.contact(id) != contact:
                        yield f"{moment.at}: {contact.name} was {contact}, not {past.contact(id)}"
                if erased:
                    continue
                for key, facts in moment.facts.items():
                    if past.get(key) != facts:
                        yield f"{moment.at}: of {key} was known {facts}, not {past.get(key)}"
                    holders = {contact.id for contact in past.holders(key)}
                    had = {c.id for c in moment.contacts.values() if key in c.keys}
                    # Whoever gave it up may have left no entry about it, nor agreed there.
                    lost = {id for id in had - holders if key in moment.contacts[id].consents}
                    if lost or holders - had:
                        yield f"{moment.at}: {key} was of {had}, not of {holders}"
                if moment.senders == senders:
                    yield from _other_decisions(service, records, moment)
            if not erased:
                yield from _other_stored_answers(service, records, self.moments, senders)


def _decision(service: Service, records: Records, contact: Contact, channel: Channel) -> Decision:
    key = contact.key(channel)
    facts = records.addresses.get(key) if key else None
    senders = senders_of(service, records.key_value, *((facts,) if facts else ()))
    return decide(contact, facts, channel, senders.default, senders)


def _other_decisions(service: Service, records: Records, moment: Moment) -> Iterator[str]:
    for id, contact in moment.contacts.items():
        told = answers_at(service, records, id, moment.at).profile.decisions
        for channel in Channel:
            if told[channel] != (was := moment.decisions[id, channel]):
                yield f"{moment.at}: {contact.name} {channel} was {was}, not {told[channel]}"


def _other_stored_answers(
    service: Service, records: Records, moments: list[Moment], senders: str | None
) -> Iterator[str]:
    """What each entry says of the answer after it, against the answer at its time."""
    known = {moment.at: moment.senders for moment in moments}
    for id in {id for moment in moments for id in moment.contacts}:
        newest = set()
        for entry in history(records.log, id):
            if entry.after == "removed":
                newest |= {(entry.recorded_at, channel.value) for channel in Channel}
            for channel, (_, after) in (entry.answers or {}).items():
                at = entry.recorded_at
                if (at, channel) in newest:
                    continue
                newest.add((at, channel))
                if known.get(at) != senders:
                    continue
                past = answers_at(service, records, id, at).profile
                if (said := past.decisions[Channel(channel)].answer) != after:
                    yield f"Entry {entry.seq} says that {channel} is {after} after it, not {said}"
