"""The command line as a program: the commands together, the exit status, and how errors are told.

0 done · 1 not found, or refused by a rule · 2 wrong usage or configuration · 3 done, but some rows
were rejected.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from bot.cli import (
    activity_command,
    case_command,
    check_command,
    contact_command,
    copy_command,
    doctor_command,
    erase_command,
    export_command,
    import_command,
    migrate_command,
    provider_command,
    review_command,
    serve_command,
    set_command,
    status_command,
    verify_command,
)
from bot.cli.terminal import complain
from bot.cli.usage_errors import WrongUsage
from bot.config.settings import SettingsError
from bot.consent.errors import OptinError
from handlers.contacts_file import UnreadableFile
from storage import UnknownStorage

#: What is wrong with these is the command or the configuration, not what was asked for.
_WRONG_USAGE = (WrongUsage, SettingsError, UnknownStorage, UnreadableFile)

app = typer.Typer(
    name="optin",
    help="Why does this customer get no messages, and can we fix it?",
    epilog="CONTACT is a phone number, an e-mail address, an id, or a name that fits only one.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("demo", short_help="Try everything on this machine, with no account anywhere.")(
    serve_command.demo
)
app.command("serve", short_help="Run the bot and its web server.")(serve_command.serve)
app.command("status", short_help="Show whether somebody gets our messages, and why not.")(
    status_command.status
)
app.command("check", short_help="Say of each address of a list whether messages may be sent.")(
    check_command.check
)
app.command("set", short_help="Change what somebody gets from us.")(set_command.set_)
app.add_typer(
    contact_command.app, name="contact", short_help="Add, change, merge or show contacts."
)
app.add_typer(
    provider_command.app,
    name="provider",
    short_help="Senders and providers that are used no longer.",
)
app.add_typer(case_command.app, name="case", short_help="Ask for and decide re-opt-ins.")
app.add_typer(review_command.app, name="review", short_help="Answer replies that may be opt-outs.")
app.command("activity", short_help="Show the Activity Log, newest first.")(
    activity_command.activity
)
app.command("import", short_help="Take contacts in from a CSV, or an import back.")(
    import_command.import_
)
app.command("export", short_help="Write all contacts with their answers.")(export_command.export)
app.command("erase", short_help="Erase a person for good.")(erase_command.erase)
app.command("verify", short_help="Check that the Activity Log is whole.")(verify_command.verify)
app.command("copy", short_help="Copy everything into another, empty storage.")(copy_command.copy)
app.command("migrate", short_help="Bring the storage to this version.")(migrate_command.migrate)
app.command("doctor", short_help="Check tokens, channels, providers and storage.")(
    doctor_command.doctor
)

#: Built once: it reads the signature of every command.
_command = typer.main.get_command(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit status."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # both are text files
    try:
        done: object = _command.main(args=arguments, prog_name="optin", standalone_mode=False)
    except _WRONG_USAGE as error:
        complain(error.at_command_line if isinstance(error, UnreadableFile) else error.sentence)
        return 2
    except OptinError as error:
        complain(error.sentence)
        return 1
    except TyperException as error:
        complain(error.format_message())
        return 2
    except typer.Abort:
        complain("Nothing was changed.")
        return 1
    except OSError as error:
        complain(f"{error.filename or 'The output'}: {error.strerror}.")
        return 1
    return done if isinstance(done, int) else 0
