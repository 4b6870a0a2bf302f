"""`optin import`."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.command_session import open_service, operator
from bot.cli.import_report import complain_of, tell
from bot.cli.terminal import complain, progress, say
from bot.cli.usage_errors import WrongUsage
from bot.consent.use_cases import Report, Row, Service, import_rows, undo_import
from bot.consent.use_cases.imports.undo_import import KEPT
from handlers.contacts_file import Asked, ContactsFile, ListKind, open_contacts, write_rejected
from handlers.contacts_file.columns import NAMEABLE, Column
from handlers.contacts_file.describe import describe


def import_(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE.csv", help="Contacts, or a suppression list.", show_default=False
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would change; nothing is written.")
    ] = False,
    kind: Annotated[
        ListKind | None,
        typer.Option(
            "--as",
            help="What the file is. A suppression list needs neither names nor a header.",
            show_default=False,
        ),
    ] = None,
    provider: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="With --as: whose suppression list it is, such as sendgrid.",
            show_default=False,
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar='"THEIRS=ours"',
            help='What a column means: --column "SMS status=sms_on". May be repeated.',
            show_default=False,
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            metavar='"THEIRS"',
            help='Leave a column out on purpose: --ignore "Old status". May be repeated.',
            show_default=False,
        ),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The file's encoding, where Optin reads its letters wrong.",
            show_default=False,
        ),
    ] = None,
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
    """Imports contacts or a suppression list from a CSV. The exports of the usual tools are
    understood as they come. The dry run shows what each column means.

    \b
      name,phone,email,sms_on,email_on,company,external_id,consent_source,consent_at
      Ana Gómez,+1 415 555 0100,ana@example.com,yes,no,Acme,17,Web form,2026-05-03

    A file never turns NO into YES. A NO reaches everybody with that address, whatever their name is
    in the file. A word such as "Opt-In" that names no channel is a no to both, but a yes only to a
    channel without a column of its own.

    Where a column may be about consent and Optin does not understand it, or a word in it, the
    import stops before anything changes. Say what the column means with --column, or leave it out
    with --ignore. The meanings are the names above and: first_name, last_name, mobile, opt_in,
    sms_opt_out, email_opt_out, opt_out, sms_bounce, email_bounce, bounce, complaint, do_not_call,
    list_reason.

    A suppression list is one address in each row: --as opt-outs, bounces, complaints, or
    suppressions with a reason in each row. It marks the contacts with those addresses. For an
    address that nobody has, the opt-out or bounce is kept. With --provider, the address counts as
    suppressed at that provider, too. JSON as the providers' APIs print it is understood as well.

    Rows that can't be taken go to FILE.rejected.csv with the reason, to be corrected and imported
    again; the others are taken. The opt-outs and bounces of a rejected row are taken all the same.

    \b
      optin import contacts.csv --dry-run
      optin import contacts.csv --column "Texting=sms_on" --ignore "Old status"
      optin import bounces.csv --as bounces --provider sendgrid
      optin import --undo 019ab0c1d2e30000000000a1b2c3d4e5
      optin import --undo 019ab0c1d2e30000000000a1b2c3d4e5 --opt-outs --reason "Wrong file"
    """
    if (file is None) == (undo is None) or (undo and dry_run):
        raise WrongUsage("Name a file to import, or an import to --undo.")
    if (opt_outs or reason) and not undo:
        raise WrongUsage("--opt-outs and --reason go with --undo.")
    if opt_outs is not bool(reason):
        raise WrongUsage("Opt-outs are taken back with --opt-outs and a --reason.")
    asked = Asked(
        kind=kind,
        meanings=_meanings(column or ()),
        ignored=ignore or (),
        encoding=encoding,
        provider=provider,
    )
    if undo and asked != Asked():
        raise WrongUsage("--as, --provider, --column, --ignore and --encoding go with a file.")
    if provider and not asked.is_list:
        raise WrongUsage("--provider goes with --as: say which of its lists the file is.")
    if undo:
        _take_back(undo, opt_outs, reason)
    elif file:
        _take_in(file, asked, dry_run)


def _meanings(columns: Sequence[str]) -> dict[str, Column]:
    """What --column said, by the file's titles."""
    found = {}
    for said in columns:
        theirs, _, ours = said.rpartition("=")
        name = ours.strip().lower().replace(" ", "_")
        if not theirs.strip() or name not in NAMEABLE:
            raise WrongUsage(
                f'--column “{said}” has to be like "SMS status=sms_on". Meanings are: '
                f"{', '.join(NAMEABLE)}."
            )
        found[theirs.strip()] = Column(name)
    return found


def _take_in(path: Path, asked: Asked, dry_run: bool) -> None:
    # Values come by the million here, and go without having made a ring: to look for rings as
    # often as ever, among all that a program is made of, is a tenth of the work.
    gc.freeze()
    gc.set_threshold(50_000)
    # The file is looked through before the storage is even opened.
    with open_contacts(path, asked) as contacts, open_service() as service:
        provider = _known(service, asked.provider)
        for line in describe(contacts):
            say(line)
        reasons: dict[int, str] = {}
        report = _run(service, contacts, path, provider, dry_run, reasons)
        tell(report, dry_run)
        if not reasons:
            return
        complain_of(reasons)
        if not dry_run:
            rejected = write_rejected(contacts, path, reasons)
            say(
                f"The rejected row is in {rejected}. Correct it there and import that file."
                if len(reasons) == 1
                else f"The rejected rows are in {rejected}. Correct them there and import that "
                "file."
            )
    raise typer.Exit(3)


def _known(service: Service, provider: str | None) -> str | None:
    """The provider's id. Raises `WrongUsage` for one that does not exist."""
    if provider is None:
        return None
    known = service.providers
    id = known.id_of(provider)
    if id not in known.by_id or known.by_id[id].ours:
        names = (name for name, one in sorted(known.by_id.items()) if not one.ours)
        raise WrongUsage(f"There is no provider “{provider}”. Providers are: {', '.join(names)}.")
    return id


def _run(
    service: Service,
    contacts: ContactsFile,
    path: Path,
    provider: str | None,
    dry_run: bool,
    reasons: dict[int, str],
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
                provider=provider,
                titles=contacts.columns.titles,
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
