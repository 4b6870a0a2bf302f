"""`optin case`: re-opt-in requests, in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

import typer

from bot.cli.command_session import open_service, operator
from bot.cli.find_contact import ContactText, find_one
from bot.cli.terminal import say, when
from bot.cli.usage_errors import WrongUsage
from bot.consent.cases import CONTACT, Case, CaseState
from bot.consent.errors import NotFound, Refused
from bot.consent.model import Channel
from bot.consent.use_cases import (
    CaseDetails,
    CaseRequest,
    Decided,
    Service,
    all_case_details,
    approve,
    cancel,
    case_details,
    deny,
    request,
)
from handlers.slack.blocks.formatting import phone, shown
from handlers.vocabulary import actor, doer

app = typer.Typer(
    help="Re-opt-in requests: what a contact refused comes back by two keys, the contact's UNSTOP "
    "and an approval, in either order.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_PAGE = 100
_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)
_TICK = timedelta(microseconds=1)

CaseId = Annotated[
    str,
    typer.Argument(metavar="CASE", help="Its id, or the first letters of it.", show_default=False),
]


@app.command("list")
def list_(
    contact: Annotated[
        str | None,
        typer.Argument(
            metavar="[CONTACT]",
            help="All of one contact, those that are over, too.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Lists what is open, the oldest first; or all of a contact, the newest first."""
    with open_service() as service:
        found = list(_open(service) if contact is None else _of(service, contact))
    for about in found:
        say(_line(about))
    if not found:
        say("There is none.")


@app.command()
def show(case: CaseId) -> None:
    """Shows a request, how far it has come, and what approval leads to."""
    with open_service() as service:
        # Inside: the name of a program that uses the API is read from the storage.
        for line in _lines(case_details(service, _find(service, case), operator())):
            say(line)


@app.command("request")
def request_(
    contact: ContactText,
    evidence: Annotated[
        str,
        typer.Option(
            help="What shows that the contact agreed anew.", metavar="TEXT", show_default=False
        ),
    ],
    channel: Annotated[Channel, typer.Option(help="What they want again.")] = Channel.SMS,
    evidence_at: Annotated[
        str | None,
        typer.Option(
            help="When they agreed: 2026-11-23, or 2026-11-23T09:30, in UTC unless it says "
            "otherwise; now unless said.",
            metavar="TIME",
            show_default=False,
        ),
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option(help="How they asked.", metavar="TEXT", show_default=False),
    ] = None,
    note: Annotated[str | None, typer.Option(metavar="TEXT", show_default=False)] = None,
) -> None:
    """Asks for what the contact refused. Managers are told in Slack.

    \b
      optin case request "+1 415 555 0100" --evidence "Called us, wants the reminders again"
      optin case request ana@example.com --channel email --evidence "Form 12" \\
          --evidence-at 2026-11-23
    """
    at, precision = _moment(evidence_at) if evidence_at else (None, timedelta(0))
    wanted = CaseRequest(
        channel=channel,
        evidence=evidence,
        evidence_at=at,
        precision=precision,
        reason=reason,
        note=note,
    )
    with open_service() as service:
        found = find_one(service, contact)
        case = request(service, found.contact.id, wanted, operator())
        say(f"Requested: case {case.id}")
        for line in _lines(case_details(service, case.id, operator())):
            say(line)


@app.command("approve")
def approve_(case: CaseId) -> None:
    """Approves a request, in your name. With the contact's key there, it is YES at once."""
    with open_service() as service:
        decided = approve(service, _find(service, case), operator())
        _told(service, decided)


@app.command("deny")
def deny_(
    case: CaseId,
    reason: Annotated[
        str,
        typer.Option(help="Whoever asked will read it.", metavar="TEXT", show_default=False),
    ],
) -> None:
    """Denies a request."""
    with open_service() as service:
        decided = deny(service, _find(service, case), reason, operator())
        _told(service, decided)


@app.command("cancel")
def cancel_(case: CaseId) -> None:
    """Takes a request back, also one that was approved and waits for the contact."""
    with open_service() as service:
        decided = cancel(service, _find(service, case), operator())
        _told(service, decided)


def _told(service: Service, decided: Decided) -> None:
    case = decided.case
    if not decided.won:
        who = case.decided_by or case.ended_by
        at = case.decided_at or case.ended_at
        by = f" by {actor(who, service.providers, markup=False)}" if who else ""
        on = f", {when(at)}" if at else ""
        raise Refused(f"This is {case.state} already{by}{on}. Nothing was changed.")
    for line in _lines(case_details(service, case.id, operator())):
        say(line)


def _open(service: Service) -> Iterator[CaseDetails]:
    last: Case | None = None
    while page := all_case_details(service, operator(), after=last, limit=_PAGE):
        yield from page
        last = page[-1].case


def _of(service: Service, contact: str) -> Iterator[CaseDetails]:
    found = find_one(service, contact)
    with service.store.reading() as records:
        ids = [case.id for case in records.cases.of(found.contact.id)]
    return (case_details(service, id, operator()) for id in ids)


def _find(service: Service, text: str) -> str:
    """The id that begins so. Raises `NotFound` and `Refused`."""
    with service.store.reading() as records:
        if records.cases.get(text) is not None:
            return text
    fit = [about.case.id for about in _open(service) if about.case.id.startswith(text.lower())]
    if not fit or not text:
        raise NotFound("There is no such request. `optin case list` names those that are open.")
    if len(fit) > 1:
        raise Refused("Several requests begin so: write more of the id.")
    return fit[0]


def _moment(text: str) -> tuple[datetime, timedelta]:
    """The time, and how exactly it was said. A day counts to its end (rules.md §6)."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        pass
    else:
        return datetime.combine(day, time(), UTC), _DAY - _TICK
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise WrongUsage(
            "--evidence-at can't be read: write it as 2026-11-23 or 2026-11-23T09:30."
        ) from None
    precision = timedelta(0) if at.second or at.microsecond else _MINUTE - _TICK
    return (at if at.tzinfo else at.replace(tzinfo=UTC)), precision


def _line(about: CaseDetails) -> str:
    case = about.case
    name = shown(about.contact.name, 40) if about.contact else "(gone)"
    said = [case.id, case.state, case.channel.word, name, case.address]
    return "  ".join([*filter(None, said), f"asked {when(case.requested_at)}"])


def _lines(about: CaseDetails) -> Iterator[str]:
    case = about.case
    yield _line(about)
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
