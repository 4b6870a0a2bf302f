"""The requests of programs as one message: who signed up again, what they said, and the buttons.

A manager decides here by name, so this message names the contacts, which no other one in a channel
does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.consent.cases import CaseState
from bot.consent.rules import Answer
from bot.consent.use_cases import CaseDetails
from handlers.slack.alerts.render.case_progress import (
    contact_steps,
    decision,
    masked_address,
    opted_out_again,
)
from handlers.slack.alerts.render.case_text import decision_buttons
from handlers.slack.blocks.formatting import (
    MESSAGE,
    Block,
    date,
    divider,
    fit,
    inert,
    masked,
    section,
    shown,
    unaddressed,
)
from handlers.vocabulary import actor, things

#: Characters of a name.
_NAME = 60
#: Characters of each person's words: as many as the message has room for.
_ROOM = (160, 80, 40, 20)


def case_list_lines(matters: Sequence[CaseDetails]) -> list[str]:
    """The message as lines; the first one says how many are open."""
    return [_headline(matters), *(line for one in matters for line in _lines(one, _ROOM[1]))]


def case_list_blocks(matters: Sequence[CaseDetails]) -> list[Block]:
    """The same as blocks, with Approve and Deny for each that is open."""
    blocks: list[Block] = []
    for room in _ROOM:
        blocks = [section(_headline(matters)), divider()]
        for matter in matters:
            blocks += _blocks(matter, room)
        if _characters(blocks) <= MESSAGE:
            break
    return blocks


def _headline(matters: Sequence[CaseDetails]) -> str:
    count = len(matters)
    requests = (
        "Re-opt-in request from another program"
        if count == 1
        else f"{count} re-opt-in requests from other programs"
    )
    left = sum(matter.case.state is CaseState.PENDING for matter in matters)
    if not left:
        return f"☑️ *{requests}:* nothing is left to decide."
    if left < count:
        return f"🟡 *{requests}:* {left} still {_wait(left)} for a manager."
    if count == 1:
        return f"🟡 *{requests}:* the contact opted out, and signed up again. A manager decides it."
    return (
        f"🟡 *{requests}:* the contacts opted out, and signed up again. A manager decides each of "
        "them."
    )


def _wait(count: int) -> str:
    return "waits" if count == 1 else "wait"


def _blocks(matter: CaseDetails, room: int) -> Iterator[Block]:
    yield section(*_lines(matter, room))
    case, contact = matter.case, matter.contact
    if case.state is CaseState.PENDING and contact is not None:
        whom = f"{shown(contact.name, min(_NAME, room))}, {masked(case.address)}"
        # With the outlook, as far as there is room for it.
        elements = decision_buttons(matter, fit(whom, 60 + room), longest=80 + room)
        for button, does in zip(elements, ("Approve", "Deny"), strict=True):
            button["accessibility_label"] = f"{does} {shown(contact.name, 50)}"
        yield {"type": "actions", "elements": elements}


def _lines(matter: CaseDetails, room: int) -> Iterator[str]:
    case = matter.case
    name = _within(matter.contact.name, min(_NAME, room)) if matter.contact else "Erased contact"
    about = f"*{name}* · {case.channel.word}"
    if case.address:
        about += f" · {masked_address(case, shown(masked(case.address), 40))}"
    if case.state is not CaseState.PENDING:
        yield f"{about}: {_state(matter)}"
        yield from decision(matter, room)
        yield from _missing(matter, room)
        return
    yield f"{about} · from {_within(actor(case.requested_by, matter.providers), _NAME)}"
    if case.refused_at:
        how = f": _{_within(unaddressed(case.refusal), room)}_" if case.refusal else ""
        yield f"Opted out {date(case.refused_at)}{how}"
    if case.evidence.text:
        at = f" ({date(case.evidence.at)})" if case.evidence.at else ""
        yield f"Evidence{at}: “{_within(unaddressed(case.evidence.text), room)}”"
    if matter.warnings:
        yield f"⚠️ {_within(' '.join(matter.warnings), room)}"
    yield from _missing(matter, room)


def _missing(matter: CaseDetails, room: int) -> Iterator[str]:
    """What only the contact or the e-mail provider can do, while the request is open."""
    if matter.case.open and (steps := contact_steps(matter)):
        yield f"☐ {_within('; '.join(steps), room)}"


def _state(matter: CaseDetails) -> str:
    """What came of a request; never green while no messages are sent."""
    case, now = matter.case, matter.now
    if opted_out_again(matter):
        return "🔴 opted out again"
    if case.state is CaseState.COMPLETED and (now is None or now.answer is not Answer.YES):
        return f"🟡 {case.channel.word} On is YES, but no {things(case.channel)} are sent yet"
    return _STATES[case.state]


_STATES: Mapping[CaseState, str] = {
    CaseState.APPROVED: "🟡 approved, but not complete yet",
    CaseState.COMPLETED: "✅ opted in again",
    CaseState.DENIED: "🔴 denied",
    CaseState.CANCELLED: "⚪ cancelled",
    CaseState.EXPIRED: "⚪ expired",
    CaseState.OVERTAKEN: "🔴 overtaken by a new opt-out",
}


def _within(text: str, room: int) -> str:
    """Somebody's words that are as short when they are escaped."""
    said = inert(text, room)
    return said if len(said) <= room else inert(text, room // 5)


def _characters(node: Any) -> int:
    """Of all texts, as Slack counts them for a message."""
    if isinstance(node, dict):
        own = node["text"] if isinstance(node.get("text"), str) else ""
        return len(own) + sum(map(_characters, node.values()))
    return sum(map(_characters, node)) if isinstance(node, list) else 0
