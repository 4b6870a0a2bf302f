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
    activity,
    case,
    change,
    contact,
    copy,
    doctor,
    erase,
    exports,
    imports,
    migrate,
    provider,
    serve,
    status,
    verify,
)
from bot.cli.errors import WrongUsage
from bot.cli.terminal import complain
from bot.consent.errors import OptinError
from bot.settings import SettingsError
from handlers.contacts_file import Unreadable
from storage import UnknownStorage

#: What is wrong with these is the command or the configuration, not what was asked for.
_WRONG_USAGE = (WrongUsage, SettingsError, UnknownStorage, Unreadable)

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
    serve.demo
)
app.command("serve", short_help="Run the bot and its web server.")(serve.serve)
app.command("status", short_help="Show whether somebody gets our messages, and why not.")(
    status.status
)
app.command("set", short_help="Change what somebody gets from us.")(change.set_)
app.add_typer(contact.app, name="contact", short_help="Add, change, merge or show contacts.")
app.add_typer(
    provider.app, name="provider", short_help="Senders and providers that are used no longer."
)
app.add_typer(case.app, name="case", short_help="Ask for and decide re-opt-ins.")
app.command("activity", short_help="Show the Activity Log, newest first.")(activity.activity)
app.command("import", short_help="Take contacts in from a CSV, or an import back.")(imports.import_)
app.command("export", short_help="Write all contacts with their answers.")(exports.export)
app.command("erase", short_help="Erase a person for good.")(erase.erase)
app.command("verify", short_help="Check that the Activity Log is whole.")(verify.verify)
app.command("copy", short_help="Copy everything into another, empty storage.")(copy.copy)
app.command("migrate", short_help="Bring the storage to this version.")(migrate.migrate)
app.command("doctor", short_help="Check tokens, channels, providers and storage.")(doctor.doctor)

#: Built once: it reads the signature of every command.
_command = typer.main.get_command(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit status."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # both are text files
    try:
        status: object = _command.main(args=arguments, prog_name="optin", standalone_mode=False)
    except _WRONG_USAGE as error:
        complain(error.sentence)
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
    return status if isinstance(status, int) else 0
