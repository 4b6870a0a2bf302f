"""How a re-opt-in stands: headline, evidence, requirements, and what approval leads to."""

from __future__ import annotations

from collections.abc import Iterator

from bot.consent.cases import CONTACT, Case, CaseState
from bot.consent.gates import Code, Gate
from bot.consent.model import Channel
from bot.consent.rules import Answer, Decision
from bot.consent.use_cases import CaseDetails
from handlers.slack.blocks.formatting import date, inert, joined, phone, unaddressed
from handlers.vocabulary import actor, doer, things

#: Longest that a person's own words are quoted.
_QUOTED = 600

#: What a case that is over says first.
_OVER: dict[CaseState, str] = {
    CaseState.COMPLETED: "✅ *Done.*",
    CaseState.DENIED: "🔴 *Denied.*",
    CaseState.CANCELLED: "⚪ *Cancelled.*",
    CaseState.EXPIRED: "⚪ *Expired.*",
    CaseState.OVERTAKEN: "🔴 *Overtaken by a new opt-out.*",
}


def headline(case: Case, masked: str) -> str:
    """The channel, the address and the state."""
    about = f"*Re-opt-in for {case.channel.word}:* {masked_address(case, masked)}"
    if case.state is CaseState.PENDING:
        return f"🟡 {about}. A manager has to decide."
    if case.state is CaseState.APPROVED:
        return f"🟡 {about}. Approved; {waits_for(case)}."
    why = f" {inert(unaddressed(case.ended_why), 300)}" if case.ended_why else ""
    return f"{_OVER[case.state]} {about}.{why}"


def current_headline(matter: CaseDetails, masked: str) -> str:
    """As `headline`, but never green while a provider's list has the address, or after a new
    opt-out."""
    case = matter.case
    if again := opted_out_again(matter):
        return (
            f"🔴 *Opted out again{again}:* {masked_address(case, masked)}. The re-opt-in for "
            f"{case.channel.word} has ended."
        )
    listed = listed_gates(matter)
    if not listed:
        return headline(case, masked)
    labels = dict.fromkeys(matter.providers.label(gate.sender or "") for gate in listed)
    lists = joined([f"{inert(label, 60)}'s suppression list" for label in labels])
    if all(gate.leaving for gate in listed):
        return (
            f"🟡 *Re-opt-in for {case.channel.word}:* {masked_address(case, masked)}. Approved. "
            f"The address is being taken off {lists}. After that, e-mails are sent."
        )
    return (
        f"🟡 *Re-opt-in for {case.channel.word}:* {masked_address(case, masked)}. Approved, "
        f"but no e-mails are sent yet: the address is on {lists}."
    )


def still(matter: CaseDetails) -> str:
    """What still prevents messages after the case is completed, and who acts; empty for nothing."""
    now = matter.now
    if now is None or not now.gates or now.answer is Answer.YES:
        return ""
    things_ = things(matter.case.channel)
    if now.answer is Answer.UNVERIFIED:
        return f"Not verified yet: {_remedies(now)}"
    if all(gate.leaving for gate in now.gates):
        labels = dict.fromkeys(matter.providers.label(gate.sender or "") for gate in now.gates)
        lists = joined([f"{inert(label, 60)}'s list" for label in labels])
        return f"The address is being taken off {lists}. After that, {things_} are sent."
    return f"No {things_} are sent before this is done: {_remedies(now)}"


def opted_out_again(matter: CaseDetails) -> str:
    """That the contact has opted out after the case was completed, and when: " 3 Nov, 10:42"; or
    " since", where the time is unknown. Empty where they have not."""
    if matter.case.state is not CaseState.COMPLETED or matter.now is None:
        return ""
    for gate in matter.now.gates:
        if gate.code is Code.OPTED_OUT:
            return f" {date(gate.since)}" if gate.since else " since"
    return ""


def listed_gates(matter: CaseDetails) -> list[Gate]:
    """The providers' lists that still have the address after the case is completed. None after a
    new opt-out, which another case is about."""
    now = matter.now
    if matter.case.state is not CaseState.COMPLETED or now is None:
        return []
    if any(gate.code is Code.OPTED_OUT for gate in now.gates):
        return []
    return [gate for gate in now.gates if gate.code is Code.SUPPRESSED]


def _remedies(decision: Decision) -> str:
    """Who does what, for each gate."""
    steps = (f"{doer(gate)}: {inert(gate.remedy, 200)}" for gate in decision.gates)
    return " ".join(dict.fromkeys(steps))


def details(matter: CaseDetails) -> Iterator[str]:
    """What the request rests on."""
    case = matter.case
    if case.refused_at:
        how = f": _{inert(unaddressed(case.refusal), 200)}_" if case.refusal else ""
        yield f"Opted out {date(case.refused_at)}{how}"
    if case.reason:
        yield f"How they asked: {inert(unaddressed(case.reason), 200)}"
    yield from evidence_line(case, _QUOTED)
    if case.note:
        yield f"Note: {inert(unaddressed(case.note), _QUOTED)}"


def evidence_line(case: Case, longest: int) -> Iterator[str]:
    """The words that show the new permission, and when it was given; none after an erasure."""
    if case.evidence.text:
        at = f" ({date(case.evidence.at)})" if case.evidence.at else ""
        yield f"Evidence{at}: “{inert(unaddressed(case.evidence.text), longest)}”"


def progress(matter: CaseDetails) -> Iterator[str]:
    """Each requirement, ticked where it is met; and what approval leads to, while nobody has
    decided."""
    case = matter.case
    by = actor(case.requested_by, matter.providers)
    yield f"☑ Requested by {by}, {date(case.requested_at)}"
    yield from decision(matter)
    # A block that came to light after UNSTOP has to be lifted, too.
    if case.open and matter.missing:
        yield from (f"☐ {step}" for step in contact_steps(matter))
    elif case.unstopped_at:
        yield f"☑ {_key(case)} {date(case.unstopped_at)}"
    if opted_out_again(matter):
        yield f"☑ {case.channel.word} On was YES until the contact opted out again"
    elif case.state is CaseState.COMPLETED:
        yield f"☑ {case.channel.word} On is YES"
        steps = (f"☐ *{doer(g)}:* {inert(g.remedy, 200)}" for g in listed_gates(matter))
        yield from dict.fromkeys(steps)
    elif case.open:
        yield f"☐ {case.channel.word} On turns to YES"
    if case.state is CaseState.PENDING:
        yield f"After approval: {outlook(matter)}"
    if case.open:
        yield f"Expires {date(case.expires_at)}"
    elif case.ended_at and case.state is not CaseState.DENIED:
        yield f"Ended {date(case.ended_at)} by {actor(case.ended_by or 'system', matter.providers)}"


def decision(matter: CaseDetails, longest: int = 300) -> Iterator[str]:
    """Who decided, and a denial's reason."""
    case = matter.case
    if case.decided_by and case.decided_at:
        decided = f"by {actor(case.decided_by, matter.providers)}, {date(case.decided_at)}"
        if case.decided_by == CONTACT:
            yield f"☑ Confirmed by the contact's own link, {date(case.decided_at)}"
        elif case.state is CaseState.DENIED:
            yield f"🔴 Denied {decided}{_reason(case, longest)}"
        else:
            own = " ⚠️ *the one who asked, as OPTIN_SELF_APPROVE allows*"
            yield f"☑ Approved {decided}{own if case.self_approved else ''}"
    elif case.open:
        yield "☐ A manager approves"


def waits_for(case: Case) -> str:
    """What an approved case still needs, in short."""
    if case.channel is Channel.SMS:
        return "it waits for the contact's UNSTOP"
    return "the address is still on the provider's list"


def contact_steps(matter: CaseDetails) -> list[str]:
    """What the contact or the e-mail provider still has to do."""
    if matter.case.channel is Channel.SMS:
        return [
            f"Contact texts {matter.unblock_words[sender]} to {inert(phone(sender))}"
            for sender in matter.missing
        ]
    return [
        f"{inert(matter.providers.label(name))} takes the address off its list"
        for name in matter.missing
    ]


def outlook(matter: CaseDetails) -> str:
    """What approval will lead to, by the same rules as every card."""
    case, then = matter.case, matter.then
    word, what = case.channel.word, things(case.channel)
    if then is None:
        return "nothing, since the contact is gone."
    if matter.missing:
        steps = joined(contact_steps(matter))
        return f"{word} On turns to YES when this happens, and not before: {steps}."
    if then.answer is Answer.YES:
        return f"{word} On is YES at once, and {what} are sent again."
    if then.answer is Answer.UNVERIFIED:
        remedies = " ".join(inert(gate.remedy, 200) for gate in then.gates)
        return f"{word} On is YES at once, but not verified: {remedies}"
    return (
        f"{word} On is YES at once, and no {what} are sent before this is done: {_remedies(then)}"
    )


def pass_on(matter: CaseDetails) -> str:
    """The sentence that an agent can pass on to the contact."""
    texts = [f"{matter.unblock_words[name]} to {inert(phone(name))}" for name in matter.missing]
    return f"> To get our texts again, please text {joined(texts)} from your phone."


def masked_address(case: Case, masked: str) -> str:
    if not masked:
        return "an erased contact"
    return f"{'number' if case.channel is Channel.SMS else 'address'} {inert(masked)}"


def _reason(case: Case, longest: int) -> str:
    """Of a denial. Erased together with the contact."""
    return f": {inert(unaddressed(case.decision), longest)}" if case.decision else "."


def _key(case: Case) -> str:
    if case.channel is Channel.SMS:
        return "Contact lifted the carrier's block"
    return "The address is off the provider's list"
