"""Details: everything that the card leaves out, and the steps for which it has no room."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from bot.consent.model import Block as SenderBlock
from bot.consent.model import Bounce, Channel, LineType
from bot.consent.use_cases import Profile, others_gates
from handlers import vocabulary
from handlers.answers import answer_line, whose
from handlers.slack import ids
from handlers.slack.blocks.card_steps import sender_steps, step_blocks, steps
from handlers.slack.blocks.formatting import (
    FIELD,
    Block,
    context,
    divider,
    fields,
    inert,
    lines,
    phone,
    section,
)
from handlers.slack.blocks.modal_frame import Metadata, View, modal


def details_view(profile: Profile, metadata: Metadata) -> View:
    """Each answer with every step and its reason, the fields, and what the icons mean."""
    blocks: list[Block] = [section(f"*{inert(profile.contact.name) or 'Erased contact'}*")]
    for channel, decision in profile.decisions.items():
        blocks.append(section(answer_line(profile, decision)))
        blocks += step_blocks(steps(profile, channel, whole=True))
        gates = (whose(profile, channel, gate) for gate in decision.gates)
        reasons = [*map(vocabulary.reason, gates), *decision.notes]
        if reasons:
            blocks.append(context(lines(reasons, FIELD)))
    blocks += step_blocks(sender_steps(profile))
    if said := list(_other_reasons(profile)):
        blocks.append(context(lines(said, FIELD)))
    if not profile.contact.erased:
        blocks += [divider(), fields(*contact_fields(profile))]
    blocks += [divider(), legend()]
    metadata = msgspec.structs.replace(metadata, contact=profile.contact.id)
    return modal(ids.WHY_MODAL, "Details", blocks, metadata)


def answers(profile: Profile) -> list[Block]:
    """Each answer with the steps that are missing, without buttons."""
    said = []
    for channel, decision in profile.decisions.items():
        texts = [step.text for step in steps(profile, channel)] if decision.gates else []
        said.append(section(answer_line(profile, decision), *texts))
    if others := [step.text for step in sender_steps(profile)]:
        said.append(section(*others))
    return said


def legend() -> Block:
    return context(*(f"{icon} *{word}*: {what}" for icon, word, what in vocabulary.LEGEND))


def _other_reasons(profile: Profile) -> Iterator[str]:
    for sender, decision in profile.by_sender.items():
        name = inert(phone(profile.senders.named(sender)), 80)
        for gate in others_gates(profile, decision):
            yield f"{name}: {vocabulary.reason(whose(profile, Channel.SMS, gate))}"
    yield from _retired(profile)


def _retired(profile: Profile) -> Iterator[str]:
    """Blocks of senders that the company no longer uses: they count no more."""
    for facts in profile.facts.values():
        for name, block in sorted(facts.blocks.items()):
            if profile.senders.is_retired(name, block):
                yield f"{_block_name(profile, name, block)}: {block.state}, no longer in use."


def _block_name(profile: Profile, name: str, block: SenderBlock) -> str:
    return vocabulary.block_name(name, profile.senders.providers, block)


def contact_fields(profile: Profile) -> Iterator[str]:
    """Addresses, consents and bounces, each with its label."""
    contact = profile.contact
    line = " (landline)" if contact.line is LineType.LANDLINE else ""
    yield f"*Phone*\n{inert(phone(contact.phone)) + line if contact.phone else 'none'}"
    yield f"*Email*\n{inert(contact.email) if contact.email else 'none'}"
    for channel in Channel:
        said = vocabulary.on(contact.consent(channel)) if contact.address(channel) else "no address"
        yield f"*{channel.word} On*\n{said}"
    for channel in Channel:
        yield f"*{channel.word} Bounce*\n{_bounce(profile, channel)}"
    if contact.company:
        yield f"*Company*\n{inert(contact.company)}"
    if contact.external_id:
        yield f"*External id*\n{inert(contact.external_id)}"


def _bounce(profile: Profile, channel: Channel) -> str:
    facts = profile.facts.get(channel)
    if facts is None:
        return "no address"
    if facts.complaint and facts.bounce is Bounce.YES:
        return "YES, a spam complaint"
    return vocabulary.BOUNCE[facts.bounce]
