"""`optin import`."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.command_session import open_service, operator
from bot.cli.terminal import complain, progress, say
from bot.cli.usage_errors import WrongUsage
from bot.consent.use_cases import Report, Row, Service, import_rows, undo_import
from bot.consent.use_cases.imports import Consequence
from bot.consent.use_cases.imports.undo_import import KEPT
from handlers.contacts_file import Columns, ContactsFile, open_contacts, write_rejected
from handlers.contacts_file.columns import Column

#: As many reasons are told; the file of the rejected rows has them all.
_TOLD = 10


def import_(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE.csv", help="Contacts.", show_default=False)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would change; nothing is written.")
    ] = False,
    undo: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="Take an import back, but for its opt-outs.", show_default=False
        ),
    ] = None,
    opt_outs: Annotated[
        bool,
        typer.Option("--opt-outs", help="With --undo: its opt-outs, too; they were a mistake."),
    ] = False,
    reason: Annotated[
        str | None,
        typer.Option(help="Why they were.", metavar="TEXT", show_default=False),
    ] = None,
) -> None:
    """Takes contacts in from a CSV: a header row, then a name and a phone number or an e-mail
    address in each row. The exports of the usual tools are understood as they come.

    \b
      name,phone,email,sms_on,email_on,company,external_id,consent_source,consent_at
      Ana Gómez,+1 415 555 0100,ana@example.com,yes,no,Acme,17,Web form,2026-05-03

    A file never turns NO into YES, and a word such as "Opt-In" that names no channel is a no to
    both, but a yes only to a channel without a column of its own. A NO reaches everybody with that
    address, whatever their name is in the file. Rows that can't be taken go to FILE.rejected.csv
    with the reason, to be mended and imported again; the others are taken. The opt-outs and
    bounces of a rejected row are taken all the same.

    A list of opt-outs or bounces needs no names: an address and a column such as email_on or
    sms_bounce are enough. For an address that nobody has, they are kept.

    \b
      optin import contacts.csv --dry-run
      optin import contacts.csv
      optin import --undo 019ab0c1d2e30000000000a1b2c3d4e5
      optin import --undo 019ab0c1d2e30000000000a1b2c3d4e5 --opt-outs --reason "Wrong file"
    """
    if (file is None) == (undo is None) or (undo and dry_run):
        raise WrongUsage("Name a file to import, or an import to --undo.")
    if (opt_outs or reason) and not undo:
        raise WrongUsage("--opt-outs and --reason go with --undo.")
    if opt_outs is not bool(reason):
        raise WrongUsage("Opt-outs are taken back with --opt-outs and a --reason.")
    if undo:
        _take_back(undo, opt_outs, reason)
    elif file:
        _take_in(file, dry_run)


def _take_in(path: Path, dry_run: bool) -> None:
    # Values come by the million here, and go without having made a ring: to look for rings as
    # often as ever, among all that a program is made of, is a tenth of the work.
    gc.freeze()
    gc.set_threshold(50_000)
    # The file is looked through before the storage is even opened.
    with open_contacts(path) as contacts, open_service() as service:
        for line in _understood(contacts.columns):
            say(line)
        reasons: dict[int, str] = {}
        report = _run(service, contacts, path, dry_run, reasons)
        _tell(report, dry_run)
        if not reasons:
            return
        _complain_of(reasons)
        if not dry_run:
            rejected = path.with_suffix(".rejected.csv")
            write_rejected(contacts, rejected, reasons)
            say(f"The rejected rows are in {rejected}: mend them there, and import that file.")
    raise typer.Exit(3)


def _run(
    service: Service, contacts: ContactsFile, path: Path, dry_run: bool, reasons: dict[int, str]
) -> Report:
    def reject(row: Row, reason: str) -> None:
        reasons[row.line] = reason

    with progress("Rehearsing" if dry_run else "Importing", contacts.rows) as done:
        try:
            return import_rows(
                service,
                contacts.read(service.now()),
                file=path.name,
                actor=operator(),
                dry_run=dry_run,
                reject=reject,
                progress=done,
            )
        except KeyboardInterrupt:
            if not dry_run:
                complain(
                    "Stopped. The rows so far are in: import the file again for the rest, or take "
                    "them back with --undo and the id that `optin activity` shows."
                )
            raise


def _understood(columns: Columns) -> list[str]:
    """What the file's own names were taken for, where that is not plain to see."""
    said = [
        f"Column {columns.title(column)} is read as {_read_as(column, columns)}."
        for column in columns.places
        if column in (Column.OPT_IN, Column.OPT_OUT)
    ]
    if columns.unused:
        said.append(f"Not used: {', '.join(columns.unused)}.")
    return said


def _read_as(column: Column, columns: Columns) -> str:
    own = {Column.SMS_ON: "SMS On", Column.EMAIL_ON: "Email On"}
    without = [word for place, word in own.items() if place not in columns.places]
    if column is Column.OPT_OUT or not without:
        return "a no to both channels where it says so"
    return " and ".join(without) + (", and a no as one to both" if len(without) == 1 else "")


def _tell(report: Report, dry_run: bool) -> None:
    if dry_run:
        say("Nothing was changed. The import would bring:")
    for consequence in Consequence:
        if count := report.counts.get(consequence):
            say(f"  {count:>9,}  {consequence}")
    if report.id:
        say(f"To take it back: optin import --undo {report.id}")


def _complain_of(reasons: Mapping[int, str]) -> None:
    for line in sorted(reasons)[:_TOLD]:
        complain(f"Line {line:,}: {reasons[line]}")
    if len(reasons) > _TOLD:
        complain(f"… and {len(reasons) - _TOLD:,} more.")


def _take_back(id: str, opt_outs: bool, reason: str | None) -> None:
    with open_service() as service, progress("Undoing", None) as done:
        counts = undo_import(
            service, id, operator(), opt_outs=opt_outs, reason=reason, progress=done
        )
    for what, count in counts.items():
        say(f"  {count:>9,}  {what}")
    if counts.get(KEPT):
        say(
            "Opt-outs stay. If they were a mistake: "
            f"optin import --undo {id} --opt-outs --reason TEXT"
        )
    if not counts:
        say("There was nothing to take back.")
