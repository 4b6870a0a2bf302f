"""The card of a contact as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.cli.terminal import when
from bot.cli.terminal_log import log_lines
from bot.consent.model import Bounce, Channel, Contact
from bot.consent.rules import Decision
from bot.consent.use_cases import LogLine, Profile, others_gates
from handlers.answers import whose
from handlers.slack.blocks.formatting import shown
from handlers.vocabulary import doer, icon_and_word, indicator


def card(profile: Profile, latest: Sequence[LogLine] = ()) -> Iterator[str]:
    """The lines of the card: the contact, both answers with their gates, the latest changes."""
    contact = profile.contact
    yield from who(contact)
    for channel in Channel:
        yield ""
        yield from answer(profile, channel)
    if latest:
        yield ""
        yield "Activity"
        for line in latest:
            for text in log_lines(line, profile.senders.providers):
                yield f"  {text}"


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


def _gates(profile: Profile, decision: Decision) -> Iterator[str]:
    for gate in (whose(profile, decision.channel, gate) for gate in decision.gates):
        since = f" Since {when(gate.since)}." if gate.since else ""
        yield f"  ☐ {doer(gate)}: {gate.remedy}"
        yield f"      {shown(gate.reason, 300)}{since}"
