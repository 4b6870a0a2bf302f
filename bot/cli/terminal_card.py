"""The card of a contact as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bot.cli.terminal import when
from bot.consent.known_providers import KnownProviders
from bot.consent.log.entries import Entry
from bot.consent.model import Bounce, Channel, Contact
from bot.consent.rules import Decision
from bot.consent.use_cases import Profile, others_gates
from handlers.slack.blocks.formatting import shown
from handlers.slack.blocks.reached_contacts import whose
from handlers.vocabulary import OWNER, actor, icon_and_word, indicator, recorded_later, what


def card(profile: Profile) -> Iterator[str]:
    """The lines of the card: the contact, both answers with their gates, the latest entries."""
    contact = profile.contact
    yield from who(contact)
    for channel in Channel:
        yield ""
        yield from answer(profile, channel)
    if profile.latest:
        yield ""
        yield "Activity"
        for entry in profile.latest:
            yield f"  {entry_line(entry, profile.senders.providers)}"


def who(contact: Contact) -> Iterator[str]:
    """The contact's name, company, addresses and ids."""
    yield " · ".join(filter(None, (shown(contact.name) or "(erased)", shown(contact.company))))
    yield f"  Phone        {contact.phone or 'none'}"
    yield f"  Email        {contact.email or 'none'}"
    if contact.external_id:
        yield f"  External id  {shown(contact.external_id)}"
    yield f"  Id           {contact.id}"
    if contact.do_not_contact:
        yield "  Do not contact"


def answer(profile: Profile, channel: Channel) -> Iterator[str]:
    """Whether messages are sent. If not, every step that has to happen first, and who does it."""
    decision = profile.decisions[channel]
    consent = profile.contact.consent(channel)
    facts = profile.facts.get(channel)
    yield indicator(decision)
    since = f" since {when(consent.since)}" if consent.since else ""
    yield f"  {channel.word} On {consent.on}{since}"
    if facts and facts.bounce is not Bounce.NO:
        yield f"  {channel.word} Bounce {facts.bounce}"
    if consent.evidence:
        dated = f" ({when(consent.evidence.at)})" if consent.evidence.at else ""
        yield f"  Evidence: {shown(consent.evidence.text, 300)}{dated}"
    yield from _gates(profile, decision)
    for note in decision.notes:
        yield f"  {note}"
    if others := profile.shared.get(channel):
        yield f"  {others} other contact{'s have' if others > 1 else ' has'} the same address."
    if channel is Channel.SMS:
        for sender, other in profile.by_sender.items():
            icon, word = icon_and_word(other)
            yield f"  From {profile.senders.named(sender)}: {icon} {word}"
            yield from _gates(profile, replace(other, gates=others_gates(profile, other)))


def entry_line(entry: Entry, providers: KnownProviders, of: Contact | None = None) -> str:
    """An entry of the log in one line."""
    said = [when(entry.occurred_at)]
    if recorded_later(entry):
        said.append(f"recorded {when(entry.recorded_at)}")
    if of:
        said.append(shown(of.name) or "(erased)")
    said.append(what(entry, providers))
    said.append(actor(entry.actor, providers, markup=False))
    if entry.expected:
        said.append("expected")
    if entry.reason:
        said.append(shown(entry.reason, 200))
    if entry.evidence and entry.evidence.text:
        said.append(f"evidence: {shown(entry.evidence.text, 200)}")
    return " · ".join(said)


def _gates(profile: Profile, decision: Decision) -> Iterator[str]:
    for gate in (whose(profile, decision.channel, gate) for gate in decision.gates):
        since = f" Since {when(gate.since)}." if gate.since else ""
        yield f"  ☐ {OWNER[gate.owner]}: {gate.remedy}"
        yield f"      {shown(gate.reason, 300)}{since}"
