"""A re-opt-in as a message: the request, then its progress; in mrkdwn, numbers masked, no names.

Every copy of the message looks the same and follows the state of the case.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.consent.alerts import Alert, AlertKind
from bot.consent.cases import CaseState
from bot.consent.model import Channel
from bot.consent.use_cases import CaseDetails
from handlers.slack import ids
from handlers.slack.alerts.render.case_progress import (
    contact_steps,
    current_headline,
    details,
    listed_gates,
    masked_address,
    outlook,
    pass_on,
    progress,
    still,
)
from handlers.slack.blocks.elements import button
from handlers.slack.blocks.formatting import (
    Block,
    context,
    date,
    inert,
    joined,
    plain,
    section,
    unaddressed,
)
from handlers.vocabulary import actor

CASES = frozenset({AlertKind.CASE, AlertKind.CASE_TOLD, AlertKind.CASE_REMINDER})


def case_lines(alert: Alert, matter: CaseDetails) -> list[str]:
    """The message as lines; the first one says it all."""
    match alert.kind:
        case AlertKind.CASE_TOLD:
            return list(_told(alert, matter))
        case AlertKind.CASE_REMINDER:
            return list(_reminder(matter))
    return [current_headline(matter, alert.subject.masked), *details(matter), *progress(matter)]


def case_blocks(alert: Alert, matter: CaseDetails) -> list[Block]:
    """The same as blocks, with the buttons that the state still allows."""
    if alert.kind is not AlertKind.CASE:
        return [section(*case_lines(alert, matter))]
    blocks = [section(current_headline(matter, alert.subject.masked))]
    if said := list(details(matter)):
        blocks.append(section(*said))
    blocks.append(section(*progress(matter)))
    if matter.case.state is CaseState.PENDING:
        if matter.warnings:
            blocks.append(context(*(f"⚠️ {inert(w, 300)}" for w in matter.warnings)))
        elements = decision_buttons(matter, masked_address(matter.case, alert.subject.masked))
        elements.append(button("View", ids.ALERT_VIEW, alert.id))
        blocks.append({"type": "actions", "elements": elements})
    return blocks


def decision_buttons(matter: CaseDetails, whom: str) -> list[Block]:
    """Approve and Deny. Approve asks to confirm, and says whom it is for and what it does."""
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


def _told(alert: Alert, matter: CaseDetails) -> Iterator[str]:
    """To the person who asked: the state at that time, and what they can do."""
    case = matter.case
    about = f"{masked_address(case, alert.subject.masked)} ({case.channel.word})"
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
            icon = "🟡" if listed_gates(matter) else "✅"
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
