"""Alerts about an opt-out: first what is true now, then what happened."""

from __future__ import annotations

from collections.abc import Iterator

from bot.consent.alerts import NEW_OWNER, Alert, AlertKind
from bot.consent.cases import CONTACT, Case, CaseState
from bot.consent.gates import Code
from bot.consent.use_cases import CaseDetails, PresentState
from bot.consent.use_cases.alerts.reviews import NO_REFUSAL, REFUSAL
from handlers.slack.alerts.render.case_progress import contact_steps
from handlers.slack.alerts.render.opt_out_events import as_new, event, quotation
from handlers.slack.alerts.render.subject_text import address_noun, who
from handlers.slack.blocks.formatting import date, joined
from handlers.vocabulary import actor, person, things

#: Ends of a case that leave the opt-out as it was: "@lee denied the re-opt-in".
_ENDED = {
    CaseState.DENIED: "denied the re-opt-in",
    CaseState.CANCELLED: "cancelled the re-opt-in request",
}


def opt_out(alert: Alert, now: PresentState) -> list[str]:
    """The alert as lines: the present state, then the events that led to it."""
    state = _state(alert, now)
    if state is None:
        return [as_new(alert), *quotation(alert), *_shared(alert)]
    return [state, event(alert), *quotation(alert), *_history(alert, now), *_shared(alert)]


def is_back(alert: Alert, now: PresentState) -> bool:
    """Whether a re-opt-in gave the contact's consent back, and no opt-out has followed."""
    done = now.case is not None and now.case.case.state is CaseState.COMPLETED
    return (alert.follow_up.returned_at is not None or done) and not _opted_out_again(now)


def has_open_case(now: PresentState) -> bool:
    return now.case is not None and now.case.case.open


def _state(alert: Alert, now: PresentState) -> str | None:
    """The first line once something has happened since; None while nothing has."""
    then, whom = alert.follow_up, who(alert)
    what = things(alert.subject.channel)
    if has_open_case(now):
        assert now.case is not None
        return _open(now.case, whom, what)
    if is_back(alert, now):
        return _back(alert, now)
    again = now.case.case.ended_at if now.case is not None and _opted_out_again(now) else None
    if then.unstopped_at and (again is None or then.unstopped_at >= again):
        return _came_back(alert)
    if again is not None:
        return f"🔴 *Opted out again:* no more {what} are sent to {whom}."
    return _half_way(alert)


def _half_way(alert: Alert) -> str | None:
    """Of an UNSTOP that did nothing, or of an answered reply."""
    then = alert.follow_up
    if then.unread_at:
        return (
            f"🔴 *Still blocked:* {who(alert)} texted UNSTOP with other words "
            f"{date(then.unread_at)}, which the carrier ignores. Ask the contact to text UNSTOP "
            "and nothing else."
        )
    if alert.kind is AlertKind.REVIEW and then.answer is not None:
        return _answered(alert)
    return None


def _open(about: CaseDetails, whom: str, what: str) -> str:
    case = about.case
    if case.state is CaseState.PENDING:
        return (
            f"🟡 *Re-opt-in requested:* a manager decides whether {whom} gets {what} again. Until "
            f"then no {what} are sent."
        )
    steps = contact_steps(about)
    waits = f" when this is done: {joined(steps)}." if steps else " soon."
    return f"🟡 *Re-opt-in approved:* {what} to {whom} start again{waits}"


def _back(alert: Alert, now: PresentState) -> str:
    case = now.case.case if now.case is not None else None
    at = alert.follow_up.returned_at or (case.ended_at if case else None)
    by = "a manager"
    if now.case is not None and now.case.case.decided_by:
        by = actor(now.case.case.decided_by, now.case.providers)
    did = "confirmed" if case and case.decided_by == CONTACT else "approved"
    one = "" if len(alert.subject.contacts) < 2 else " for one of the contacts who have it"
    when = f" {date(at)}" if at else ""
    return (
        f"☑️ *Opted in again{when}:* {by} {did} {things(alert.subject.channel)} to "
        f"{who(alert)}{one}. View shows whether anything else is in the way."
    )


def _came_back(alert: Alert) -> str:
    at = alert.follow_up.unstopped_at
    assert at is not None
    head = f"🟡 *Came back {date(at)} with UNSTOP, still needs a manager:*"
    what = things(alert.subject.channel)
    if alert.kind is AlertKind.UNKNOWN:
        return (
            f"{head} no contact has {who(alert)}. Whoever is added with this "
            f"{address_noun(alert)} gets {what} after a manager approves."
        )
    return f"{head} {who(alert)} gets {what} again after a manager approves."


def _answered(alert: Alert) -> str:
    """Of a reply that somebody had to read."""
    then = alert.follow_up
    what, whom = things(alert.subject.channel), who(alert)
    at = f" {date(then.handled_at)}" if then.handled_at else ""
    if then.handled_by == "system":
        return (
            f"🔴 *It counts as an opt-out:* no more {what} are sent to {whom}. Nobody answered by "
            f"the deadline,{at}."
        )
    decided = f"Decided by {person(then.handled_by or '')}{at}."
    if alert.text == NEW_OWNER:
        if then.answer == REFUSAL:
            return f"🔴 *The number has a new owner:* no more {what} are sent to {whom}. {decided}"
        return f"☑️ *The number has no new owner:* the pause for {whom} is over. {decided}"
    said = {
        REFUSAL: f"🔴 *It was an opt-out:* no more {what} are sent to {whom}.",
        NO_REFUSAL: f"☑️ *It was not an opt-out:* the pause for {whom} is over.",
    }
    return f"{said[then.answer or '']} {decided}"


def _opted_out_again(now: PresentState) -> bool:
    about = now.case
    if about is None or about.case.state is not CaseState.COMPLETED or about.now is None:
        return False
    return any(gate.code is Code.OPTED_OUT for gate in about.now.gates)


# What happened


def _history(alert: Alert, now: PresentState) -> Iterator[str]:
    then = alert.follow_up
    read = alert.kind is AlertKind.REVIEW and alert.text != NEW_OWNER
    if read and then.answer == REFUSAL and now.case is not None:
        by = "the deadline" if then.handled_by == "system" else person(then.handled_by or "")
        at = f" {date(then.handled_at)}" if then.handled_at else ""
        yield f"It was an opt-out, decided by {by}{at}."
    if then.unstopped_at and alert.kind is not AlertKind.UNSTOP:
        yield f"Texted UNSTOP {date(then.unstopped_at)}."
    if now.case is not None:
        yield from _steps(now.case)


def _steps(about: CaseDetails) -> Iterator[str]:
    case = about.case
    # Without the name: a mention in a channel would notify the person of their own request.
    yield f"Re-opt-in requested {date(case.requested_at)}."
    if case.decided_by and case.decided_at and case.state is not CaseState.DENIED:
        by, did = person(case.decided_by), "approved"
        if case.decided_by == CONTACT:
            by, did = "The contact", "confirmed"
        yield f"{by} {did} {date(case.decided_at)}."
    if case.ended_at and case.state is not CaseState.COMPLETED:
        yield f"{_end(case, about)} {date(case.ended_at)}."


def _end(case: Case, about: CaseDetails) -> str:
    if case.state is CaseState.EXPIRED:
        return "The re-opt-in request expired"
    if case.state is CaseState.OVERTAKEN:
        return "The contact opted out again"
    by = actor(case.decided_by or case.ended_by or "system", about.providers)
    return f"{by} {_ENDED[case.state]}"


def _shared(alert: Alert) -> Iterator[str]:
    count = len(alert.subject.contacts)
    if count > 1:
        have = "several contacts have" if count > 9 else f"{count} have"
        yield f"It counts for each contact who has it: {have} it."
