"""What the person who requested a re-opt-in reads in their direct messages."""

from __future__ import annotations

from collections.abc import Iterator

from bot.consent.alerts import Alert, AlertKind
from bot.consent.cases import CaseState
from bot.consent.model import Channel
from bot.consent.use_cases import CaseDetails
from handlers.slack.alerts.render.case_progress import (
    contact_steps,
    masked_address,
    opted_out_again,
    pass_on,
    still,
)
from handlers.slack.blocks.formatting import date, inert, joined, unaddressed
from handlers.vocabulary import actor, person, things


def to_requester(alert: Alert, matter: CaseDetails, *, named: bool) -> Iterator[str]:
    """How the case stands, what they can do, and when it was approved. The contact's name needs
    `named`: that the reader may see it."""
    case = matter.case
    whom = _whom(matter, alert.subject.masked, named=named)
    if case.state is CaseState.APPROVED:
        yield from _waiting(alert, matter, whom)
    elif case.state is CaseState.COMPLETED:
        yield from _completed(matter, whom)
    else:
        yield from _ended(matter, whom)
        if case.decided_by and case.decided_at and case.state is not CaseState.DENIED:
            yield f"Approved by {person(case.decided_by)} {date(case.decided_at)}."


def _waiting(alert: Alert, matter: CaseDetails, whom: str) -> Iterator[str]:
    """An approved case still needs the contact, or a provider."""
    case, what = matter.case, things(matter.case.channel)
    steps = joined(contact_steps(matter)) if matter.missing else ""
    missing = f" Still missing: {steps}." if steps else ""
    if alert.kind is AlertKind.CASE_REMINDER:
        yield f"⏰ {_start(whom)} still gets no {what}.{missing}"
        expires = date(case.expires_at)
        yield f"{_by(matter)} approved your request{_at(matter)}. It expires {expires}."
    else:
        yield (
            f"🟡 {_by(matter)} approved your re-opt-in request for {whom} ({case.channel.word})"
            f"{_at(matter)}.{missing}"
        )
    if steps and case.channel is Channel.SMS:
        yield "Tell the contact by phone or e-mail:"
        yield pass_on(matter)


def _completed(matter: CaseDetails, whom: str) -> Iterator[str]:
    word, what = matter.case.channel.word, things(matter.case.channel)
    if again := opted_out_again(matter):
        yield f"🔴 {_start(whom)} opted out of {what} again{again}. No more {what} are sent."
        yield f"{_by(matter)} had approved your re-opt-in request{_at(matter)}."
        return
    missing = still(matter)
    yield (
        f"{'🟡' if missing else '✅'} {word} On is YES for {whom}"
        f"{'' if missing else f': {what} are sent again'}. {_by(matter)} approved your "
        f"re-opt-in request{_at(matter)}."
    )
    if missing:
        yield missing


def _ended(matter: CaseDetails, whom: str) -> Iterator[str]:
    case, what = matter.case, things(matter.case.channel)
    about = f"your re-opt-in request for {whom} ({case.channel.word})"
    match case.state:
        case CaseState.DENIED:
            yield f"🔴 {_by(matter)} denied {about}{_at(matter)}."
            if case.decision:
                yield f"Reason: {inert(unaddressed(case.decision), 300)}"
        case CaseState.EXPIRED:
            yield f"⚪ {_start(about)} expired after two weeks."
            yield f"If the contact still wants {what}, request it again with new evidence."
        case CaseState.OVERTAKEN:
            yield f"🔴 {_start(whom)} opted out of {what} again, so your re-opt-in request ended."
        case CaseState.CANCELLED:
            why = f": {inert(unaddressed(case.ended_why), 300)}" if case.ended_why else "."
            yield f"⚪ {_start(about)} was cancelled{why}"
        case _:
            yield f"🟡 {_start(about)} waits for a manager."


def _whom(matter: CaseDetails, masked: str, *, named: bool) -> str:
    address = masked_address(matter.case, masked)
    if not named or matter.contact is None:
        return address
    return f"{inert(matter.contact.name, 80)}, {address}"


def _by(matter: CaseDetails) -> str:
    case = matter.case
    return actor(case.decided_by or case.ended_by or "system", matter.providers)


def _at(matter: CaseDetails) -> str:
    """When a manager decided, behind a sentence."""
    return f" {date(matter.case.decided_at)}" if matter.case.decided_at else ""


def _start(text: str) -> str:
    """The text at the beginning of a sentence."""
    return text[:1].upper() + text[1:]
