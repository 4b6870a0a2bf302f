"""What an import did, or would do, on the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from bot.cli.terminal import complain, say
from bot.consent.use_cases import Report
from bot.consent.use_cases.imports import Consequence
from bot.consent.use_cases.imports.rows import counted

#: As many reasons are told; the file of the rejected rows has them all.
_TOLD = 10


def tell(report: Report, dry_run: bool) -> None:
    """The counts, and how to take the import back."""
    if dry_run:
        say("Nothing was changed. The import would bring:")
    for consequence in Consequence:
        if count := report.counts.get(consequence):
            say(f"  {count:>9,}  {counted(consequence, count)}")
    for line, address in report.further:
        say(f"Line {line:,}: {address} is a further address of its row.")
    if report.changes_nothing:
        say("The file changes nothing." if dry_run else "The file changed nothing.")
    if report.id:
        say(f"To take it back: optin import --undo {report.id}")


def complain_of(reasons: Mapping[int, str]) -> None:
    """The first of the rejected rows, by line."""
    for line in sorted(reasons)[:_TOLD]:
        complain(f"Line {line:,}: {reasons[line]}")
    if len(reasons) > _TOLD:
        complain(f"… and {len(reasons) - _TOLD:,} more.")
