"""`optin sync`."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Mapping
from typing import Annotated

import typer

from bot.cli.command_session import open_service, operator, read_settings
from bot.cli.sync_report import tell_report, to_write
from bot.cli.terminal import complain, progress, say
from bot.cli.usage_errors import WrongUsage
from bot.consent.errors import Refused
from bot.consent.use_cases import Service
from bot.consent.use_cases.lists.finish_reads import ReadEnd
from bot.consent.use_cases.lists.list_state import confirm_writes, read_state
from bot.consent.use_cases.lists.look_at_lists import lists_status, writes_to_make
from bot.consent.use_cases.lists.writes import release_parked
from bot.consent.write_backs import WriteState
from bot.runtime.list_jobs import open_lists
from handlers.suppression_lists.provider_lists import (
    ListsForbidden,
    ListsUnavailable,
    ProviderLists,
)
from handlers.suppression_lists.provider_writes import ProviderWrites
from handlers.suppression_lists.read_lists import ReadProgress, ReadWatch, read_lists
from handlers.webhooks.registry import lists_switches

#: Seconds that a provider may ask us to wait, and how often in one read.
_LONGEST_WAIT, _MOST_WAITS = 300, 50


def sync(
    provider: Annotated[
        str | None,
        typer.Argument(
            metavar="PROVIDER", help="Such as sendgrid. Without it, all.", show_default=False
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what differs; nothing is written anywhere.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Confirm the first write to a list without a question.")
    ] = False,
) -> None:
    """Reads the suppression lists of the e-mail providers and compares them with Optin.

    \b
      optin sync sendgrid --dry-run
      optin sync

    What only the provider has comes into Optin: opt-outs, complaints and bounces. Opt-outs that
    only Optin has are added to the list, with OPTIN_WRITE_BACK=yes. A read takes nobody off a list
    and turns no NO into YES.

    Before Optin writes to a provider's lists for the first time, it shows what it would write, and
    asks. `optin serve` reads once a day, and goes on with what could not be written.
    """
    settings = read_settings()
    lists = open_lists(settings)
    with open_service(settings) as service:
        chosen = _chosen(service, lists, provider)
        done = [_sync(service, lists[name], dry_run, yes) for name in chosen]
    if not all(done):
        raise typer.Exit(1)


def _chosen(service: Service, lists: Mapping[str, ProviderLists], asked: str | None) -> list[str]:
    """Raises `WrongUsage` for a provider that is off."""
    switches = lists_switches()
    if asked is None:
        if not lists:
            names = ", ".join(sorted(switches.values()))
            raise WrongUsage(f"No provider's lists are on. Set one of {names}.")
        return sorted(lists)
    name = service.providers.id_of(asked)
    if name not in switches:
        known = ", ".join(sorted(switches))
        raise WrongUsage(f"{asked} has no lists that Optin can read. Choose one of {known}.")
    if name not in lists:
        label = service.providers.label(name)
        raise WrongUsage(f"{label}'s lists are off: {switches[name]} is not set.")
    return [name]


def _sync(service: Service, lists: ProviderLists, dry_run: bool, yes: bool) -> bool:
    """Whether all of it was done."""
    label = service.providers.label(lists.name)
    try:
        end = _read(service, lists, label, dry_run)
    except ListsUnavailable as error:
        complain(f"{label}'s lists were not read: {error}.".replace("..", "."))
        return False
    if end is None:
        complain(
            f"{label}'s lists are being read by another process. Try again in five minutes, or "
            "wait for its report."
        )
        return False
    if dry_run:
        tell_report(label, end.report, not_shown=len(end.to_look_up))
        say("  Nothing was changed.")
        return True
    tell_report(label, read_state(service, lists.name).last_report or end.report)
    if end.other_lists:
        say("  None of the entries that Optin knew is there: these may be another account's lists.")
    if not service.providers.writes(lists.name):
        return not end.other_lists or _confirm_others(service, lists.name, label, yes)
    return _write(service, lists, label, yes)


def _read(service: Service, lists: ProviderLists, label: str, rehearse: bool) -> ReadEnd | None:
    waits = _Waits()
    with progress(f"Reading {label}'s lists", None) as done:

        def show(at: ReadProgress) -> None:
            done(at.looked_up or at.entries)

        watch = ReadWatch(progress=show, wait=waits)
        return read_lists(
            service, lists, token=secrets.token_hex(8), rehearse=rehearse, watch=watch
        )


class _Waits:
    """Waits as long as a provider asks for."""

    def __init__(self) -> None:
        self._left = _MOST_WAITS

    def __call__(self, error: ListsUnavailable) -> bool:
        asked = error.retry_after.total_seconds() if error.retry_after is not None else None
        self._left -= 1
        if isinstance(error, ListsForbidden) or asked is None or self._left < 0:
            return False
        if asked > _LONGEST_WAIT:
            return False
        time.sleep(asked)
        return True


def _write(service: Service, lists: ProviderLists, label: str, yes: bool) -> bool:
    """Makes the writes that wait, once somebody has confirmed the first one."""
    name = lists.name
    counts = writes_to_make(service, name)
    if not read_state(service, name).confirmed and not _confirm(
        service, name, label, to_write(counts), yes
    ):
        return False
    released = release_parked(service, name)
    total = sum(counts.values()) + released
    if not total:
        return True
    writes = ProviderWrites(service, lists)
    with progress(f"Writing to {label}'s lists", total) as done:
        while writes.turn():
            done(total - sum(writes_to_make(service, name).values()))
            if writes.rests.now:
                break
    if writes.rests.failures:
        complain(
            f"{label}'s lists can't be written to now: {writes.rests.problem}.".replace("..", ".")
        )
    return _told_writes(service, name, label, total)


def _confirm(service: Service, name: str, label: str, what: str, yes: bool) -> bool:
    say(f"  Optin has not written to {label}'s lists yet. Now: {what}.")
    return _agreed(
        service,
        name,
        yes,
        question=f"Write these to {label}'s list?",
        not_asked=f"nothing was written to {label}'s list: here nobody can be asked. Say --yes",
        declined=f"Nothing is written to {label}'s list before somebody confirms it.",
    )


def _confirm_others(service: Service, name: str, label: str, yes: bool) -> bool:
    """Where Optin only reads: whether somebody says that these are the right lists."""
    agreed = _agreed(
        service,
        name,
        yes,
        question=f"Are these the right lists of {label}?",
        not_asked=f"Optin keeps what it knows of {label}'s lists: here nobody can be asked. If "
        "these are the right lists, say --yes",
        declined=f"Optin keeps what it knows of {label}'s lists.",
    )
    if agreed:
        say("  With the next read, Optin lifts the entries that are gone. Run the command again.")
    return agreed


def _agreed(
    service: Service, name: str, yes: bool, *, question: str, not_asked: str, declined: str
) -> bool:
    """Asks the person at the terminal, and stores their yes. `not_asked` follows "so"."""
    if not yes and not sys.stdin.isatty():
        complain(f"Not confirmed, so {not_asked}, or confirm it in the alert channel.")
        return False
    if not yes and not typer.confirm(question):
        say(f"  {declined}")
        return False
    try:
        confirm_writes(service, name, operator())
    except Refused as refused:
        complain(refused.sentence)
        return False
    return True


def _told_writes(service: Service, name: str, label: str, total: int) -> bool:
    left = sum(writes_to_make(service, name).values())
    counts = lists_status(service, (name,)).writes
    say(f"  Written to {label}'s lists: {total - left:,} of {total:,}.")
    if sent := counts.get((name, WriteState.SENT), 0):
        say(f"  Taken off, and looked up again by `optin serve` before it counts: {sent:,}.")
    if parked := counts.get((name, WriteState.PARKED), 0):
        say(f"  Given up: {parked:,}. `optin doctor` says why.")
    if left:
        say("  `optin serve` goes on with the rest.")
    return not left
