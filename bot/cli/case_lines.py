"""A re-opt-in request as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from bot.cli.terminal import when
from bot.consent.cases import CONTACT, CaseState
from bot.consent.model import Channel
from bot.consent.use_cases import (
    CaseDetails,
)
from handlers.slack.blocks.formatting import phone, shown
from handlers.vocabulary import actor, doer


def case_line(about: CaseDetails) -> str:
    case = about.case
    name = shown(about.contact.name, 40) if about.contact else "(gone)"
    said = [case.id, case.state, case.channel.word, name, case.address]
    return "  ".join([*filter(None, said), f"asked {when(case.requested_at)}"])


def case_lines(about: CaseDetails) -> Iterator[str]:
    case = about.case
    yield case_line(about)
    if case.refused_at:
        yield f"  Opted out     {when(case.refused_at)} {shown(case.refusal or '', 200)}".rstrip()
    if case.evidence.text:
        at = f" ({when(case.evidence.at)})" if case.evidence.at else ""
        yield f"  Evidence      {shown(case.evidence.text, 600)}{at}"
    if case.note:
        yield f"  Note          {shown(case.note, 600)}"
    asked = actor(case.requested_by, about.providers, markup=False)
    yield f"  ☑ Requested by {asked}, {when(case.requested_at)}"
    yield from _steps(about)
    for warning in about.warnings if case.open else ():
        yield f"  ! {warning}"
    if case.open:
        yield f"  Expires {when(case.expires_at)}"
    elif case.state is CaseState.COMPLETED:
        yield f"  ☑ {case.channel.word} On is YES"
        for gate in about.now.gates if about.now else ():
            yield f"  ☐ {doer(gate)}: {gate.remedy}"
    elif case.ended_why:
        yield f"  {case.ended_why}"


def _steps(about: CaseDetails) -> Iterator[str]:
    case = about.case
    if case.decided_by == CONTACT and case.decided_at:
        yield f"  ☑ Confirmed by the contact's own link, {when(case.decided_at)}"
    elif case.decided_by and case.decided_at:
        word = "Denied" if case.state is CaseState.DENIED else "Approved"
        own = ", who asked for it" if case.self_approved else ""
        why = f": {shown(case.decision, 300)}" if case.decision else ""
        by = actor(case.decided_by, about.providers, markup=False)
        yield f"  ☑ {word} by {by}{own}, {when(case.decided_at)}{why}"
    elif case.open:
        yield "  ☐ A manager approves"
    if case.open and about.missing:
        for sender in about.missing:
            sms = case.channel is Channel.SMS
            yield (
                f"  ☐ Contact texts {about.unblock_words[sender]} to {phone(sender)}"
                if sms
                else f"  ☐ {sender} takes the address off its list"
            )
    elif case.unstopped_at:
        yield f"  ☑ The block was lifted, {when(case.unstopped_at)}"
    if case.state is CaseState.PENDING and about.then and not about.missing:
        for gate in about.then.gates:
            yield f"  After approval: {gate.remedy}"
