"""What has to happen before messages can be sent: a line per step, with who does it, and a button
where the person who looks may do it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.consent.alerts import NEW_OWNER
from bot.consent.cases import Case, CaseState
from bot.consent.gates import Code, Gate
from bot.consent.model import Channel
from bot.consent.permissions import Action, may
from bot.consent.suppressions import Listing, why
from bot.consent.use_cases import Profile, others_gates
from handlers import vocabulary
from handlers.slack import ids
from handlers.slack.blocks.elements import button, confirm
from handlers.slack.blocks.formatting import (
    VALUE,
    Block,
    context,
    day,
    inert,
    joined,
    phone,
    section,
    shown,
)

_ONLY_THEY = " (only they can)"
#: Of other senders that are blocked, lines on the card at most.
MOST_SENDERS = 3
#: Of one channel, in a view of at most 100 blocks.
MOST_STEPS = 30
#: Characters of a reply that fit into a confirm dialog beside what follows from the answer.
_IN_DIALOG = 170


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line, in mrkdwn."""

    text: str
    #: For the person who looks; none where somebody else does it.
    buttons: tuple[Block, ...] = ()
    #: Nobody has to do it any more.
    done: bool = False


def step_blocks(steps: Sequence[Step]) -> Iterator[Block]:
    """The steps, as far as one view has room for them. Lines without a button stand together; one
    button stands beside its line, two below it."""
    lines: list[str] = []
    for step in steps[:MOST_STEPS]:
        if not step.buttons:
            lines.append(step.text)
            continue
        if lines:
            yield section(*lines)
            lines = []
        if len(step.buttons) == 1:
            yield section(step.text, accessory=step.buttons[0])
        else:
            yield section(step.text)
            yield {"type": "actions", "elements": list(step.buttons)}
    if lines:
        yield section(*lines)
    if len(steps) > MOST_STEPS:
        yield context(f"{len(steps) - MOST_STEPS} more, once these are done.")


def steps(profile: Profile, channel: Channel, *, whole: bool = False) -> list[Step]:
    """Every failing gate of the headline and of blocks that a re-opt-in waits for, the likely next
    step first; and what is done already. `whole` quotes a held reply in full."""
    decision = profile.decisions[channel]
    # What stops both channels is told at the first.
    found = [
        _step(profile, channel, gate, whole=whole)
        for gate in decision.gates
        if gate.code is not Code.DO_NOT_CONTACT or channel is Channel.SMS
    ]
    found += [_step(profile, channel, gate) for gate in other_keys(profile, channel)]
    lifted = _lifted(profile, channel)
    # What somebody can press here comes before what only others can do.
    found.sort(key=lambda step: not step.buttons)
    return ([Step(text=lifted, done=True)] if lifted else []) + found


def sender_steps(profile: Profile) -> list[Step]:
    """What lifts the block of every other sender, where no step has named it."""
    told = {(gate.code, gate.sender) for gate in other_keys(profile, Channel.SMS)}
    found = []
    for sender, decision in profile.by_sender.items():
        name = inert(phone(profile.senders.named(sender)), 40)
        for gate in others_gates(profile, decision):
            if (gate.code, gate.sender) in told:
                continue
            since = f", since {day(gate.since)}" if gate.since else ""
            step = _step(profile, Channel.SMS, gate)
            text = step.text.removesuffix(_ONLY_THEY)
            found.append(Step(text=f"{text} ({name}{since})", buttons=step.buttons))
    return found


def other_keys(profile: Profile, channel: Channel) -> list[Gate]:
    """Blocks of other senders than the headline's: for what the contact refused, a re-opt-in waits
    for these, too."""
    if channel is not Channel.SMS or not profile.contact.consent(channel).refused:
        return []
    named = {gate.sender for gate in profile.decisions[channel].gates}
    gates = [gate for decision in profile.by_sender.values() for gate in decision.gates]
    blocked = [g for g in gates if g.code is Code.CARRIER_BLOCK and g.sender not in named]
    return list({gate.sender: gate for gate in blocked}.values())


def to_pass_on(profile: Profile, channel: Channel) -> Block | None:
    """What the agent can tell the contact by another way."""
    gates = [*profile.decisions[channel].gates, *other_keys(profile, channel)]
    blocked = [gate for gate in gates if gate.code is Code.CARRIER_BLOCK and gate.sender]
    if not blocked:
        return None
    texts = [f"{_word(profile, gate)} to {inert(phone(gate.sender or ''))}" for gate in blocked]
    said = f"Please text {joined(texts)} from your phone."
    return context(f"Tell them by phone or e-mail: “{said}”")


def _word(profile: Profile, gate: Gate) -> str:
    return inert(profile.senders.unblock_word(gate.sender_id or gate.sender or ""), 40)


def _step(profile: Profile, channel: Channel, gate: Gate, *, whole: bool = False) -> Step:
    """One gate: who opens it, how, and with what button."""
    if gate.code in _BY_SENDER:
        return _of_sender(profile, channel, gate)
    pointer = str(ids.Pointer(contact=profile.contact.id, version=profile.contact.version))
    if gate.code is Code.OPTED_OUT and profile.contact.consent(channel).refused:
        return _re_opt_in(profile, channel, pointer)
    if gate.code is Code.REVIEW_HOLD:
        return _held(profile, channel, whole=whole)
    if gate.code not in _PLAIN:
        return Step(text=f"☐ *{vocabulary.OWNER[gate.owner]}:* {inert(gate.remedy, 200)}")
    action, does, label, ids_of = _PLAIN[gate.code]
    words = _WORDS[channel]
    press = button(label.format_map(words), ids_of[channel], pointer)
    owner = vocabulary.OWNER[gate.owner]
    return _for(profile, action, f"☐ *{owner}:* {does.format_map(words)}", press)


#: Steps that the person who looks may do here: who may, what it is, and its button.
_PLAIN: dict[Code, tuple[Action, str, str, Mapping[Channel, str]]] = {
    Code.DO_NOT_CONTACT: (
        Action.LIFT_DO_NOT_CONTACT,
        "lift Do not contact once they ask",
        "Lift Do not contact",
        dict.fromkeys(Channel, ids.LIFT),
    ),
    Code.NO_ADDRESS: (
        Action.EDIT,
        "ask for {a}",
        "Add {noun}",
        dict.fromkeys(Channel, ids.PUT_IN),
    ),
    Code.INVALID_ADDRESS: (
        Action.EDIT,
        "ask for {a}",
        "Change {noun}",
        dict.fromkeys(Channel, ids.PUT_IN),
    ),
    Code.OPTED_OUT: (
        Action.EDIT,
        "ask whether they want {things}",
        "Record permission",
        ids.RECORD,
    ),
    Code.NEVER_ASKED: (
        Action.EDIT,
        "ask whether they want {things}",
        "Record permission",
        ids.RECORD,
    ),
    Code.BOUNCED: (
        Action.EDIT,
        "check that the {noun} works",
        "Clear {word} Bounce",
        ids.CLEAR,
    ),
    Code.COMPLAINT: (
        Action.CLEAR_COMPLAINT,
        "clear the spam report once they ask",
        "Clear spam complaint",
        ids.CLEAR,
    ),
}

_WORDS = {
    Channel.SMS: {"word": "SMS", "things": "texts", "noun": "number", "a": "a mobile number"},
    Channel.EMAIL: {
        "word": "Email",
        "things": "e-mails",
        "noun": "address",
        "a": "an e-mail address",
    },
}

_BY_SENDER = frozenset({Code.CARRIER_BLOCK, Code.BLOCK_UNKNOWN, Code.SUPPRESSED})


def _of_sender(profile: Profile, channel: Channel, gate: Gate) -> Step:
    """A block of one of our numbers, or an entry of a provider's list."""
    if channel is Channel.EMAIL and gate.leaving:
        label = inert(profile.senders.providers.label(gate.sender or ""), 40)
        does = "taking it off" if gate.code is Code.SUPPRESSED else "looking it up on"
        return Step(text=f"☐ *Optin:* {does} {label}'s list…")
    if gate.code is Code.SUPPRESSED:
        return _suppressed(profile, gate)
    if channel is Channel.EMAIL:
        return Step(text=f"☐ *Operator:* {inert(gate.remedy, 200)}{_held_up(profile, gate)}")
    word, number = _word(profile, gate), inert(phone(gate.sender or ""), 60)
    if gate.code is Code.CARRIER_BLOCK:
        return Step(text=f"☐ *Contact:* text {word} to {number}{_ONLY_THEY}")
    return Step(text=f"☐ *Agent:* ask if they texted STOP; {word} to {number} settles it")


def _for(profile: Profile, action: Action, text: str, *buttons: Block) -> Step:
    """A step whose buttons are drawn for whoever may press them."""
    allowed = profile.viewer is not None and may(profile.viewer, action)
    return Step(text=text, buttons=buttons if allowed else ())


def _suppressed(profile: Profile, gate: Gate) -> Step:
    listing = Listing.of(gate.sender_id or "")
    provider = inert(profile.senders.providers.label(listing.provider), 40)
    reason = inert(why(listing), 60)
    said = f"☐ *Operator:* take it off {provider}'s list ({reason}); a manager confirms"
    said += _held_up(profile, gate)
    pointer = ids.Pointer(contact=profile.contact.id, version=profile.contact.version)
    if not gate.sender_id or gate.since is None:
        return Step(text=said)
    value = str(ids.ListEntry(card=pointer, name=gate.sender_id, since=gate.since))
    if len(value) > VALUE:
        return Step(text=said)
    name = shown(profile.senders.providers.label(listing.provider), 40)
    removed = button(f"Removed at {name}", ids.REMOVED, value)
    removed["confirm"] = confirm(
        f"Removed at {name}?",
        f"Press it only when the address was taken off {name}'s suppression list: "
        f"{shown(why(listing), 60)}. Nothing is sent by this.",
        do="It was removed",
        leave="Not yet",
    )
    return _for(profile, Action.REMOVED_AT_PROVIDER, said, removed)


def _held_up(profile: Profile, gate: Gate) -> str:
    """Why Optin does not do it, behind the operator's step."""
    why_not = profile.held_up.get(gate.sender_id or "")
    return f". Optin does not: {inert(why_not, 120)}" if why_not else ""


def _re_opt_in(profile: Profile, channel: Channel, pointer: str) -> Step:
    """A manager's key, as far as it is."""
    case = profile.cases.get(channel)
    if case is None:
        ask = button(
            f"Request re-opt-in{_of(profile, channel)}",
            ids.REQUEST[channel],
            pointer,
            style="primary",
            spoken=f"Request re-opt-in for {vocabulary.things(channel)}",
        )
        said = "☐ *Agent:* get permission; ask a manager"
        return _for(profile, Action.REQUEST, said, ask)
    if case.state is CaseState.APPROVED and case.decided_by and case.decided_at:
        own = " (the one who asked)" if case.self_approved else ""
        by = f"{vocabulary.person(case.decided_by)}{own}, {day(case.decided_at)}"
        return Step(text=f"☑ *Manager:* approved by {by}", done=True)
    asked = vocabulary.actor(case.requested_by, profile.senders.providers)
    text = f"☐ *Manager:* approve or deny the request of {asked}"
    if channel not in profile.decidable:
        return Step(text=text)
    return Step(text=text, buttons=(_decide(case),))


def _decide(case: Case) -> Block:
    about = str(ids.Pointer(contact=case.id, version=case.version))
    return button("Decide", ids.DECIDE, about, style="primary", spoken="Decide the request")


def _of(profile: Profile, channel: Channel) -> str:
    """Which channel, where both were refused."""
    refused = [c for c in Channel if profile.contact.consent(c).refused]
    return f" ({_SHORT[channel]})" if len(refused) > 1 else ""


_SHORT = {Channel.SMS: "SMS", Channel.EMAIL: "mail"}


def _held(profile: Profile, channel: Channel, *, whole: bool) -> Step:
    """The question that the reply asks. It is answered only where all of it can be read: in the
    dialog, or in Details."""
    facts = profile.facts.get(channel)
    held = facts.hold if facts else None
    text = held.text if held else ""
    said = f"☐ *Agent:* was “{inert(text, 1_000 if whole else 60)}” an opt-out?"
    if held is None:
        return Step(text=said)
    pointer = str(ids.Pointer(contact=profile.contact.id, version=profile.contact.version))
    if len(text) > _IN_DIALOG and not whole:
        return _for(profile, Action.ANSWER, said, button("Read the reply", ids.WHY, pointer))
    quoted = f"“{shown(text, _IN_DIALOG)}” " if not whole else ""
    card = ids.Pointer(contact=profile.contact.id, version=profile.contact.version)
    value = str(ids.HoldPointer(card=card, channel=channel, since=held.since))
    things = vocabulary.things(channel)
    if text == NEW_OWNER:
        return _new_owner(profile, value)
    yes = button("It was an opt-out", ids.HOLD_YES, value, style="danger")
    yes["confirm"] = confirm(
        "It was an opt-out?",
        f"{quoted}No more {things} are sent to anybody with this address until a manager approves.",
        do="It was",
    )
    no = button("It was not", ids.HOLD_NO, value)
    no["confirm"] = confirm(
        "It was no opt-out?",
        f"{quoted}The hold ends, and {things} are sent again where nothing else stops them.",
        do="It was not",
    )
    return _for(profile, Action.ANSWER, said, yes, no)


def _new_owner(profile: Profile, value: str) -> Step:
    """The question that the provider's report of a reassigned number asks."""
    said = "☐ *Agent:* find out who has this number: the provider says it has a new owner"
    yes = button("It has a new owner", ids.HOLD_YES, value, style="danger")
    yes["confirm"] = confirm(
        "Has it a new owner?",
        "No more texts are sent to this contact's number. It is your decision, and not the "
        "contact's opt-out.",
        do="It has",
    )
    no = button("It has not", ids.HOLD_NO, value)
    no["confirm"] = confirm(
        "Is it still theirs?",
        "The hold ends. The provider's block stands until the contact texts UNSTOP.",
        do="It is theirs",
    )
    return _for(profile, Action.ANSWER, said, yes, no)


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
        return f"☑ *Contact:* lifted the block of {inert(phone(number))}, {day(at)}"
    provider = profile.senders.providers.label(Listing.of(sender).provider)
    return f"☑ *{inert(provider)}:* took the address off its list, {day(at)}"
