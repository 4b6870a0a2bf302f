"""`optin stats`."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated

import typer

from bot.cli.command_session import open_service, operator
from bot.cli.terminal import say
from bot.cli.usage_errors import WrongUsage
from bot.consent.model import Channel
from bot.consent.use_cases.stats import Stats, stats
from handlers import stats_words
from handlers.json_shapes import dumped

#: Days, where nobody says since when.
_DAYS = 30
#: Characters of the longest bar.
_WIDTH = 40


def stats_(
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="DATE",
            help=f"Count from this day on, such as 2026-11-01. Without it, the last {_DAYS} days.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")] = False,
) -> None:
    """Shows who agreed, who opted out and how, how soon that was honoured, and what bounced.

    \b
      optin stats
      optin stats --since 2026-11-01 --json
    """
    with open_service() as service:
        here = service.now().astimezone()
        zone = here.tzinfo
        assert zone is not None
        day = _day(since) if since else here.date() - timedelta(days=_DAYS - 1)
        if day > here.date():
            raise WrongUsage("--since is a day to come: write one that is over, or today.")
        began = datetime.combine(day, time(), zone)
        found = stats(service, operator(), since=began, zone=zone)
    if json:
        say(dumped(stats_words.stats_shape(found)))
        return
    for line in _lines(found):
        say(line)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise WrongUsage("--since can't be read: write it as 2026-11-01.") from None


def _lines(found: Stats) -> list[str]:
    days = [*found.days]
    lines = [
        "Contacts, now",
        *(f"  {channel.word}: {stats_words.share(found, channel)}" for channel in Channel),
        "",
        f"Opt-outs, {_said(days[0])} to {_said(days[-1])}",
        f"  {stats_words.opt_outs(found)}",
    ]
    counts = [stats_words.by_day(found, channel) for channel in Channel]
    most = max((sum(day) for day in zip(*counts, strict=True)), default=0)
    if most:
        lines += ["", "  day        SMS  Email"]
    for day, sms, email in zip(days, *counts, strict=True):
        if most:
            bar = "█" * -(-(sms + email) * _WIDTH // most)
            lines.append(f"  {_said(day):>6}  {sms:>6,} {email:>6,}  {bar}".rstrip())
    lines += ["", "How soon they were honoured"]
    lines += [f"  {said}" for said in stats_words.honoured(found)] or ["  There was none."]
    return [*lines, "", "Bounces", f"  {stats_words.bounces(found)}"]


def _said(day: date) -> str:
    return f"{day.day} {day:%b}"
