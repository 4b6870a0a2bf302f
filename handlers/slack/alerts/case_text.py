"""A re-opt-in as a message: asked for, then its progress; in mrkdwn, numbers masked, no names.

One drawing for every state and every copy: whatever happens to the case, the same message says so.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.consent.alerts import Alert, AlertKind
from bot.consent.cases import Case, CaseState
from bot.consent.gates import Code, Gate
from bot.consent.model import Channel
from bot.consent.rules import Answer, Decision
from bot.consent.use_cases import CaseDetails
from handlers.slack import ids
from handlers.slack.blocks.card import button
from handlers.slack.blocks.formatting import (
    Block,
    context,
    date,
    inert,
    joined,
    phone,
    plain,
    section,
    unaddressed,
)
from handlers.vocabulary import OWNER, actor, person, things

CASES = frozenset({AlertKind.CASE, AlertKind.CASE_TOLD, AlertKind.CASE_REMINDER})

#: Longest that a person's own words are quoted.
_QUOTED = 600

#: What a case that is over says first.
_OVER: dict[CaseState, str] = {
    CaseState.COMPLETED: "✅ *Done.*",
    CaseState.DENIED: "🔴 *Denied.*",
    CaseState.CANCELLED: "⚪ *Cancelled.*",
    CaseState.EXPIRED: "⚪ *Expired.*",
    CaseState.OVERTAKEN: "🔴 *Overtaken by a new refusal.*",
}


def case_lines(alert: Alert, matter: CaseDetails) -> list[str]:
    """The message as lines; the first one says it all."""
    match alert.kind:
        case AlertKind.CASE_TOLD:
            return list(_told(alert, matter))
        case AlertKind.CASE_REMINDER:
            return list(_reminder(matter))
    return [_headline(matter, alert.subject.masked), *details(matter), *progress(matter)]


def case_blocks(alert: Alert, matter: CaseDetails) -> list[Block]:
    """The same as blocks, with the buttons that the state still allows."""
    if alert.kind is not AlertKind.CASE:
        return [section(*case_lines(alert, matter))]
    blocks = [section(_headline(matter, alert.subject.masked))]
    if said := list(details(matter)):
        blocks.append(section(*said))
    blocks.append(section(*progress(matter)))
    if matter.case.state is CaseState.PENDING:
        if matter.warnings:
            blocks.append(context(*(f"⚠️ {inert(w, 300)}" for w in matter.warnings)))
        elements = decision_buttons(matter, _who(matter.case, alert.subject.masked))
        elements.append(button("View", ids.ALERT_VIEW, alert.id))
        blocks.append({"type": "actions", "elements": elements})
    return blocks


def decision_buttons(matter: CaseDetails, whom: str) -> list[Block]:
    """Approve, which asks once more whom it is for and says what it will do; and Deny."""
    case = matter.case
    pointer = str(ids.Pointer(contact=case.id, version=case.version))
    approve = button("Approve", ids.APPROVE, pointer, style="primary")
    approve["confirm"] = {
        "title": plain(f"Re-opt-in for {case.channel.word}?", 100),
        "text": plain(f"For {whom}, in your name. After that: {outlook(matter)}", 300),
        "confirm": plain("Approve", 30),
        "deny": plain("Not now", 30),
    }
    return [approve, button("Deny", ids.DENY, pointer, style="danger")]


def headline(case: Case, masked: str) -> str:
    """What it is, of whom, and how it stands."""
    about = f"*Re-opt-in for {case.channel.word}:* {_who(case, masked)}"
    if case.state is CaseState.PENDING:
        return f"🟡 {about}. A manager has to decide."
    if case.state is CaseState.APPROVED:
        return f"🟡 {about}. Approved; {waits_for(case)}."
    why = f" {inert(unaddressed(case.ended_why), 300)}" if case.ended_why else ""
    return f"{_OVER[case.state]} {about}.{why}"


def _headline(matter: CaseDetails, masked: str) -> str:
    """The same; and never green while a provider's list has the address."""
    listed = _listed(matter)
    if not listed:
        return headline(matter.case, masked)
    labels = dict.fromkeys(matter.providers.label(gate.sender or "") for gate in listed)
    lists = joined([f"{inert(label, 60)}'s suppression list" for label in labels])
    return (
        f"🟡 *Re-opt-in for {matter.case.channel.word}:* {_who(matter.case, masked)}. Approved, "
        f"but no e-mails are sent yet: the address is on {lists}."
    )


def still(matter: CaseDetails) -> str:
    """What keeps messages back although the case is completed, and who acts; empty where nothing
    does."""
    now = matter.now
    if now is None or not now.gates or now.answer is Answer.YES:
        return ""
    things_ = things(matter.case.channel)
    if now.answer is Answer.UNVERIFIED:
        return f"Not verified yet: {_remedies(now)}"
    return f"No {things_} are sent before this is done: {_remedies(now)}"


def _listed(matter: CaseDetails) -> list[Gate]:
    """The providers' lists that still have the address after the case is completed, while its YES
    stands: what happens after a new opt-out is another matter's."""
    now = matter.now
    if matter.case.state is not CaseState.COMPLETED or now is None:
        return []
    if any(gate.code is Code.OPTED_OUT for gate in now.gates):
        return []
    return [gate for gate in now.gates if gate.code is Code.SUPPRESSED]


def _remedies(decision: Decision) -> str:
    """Who does what, for each gate."""
    steps = (f"{OWNER[gate.owner]}: {inert(gate.remedy, 200)}" for gate in decision.gates)
    return " ".join(dict.fromkeys(steps))


def details(matter: CaseDetails) -> Iterator[str]:
    """What it rests on."""
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
    """Each key, ticked where it is there; and what approval leads to, while nobody has decided."""
    case = matter.case
    yield f"☑ Requested by {person(case.requested_by)}, {date(case.requested_at)}"
    if case.decided_by and case.decided_at:
        decided = f"by {person(case.decided_by)}, {date(case.decided_at)}"
        if case.state is CaseState.DENIED:
            yield f"🔴 Denied {decided}{_reason(case)}"
        else:
            own = " ⚠️ *the one who asked, as OPTIN_SELF_APPROVE allows*"
            yield f"☑ Approved {decided}{own if case.self_approved else ''}"
    elif case.open:
        yield "☐ A manager approves"
    # A block that came to light after the key was given is missing again.
    if case.open and matter.missing:
        yield from (f"☐ {step}" for step in contact_steps(matter))
    elif case.unstopped_at:
        yield f"☑ {_key(case)} {date(case.unstopped_at)}"
    if case.state is CaseState.COMPLETED:
        yield f"☑ {case.channel.word} On is YES"
        steps = (f"☐ *{OWNER[g.owner]}:* {inert(g.remedy, 200)}" for g in _listed(matter))
        yield from dict.fromkeys(steps)
    elif case.open:
        yield f"☐ {case.channel.word} On turns to YES"
    if case.state is CaseState.PENDING:
        yield f"After approval: {outlook(matter)}"
    if case.open:
        yield f"Expires {date(case.expires_at)}"
    elif case.ended_at and case.state is not CaseState.DENIED:
        yield f"Ended {date(case.ended_at)} by {actor(case.ended_by or 'system', matter.providers)}"


def waits_for(case: Case) -> str:
    """What is missing of an approved case, in short."""
    if case.channel is Channel.SMS:
        return "the contact's part is missing"
    return "the address is still on the provider's list"


def contact_steps(matter: CaseDetails) -> list[str]:
    """What is missing of the contact, or at the e-mail provider."""
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
        return f"still waiting for this: {steps}. {word} On turns to YES then, and not before."
    if then.answer is Answer.YES:
        return f"{word} On is YES at once, and {what} are sent again."
    if then.answer is Answer.UNVERIFIED:
        remedies = " ".join(inert(gate.remedy, 200) for gate in then.gates)
        return f"{word} On is YES at once, but not verified: {remedies}"
    return (
        f"{word} On is YES at once, and no {what} are sent before this is done: {_remedies(then)}"
    )


def pass_on(matter: CaseDetails) -> str:
    """The sentence for the contact, by another way."""
    texts = [f"{matter.unblock_words[name]} to {inert(phone(name))}" for name in matter.missing]
    return f"> To get our texts again, please text {joined(texts)} from your phone."


def _told(alert: Alert, matter: CaseDetails) -> Iterator[str]:
    """To whoever asked: the state at that time, and what they can do."""
    case = matter.case
    about = f"{_who(case, alert.subject.masked)} ({case.channel.word})"
    by = actor(case.decided_by or case.ended_by or "system", matter.providers)
    match alert.text:
        case CaseState.APPROVED:
            yield f"🟡 {by} approved your re-opt-in request for {about}."
            if matter.missing:
                yield f"Still missing: {joined(contact_steps(matter))}."
                if case.channel is Channel.SMS:
                    yield "Pass on to the contact, by another way:"
                    yield pass_on(matter)
        case CaseState.COMPLETED:
            icon = "🟡" if _listed(matter) else "✅"
            yield f"{icon} {about}: {case.channel.word} On is YES. {by} approved your request."
            if said := still(matter):
                yield said
        case CaseState.DENIED:
            yield f"🔴 {by} denied your re-opt-in request for {about}."
            if case.decision:
                yield f"Reason: {inert(unaddressed(case.decision), 300)}"
        case CaseState.EXPIRED:
            yield f"⚪ Your re-opt-in request for {about} expired: two weeks went by."
            yield "If the contact still wants it, ask again with new evidence."
        case CaseState.OVERTAKEN:
            yield f"🔴 {about} refused again, so your re-opt-in request is over."
        case _:
            why = f": {inert(unaddressed(case.ended_why), 300)}" if case.ended_why else "."
            yield f"⚪ Your re-opt-in request for {about} was cancelled{why}"


def _reminder(matter: CaseDetails) -> Iterator[str]:
    case = matter.case
    if case.state is CaseState.APPROVED:
        yield f"⏰ Still missing: {joined(contact_steps(matter) or ['the contact'])}."
        if case.channel is Channel.SMS and matter.missing:
            yield "Pass on to the contact, by another way:"
            yield pass_on(matter)
    elif case.state is CaseState.PENDING:
        yield f"⏰ Nobody has decided this yet; it was asked for {date(case.requested_at)}."
    else:
        yield "This was decided meanwhile."
    if case.open:
        yield f"It expires {date(case.expires_at)}."


def _reason(case: Case) -> str:
    """Of a denial; none after an erasure."""
    return f": {inert(unaddressed(case.decision), 300)}" if case.decision else "."


def _who(case: Case, masked: str) -> str:
    if not masked:
        return "an erased contact"
    return f"{'number' if case.channel is Channel.SMS else 'address'} {inert(masked)}"


def _key(case: Case) -> str:
    if case.channel is Channel.SMS:
        return "Contact lifted the carrier's block"
    return "The address is off the provider's list"
