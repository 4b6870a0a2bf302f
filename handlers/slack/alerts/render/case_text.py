"""A re-opt-in as a message: the request, then its progress; in mrkdwn, with masked numbers.

Every message follows the state of the case and says it first. Only a direct message to the person
who asked names the contact.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.consent.alerts import Alert, AlertKind
from bot.consent.cases import CaseState
from bot.consent.use_cases import CaseDetails
from handlers.slack import ids
from handlers.slack.alerts.render.case_progress import (
    current_headline,
    details,
    masked_address,
    outlook,
    progress,
)
from handlers.slack.alerts.render.requester_text import to_requester
from handlers.slack.blocks.elements import button
from handlers.slack.blocks.formatting import Block, context, date, inert, plain, section
from handlers.vocabulary import actor, person

CASES = frozenset({AlertKind.CASE, AlertKind.CASE_TOLD, AlertKind.CASE_REMINDER})


def case_lines(alert: Alert, matter: CaseDetails, *, named: bool = False) -> list[str]:
    """The message as lines; the first one says how the case stands. With `named` it goes to one
    person who may see the contact's name."""
    if alert.kind is AlertKind.CASE:
        return [current_headline(matter, alert.subject.masked), *details(matter), *progress(matter)]
    if alert.thread:
        return list(_to_managers(matter))
    return list(to_requester(alert, matter, named=named))


def case_blocks(alert: Alert, matter: CaseDetails, *, named: bool = False) -> list[Block]:
    """The same as blocks, with the buttons that the state still allows."""
    if alert.kind is not AlertKind.CASE:
        blocks = [section(*case_lines(alert, matter, named=named))]
        if named and matter.contact is not None:
            view = button("View", ids.ALERT_VIEW, alert.id)
            blocks.append({"type": "actions", "elements": [view]})
        return blocks
    blocks = [section(current_headline(matter, alert.subject.masked))]
    if said := list(details(matter)):
        blocks.append(section(*said))
    blocks.append(section(*progress(matter)))
    if matter.case.state is CaseState.PENDING:
        if matter.warnings:
            blocks.append(context(*(f"⚠️ {inert(w, 300)}" for w in matter.warnings)))
        whom = masked_address(matter.case, alert.subject.masked)
        # A channel's message is everybody's, but a direct message knows who reads it.
        own = may_not_approve(matter, f"slack:{alert.slack_channel}")
        elements = decision_buttons(matter, whom, approves=not own)
        elements.append(button("View", ids.ALERT_VIEW, alert.id))
        blocks.append({"type": "actions", "elements": elements})
    return blocks


def may_not_approve(matter: CaseDetails, person: str) -> bool:
    """Whether this person asked for the re-opt-in, so that another manager has to approve it."""
    return matter.case.requested_by == person and not matter.self_approve


def decision_buttons(
    matter: CaseDetails, whom: str, *, approves: bool = True, longest: int = 300
) -> list[Block]:
    """Approve and Deny. Approve asks to confirm, and says whom it is for and what it does, in as
    many characters."""
    case = matter.case
    pointer = str(ids.Pointer(contact=case.id, version=case.version))
    deny = button("Deny", ids.DENY, pointer, style="danger")
    if not approves:
        return [deny]
    approve = button("Approve", ids.APPROVE, pointer, style="primary")
    approve["confirm"] = {
        "title": plain(f"Re-opt-in for {case.channel.word}?", 100),
        "text": plain(f"For {whom}, in your name. After that: {outlook(matter)}", longest),
        "confirm": plain("Approve", 30),
        "deny": plain("Not now", 30),
    }
    return [approve, deny]


def _to_managers(matter: CaseDetails) -> Iterator[str]:
    """A reminder in the thread of a request."""
    case = matter.case
    if case.state is CaseState.PENDING:
        yield (
            f"⏰ Nobody has decided this yet. {person(case.requested_by)} requested it "
            f"{date(case.requested_at)}. It expires {date(case.expires_at)}."
        )
    elif case.state is CaseState.EXPIRED:
        yield "⚪ Nobody decided this in two weeks, so the request expired."
    elif case.state is CaseState.OVERTAKEN:
        yield "🔴 No longer waiting: the contact opted out again."
    else:
        by, at = case.decided_by or case.ended_by, case.decided_at or case.ended_at
        did = {CaseState.DENIED: "denied", CaseState.CANCELLED: "cancelled"}.get(
            case.state, "approved"
        )
        when = f" {date(at)}" if at else ""
        yield f"☑ No longer waiting: {actor(by or 'system', matter.providers)} {did} this{when}."
