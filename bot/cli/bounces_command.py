"""`optin bounces`: the bounces of an outage of one's own, cleared at once."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from bot.cli.command_session import open_service, operator
from bot.cli.terminal import complain, progress, say, when
from bot.cli.usage_errors import WrongUsage
from bot.consent.use_cases import Service
from bot.consent.use_cases.lists.clear_bounces import (
    ClearedBounces,
    Outage,
    clear_bounces,
    count_bounces,
)

app = typer.Typer(
    help="Bounces that were our own fault, such as those of a broken mail server.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def bounces() -> None:
    """Keeps `clear` a command of its own."""


@app.command()
def clear(
    provider: Annotated[
        str,
        typer.Option(metavar="NAME", help="Who told of the bounces.", show_default=False),
    ],
    since: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="When the outage began: 2026-11-29, or 2026-11-29T10:00. In UTC, unless the time "
            "names its zone.",
            show_default=False,
        ),
    ],
    until: Annotated[
        str,
        typer.Option(
            metavar="TIME", help="When it ended. A day counts to its end.", show_default=False
        ),
    ],
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why they are cleared.", show_default=False)
    ] = "",
    evidence: Annotated[
        str,
        typer.Option(
            metavar="TEXT", help="What shows that the addresses work.", show_default=False
        ),
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how many; nothing is changed.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Clear them without a question.")] = False,
) -> None:
    """Clears the bounces that a provider told of between two times. Each one gets an entry in the
    Activity Log. The next message to each address is the test.

    \b
      optin bounces clear --provider sendgrid --since 2026-11-29T10:00 \\
          --until 2026-11-29T11:30 --dry-run
      optin bounces clear --provider sendgrid --since 2026-11-29T10:00 \\
          --until 2026-11-29T11:30 --reason "Our mail server was broken" \\
          --evidence "Repaired at 11:25; 20 addresses tried by hand"

    Spam complaints stay, and so do bounces that a file or another provider told of. With
    OPTIN_WRITE_BACK=yes, Optin takes these bounces off the provider's list, too.
    """
    with open_service() as service:
        outage = Outage(
            provider=service.providers.id_of(provider),
            since=_time(since, "--since"),
            until=min(_time(until, "--until", whole_day=True), service.now()),
            reason=reason,
            evidence=evidence,
        )
        counts = count_bounces(service, outage, operator())
        _tell(service, outage, counts)
        if dry_run or not counts.cleared:
            say("Nothing was changed.")
            return
        if not reason or not evidence:
            raise WrongUsage("Say why, with --reason, and what shows it, with --evidence.")
        if not yes:
            _ask(counts.cleared)
        with progress("Clearing bounces", counts.cleared) as done:
            made = clear_bounces(service, outage, operator(), progress=done)
        say(f"Cleared: {made.cleared:,}. The next message to each is the test.")


def _tell(service: Service, outage: Outage, counts: ClearedBounces) -> None:
    label = service.providers.label(outage.provider)
    say(
        f"{_addresses(counts.cleared)} bounced by {label}'s word, from {when(outage.since)} to "
        f"{when(outage.until)}."
    )
    if counts.complaints:
        say(f"  Spam complaints, which stay: {counts.complaints:,}")
    if counts.of_others:
        say(f"  Told of by a file or another provider, which stay: {counts.of_others:,}")


def _ask(count: int) -> None:
    if not sys.stdin.isatty():
        complain("Not cleared: here nobody can be asked. Say --yes.")
        raise typer.Exit(1)
    if not typer.confirm(f"Clear {count:,} bounce{'' if count == 1 else 's'}?"):
        raise typer.Abort


def _addresses(count: int) -> str:
    return "1 address" if count == 1 else f"{count:,} addresses"


def _time(text: str, option: str, *, whole_day: bool = False) -> datetime:
    """Raises `WrongUsage`."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise WrongUsage(f"{option} is no time: write it as 2026-11-29T10:00.") from None
    if whole_day and "T" not in text and " " not in text:
        at += timedelta(days=1)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
