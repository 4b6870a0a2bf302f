"""`optin case`: re-opt-in requests, in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

import typer

from bot.cli.case_lines import case_line, case_lines
from bot.cli.command_session import open_service, operator
from bot.cli.find_contact import ContactText, find_one
from bot.cli.terminal import say, when
from bot.cli.usage_errors import WrongUsage
from bot.consent.cases import Case
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
from handlers.vocabulary import actor

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
        say(case_line(about))
    if not found:
        say("There is none.")


@app.command()
def show(case: CaseId) -> None:
    """Shows a request, how far it has come, and what approval leads to."""
    with open_service() as service:
        # Inside: the name of a program that uses the API is read from the storage.
        for line in case_lines(case_details(service, _find(service, case), operator())):
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
        for line in case_lines(case_details(service, case.id, operator())):
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
    for line in case_lines(case_details(service, case.id, operator())):
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
