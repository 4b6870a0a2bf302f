"""The card of one contact: in a message, in a modal, the same blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.consent.cases import CaseState
from bot.consent.gates import Code, Gate
from bot.consent.model import AddressFacts, Bounce, Channel, Contact, LineType
from bot.consent.rules import Decision
from bot.consent.suppressions import Listing
from bot.consent.use_cases import Profile, others_gates
from handlers import vocabulary
from handlers.entry_lines import last_line
from handlers.slack import ids
from handlers.slack.blocks.formatting import (
    BUTTON,
    FIELD,
    OPTION,
    VALUE,
    Block,
    context,
    date,
    escape,
    fields,
    fit,
    header,
    inert,
    joined,
    lines,
    phone,
    plain,
    section,
    shown,
)
from handlers.slack.blocks.reached_contacts import recorded, whose

#: Of entries of providers' lists, buttons at most.
_MOST_LISTS = 5
#: Of an overflow menu, Slack's limit.
_MOST_OPTIONS = 5
#: Characters for what holds other senders back: Slack refuses messages that are much longer than a
#: card with two full checklists.
_ROOM = 1_500


def card(profile: Profile) -> list[Block]:
    """Who it is, both answers, what has to happen and who does it, and the buttons."""
    contact = profile.contact
    blocks = [header(shown(contact.name) or ("Erased contact" if contact.erased else "No name"))]
    if about := _about(contact):
        blocks.append(context(about))
    if contact.erased:
        return [*blocks, section(vocabulary.step(profile.decisions[Channel.SMS].gates[0]))]
    blocks.append(fields(*_facts(profile)))
    blocks += _checklists(profile)
    notes = list(_notes(profile))
    if notes:
        blocks.append(context(*notes))
    blocks.append(_buttons(profile))
    if last := last_line(profile):
        blocks.append(context(last))
    return blocks


def card_text(profile: Profile) -> str:
    """The card as one sentence, for notifications and screen readers."""
    decisions = profile.decisions.values()
    answers = joined([vocabulary.indicator(decision) for decision in decisions])
    steps = [gate.remedy for decision in decisions for gate in decision.gates]
    name = inert(profile.contact.name) or "Erased contact"
    return fit(f"{name}: {answers}. {escape(' '.join(steps))}".strip(), 3000)


def button(text: str, action: str, value: str, *, style: str | None = None) -> Block:
    """A button; `style` is primary or danger."""
    element: Block = {
        "type": "button",
        "action_id": action,
        "text": plain(text, BUTTON),
        "value": value,
    }
    return element | {"style": style} if style else element


def option(text: str, value: str) -> Block:
    return {"text": plain(text, OPTION), "value": value}


def _about(contact: Contact) -> str:
    said = [inert(contact.company)] if contact.company else []
    if contact.external_id:
        said.append(f"Id {inert(contact.external_id)}")
    if contact.do_not_contact:
        said.append("🔴 *Do not contact*")
    return " · ".join(said)


def _facts(profile: Profile) -> Iterator[str]:
    """Two columns; the answers stand at the top right."""
    contact = profile.contact
    line = " (landline)" if contact.line is LineType.LANDLINE else ""
    yield f"*Phone*\n{inert(phone(contact.phone)) + line if contact.phone else 'none'}"
    yield "\n".join(
        f"*{vocabulary.indicator(decision)}*" for decision in profile.decisions.values()
    )
    yield f"*Email*\n{inert(contact.email) if contact.email else 'none'}"
    yield f"*SMS Bounce*\n{_bounce(profile.facts.get(Channel.SMS))}"
    for channel in Channel:
        said = vocabulary.on(contact.consent(channel)) if contact.address(channel) else "no address"
        yield f"*{channel.word} On*\n{said}"
    mail = profile.facts.get(Channel.EMAIL)
    if mail and mail.bounce is not Bounce.NO:
        yield f"*Email Bounce*\n{_bounce(mail)}"


def _bounce(facts: AddressFacts | None) -> str:
    if facts is None:
        return "no address"
    return "🚫 Spam complaint: YES" if facts.complaint else vocabulary.BOUNCE[facts.bounce]


def _checklists(profile: Profile) -> Iterator[Block]:
    for channel, decision in profile.decisions.items():
        if not decision.gates:
            continue
        icon = vocabulary.STATUS[decision.status][0]
        title = f"{icon} *Before {vocabulary.things(channel)} can be sent*"
        removable = _removable(profile, channel)
        yield section(title, *_steps(profile, channel, but=removable))
        for gate, element in removable:
            yield section(vocabulary.step(gate), accessory=element)
        if sentence := _to_pass_on([*decision.gates, *other_keys(profile, channel)]):
            yield section("Pass on to the contact, by another way:", f"> {sentence}")
    yield from _held_back(profile)
    headline = profile.decisions[Channel.SMS].status
    others = {s: d for s, d in profile.by_sender.items() if d.status is not headline}
    if others:
        said = (_from_sender(profile, sender, other) for sender, other in others.items())
        yield context(lines(said, FIELD))


def _held_back(profile: Profile) -> Iterator[Block]:
    """Other senders with what holds them back, as far as the card has room for them."""
    told = {(gate.code, gate.sender) for gate in other_keys(profile, Channel.SMS)}
    room, left = _ROOM, 0
    for title, gates in other_senders(profile):
        new = [gate for gate in gates if (gate.code, gate.sender) not in told]
        steps = [title, *(vocabulary.step(whose(profile, Channel.SMS, gate)) for gate in new)]
        if new and (room := room - sum(map(len, steps))) >= 0:
            yield section(*steps)
        elif new:
            left += 1
    if left:
        senders = "sender is" if left == 1 else "senders are"
        yield context(f"{left} more {senders} held back: *Why this status* says by what.")


def other_senders(profile: Profile) -> Iterator[tuple[str, Sequence[Gate]]]:
    """Every other sender that is held back and the headline's is not, with what holds it back."""
    for sender, decision in profile.by_sender.items():
        if gates := others_gates(profile, decision):
            icon = vocabulary.STATUS[decision.status][0]
            name = inert(phone(profile.senders.named(sender)), 80)
            yield f"{icon} *Texts from {name}*", gates


def other_keys(profile: Profile, channel: Channel) -> list[Gate]:
    """Blocks of other senders than the headline's: for what the contact refused, a re-opt-in waits
    for these, too."""
    if channel is not Channel.SMS or not profile.contact.consent(channel).refused:
        return []
    named = {gate.sender for gate in profile.decisions[channel].gates}
    gates = [gate for decision in profile.by_sender.values() for gate in decision.gates]
    return [g for g in gates if g.code is Code.CARRIER_BLOCK and g.sender not in named]


def _from_sender(profile: Profile, sender: str, decision: Decision) -> str:
    icon, word = vocabulary.STATUS[decision.status]
    return f"Texts from {inert(phone(profile.senders.named(sender)), 80)}: {icon} {word}"


def _removable(profile: Profile, channel: Channel) -> list[tuple[Gate, Block]]:
    """The entries of providers' lists, each with the button for when it is gone. What does not fit
    gets its button once these are gone."""
    pointer = ids.Pointer(contact=profile.contact.id, version=profile.contact.version)
    found: list[tuple[Gate, Block]] = []
    for gate in profile.decisions[channel].gates:
        if gate.code is not Code.SUPPRESSED or not gate.sender_id or gate.since is None:
            continue
        value = str(ids.ListEntry(card=pointer, name=gate.sender_id, since=gate.since))
        if len(value) <= VALUE and len(found) < _MOST_LISTS:
            listing = Listing.of(gate.sender_id)
            provider = shown(profile.senders.providers.label(listing.provider))
            found.append((gate, _removed(provider, value)))
    return found


def _removed(provider: str, value: str) -> Block:
    element = button(f"Removed at {provider}", ids.REMOVED, value)
    element["confirm"] = {
        "title": plain(f"Removed at {provider}?", 100),
        "text": plain(
            f"Press it only when the address was taken off {provider}'s suppression list. "
            "Nothing is sent by this.",
            300,
        ),
        "confirm": plain("It was removed", 30),
        "deny": plain("Not yet", 30),
    }
    return element


def _steps(
    profile: Profile, channel: Channel, *, but: Sequence[tuple[Gate, Block]] = ()
) -> Iterator[str]:
    """Every failing gate but those that stand elsewhere, and each key of a re-opt-in that is there
    already."""
    case = profile.cases.get(channel)
    lifted = _lifted(profile, channel)
    if lifted:
        yield lifted
    elsewhere = [gate for gate, _ in but]
    for gate in profile.decisions[channel].gates:
        if gate in elsewhere:
            continue
        if case is None or gate.code is not Code.OPTED_OUT:
            yield vocabulary.step(whose(profile, channel, gate))
        elif case.state is CaseState.APPROVED and case.decided_by and case.decided_at:
            own = " (the one who asked)" if case.self_approved else ""
            approver = f"{vocabulary.person(case.decided_by)}{own}, {date(case.decided_at)}"
            yield f"☑ *Manager* approved: {approver}"
        else:
            asked = f"{vocabulary.person(case.requested_by)}, {date(case.requested_at)}"
            yield f"☐ *Manager:* decides the re-opt-in request of {asked}"
    yield from (
        vocabulary.step(whose(profile, channel, gate)) for gate in other_keys(profile, channel)
    )


def _lifted(profile: Profile, channel: Channel) -> str | None:
    """The contact's key, where they gave it after they refused."""
    facts, consent = profile.facts.get(channel), profile.contact.consent(channel)
    if facts is None or not consent.refused or facts.blocks:
        return None
    cleared = [
        (at, sender)
        for sender, at in facts.cleared.items()
        if consent.since is None or at > consent.since
    ]
    if not cleared:
        return None
    at, sender = max(cleared)
    if channel is Channel.SMS:
        number = profile.senders.shown(sender)
        return f"☑ *Contact* lifted the block of {inert(phone(number))}, {date(at)}"
    provider = profile.senders.providers.label(Listing.of(sender).provider)
    return f"☑ *{inert(provider)}* took the address off its list, {date(at)}"


def _to_pass_on(gates: Sequence[Gate]) -> str | None:
    blocked = [gate for gate in gates if gate.code is Code.CARRIER_BLOCK and gate.sender]
    if not blocked:
        return None
    texts = [
        f"{gate.remedy.partition('texts ')[2].split(' ')[0]} to {inert(phone(gate.sender or ''))}"
        for gate in blocked
    ]
    return f"To get our texts again, please text {joined(texts)} from your phone."


def _notes(profile: Profile) -> Iterator[str]:
    for channel, others in profile.shared.items():
        if others:
            noun = "number" if channel is Channel.SMS else "address"
            have = "contact has" if others == 1 else "contacts have"
            yield f"👥 {others} other {have} this {noun}."
    for decision in profile.decisions.values():
        for note in decision.notes:
            yield f"{decision.channel.word}: {note}"


def _buttons(profile: Profile) -> Block:
    contact = profile.contact
    pointer = str(ids.Pointer(contact=contact.id, version=contact.version))
    options = [option("Refresh", f"{ids.REFRESH} {pointer}")]
    options.append(option("Change name, phone or e-mail", f"{ids.DETAILS} {pointer}"))
    for channel, action in ((Channel.SMS, ids.CLEAR_SMS), (Channel.EMAIL, ids.CLEAR_EMAIL)):
        facts = profile.facts.get(channel)
        if facts and facts.bounce is Bounce.YES and len(options) < 3:
            options.append(option(f"Clear {channel.word} Bounce", f"{action} {pointer}"))
    options.append(option("Add a note", f"{ids.NOTE} {pointer}"))
    options.append(option("Why this status", f"{ids.WHY} {pointer}"))
    aside = []
    if recorded(contact):
        if len(options) < _MOST_OPTIONS:
            options.append(option("Recorded by mistake", f"{ids.MISTAKE} {pointer}"))
        else:
            aside.append(button("Recorded by mistake", ids.MISTAKE, pointer))
    blocked = any(decision.gates for decision in profile.decisions.values())
    asking = list(_asking(profile, pointer))
    return {
        "type": "actions",
        "elements": [
            *asking,
            button("Edit", ids.EDIT, pointer, style="primary" if blocked and not asking else None),
            button("Activity Log", ids.ACTIVITY, pointer),
            *aside,
            {"type": "overflow", "action_id": ids.MORE, "options": options},
        ],
    }


def _asking(profile: Profile, pointer: str) -> Iterator[Block]:
    """Request re-opt-in for what the contact refused, the likely next step; or taking back what
    was asked for."""
    refused = [c for c in Channel if profile.contact.consent(c).refused]
    actions = {Channel.SMS: ids.REQUEST_SMS, Channel.EMAIL: ids.REQUEST_EMAIL}
    for channel in refused:
        of = f" ({channel.word})" if len(refused) > 1 else ""
        case = profile.cases.get(channel)
        if case is None:
            yield button(f"Request re-opt-in{of}", actions[channel], pointer, style="primary")
        else:
            about = str(ids.Pointer(contact=case.id, version=case.version))
            withdraw = button(f"Withdraw request{of}", f"{ids.WITHDRAW}_{channel}", about)
            withdraw["confirm"] = {
                "title": plain("Withdraw the request?", 100),
                "text": plain("It can be asked for again, with evidence.", 300),
                "confirm": plain("Withdraw", 30),
                "deny": plain("Keep it", 30),
            }
            yield withdraw


def decision_line(decision: Decision) -> str:
    """One answer on a line of its own."""
    return f"*{vocabulary.indicator(decision)}*"


def answers(profile: Profile) -> list[Block]:
    """Each answer with every reason why not, in full."""
    said = [
        section(
            decision_line(decision),
            *(vocabulary.step(whose(profile, channel, gate)) for gate in decision.gates),
        )
        if decision.gates
        else section(decision_line(decision), "Nothing stands in the way.")
        for channel, decision in profile.decisions.items()
    ]
    for title, gates in other_senders(profile):
        said.append(
            section(title, *(vocabulary.step(whose(profile, Channel.SMS, g)) for g in gates))
        )
    return said
