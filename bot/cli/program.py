"""The command line as a program: the commands together, the exit status, and how errors are told.

0 done · 1 not found, or refused by a rule · 2 wrong usage or configuration · 3 done, but some rows
were rejected · 74 the disk failed or the storage was taken away: a new start reads it again.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from bot.cli.terminal import complain
from bot.cli.usage_errors import WrongUsage
from bot.config.settings import SettingsError
from bot.consent.errors import Invalid, NeedsRestart, OptinError
from storage import UnknownStorage

#: What is wrong with these is the command or the configuration, not what was asked for.
_WRONG_USAGE = (WrongUsage, SettingsError, UnknownStorage)

#: EX_IOERR of sysexits.h. A supervisor starts Optin again after it.
_NEEDS_RESTART = 74

#: Where each command is in this folder, and what the list of commands says of it. An `app` is a
#: group of commands.
_COMMANDS = {
    "demo": ("serve_command.demo", "Try everything on this machine, with no account anywhere."),
    "serve": ("serve_command.serve", "Run the bot and its web server."),
    "status": ("status_command.status", "Show whether somebody gets our messages, and why not."),
    "check": (
        "check_command.check",
        "Say of each address of a list whether messages may be sent.",
    ),
    "set": ("set_command.set_", "Change what somebody gets from us."),
    "activity": ("activity_command.activity", "Show the Activity Log, newest first."),
    "import": ("import_command.import_", "Take contacts in from a CSV, or an import back."),
    "sync": (
        "sync_command.sync",
        "Compare the providers' suppression lists, and bring both sides in step.",
    ),
    "stats": ("stats_command.stats_", "Show who opted out, how soon it was honoured, and bounces."),
    "export": ("export_command.export", "Write all contacts with their answers."),
    "evidence": (
        "evidence_command.evidence",
        "Make an evidence pack of a contact, which others can check.",
    ),
    "erase": ("erase_command.erase", "Erase a person for good."),
    "verify": ("verify_command.verify", "Check that the Activity Log is whole."),
    "backup": ("backup_command.backup", "Back up everything into a file, while Optin runs."),
    "restore": ("restore_command.restore", "Restore a backup into an empty storage."),
    "copy": ("copy_command.copy", "Copy everything into another, empty storage."),
    "migrate": ("migrate_command.migrate", "Bring the storage to this version."),
    "doctor": ("doctor_command.doctor", "Check tokens, channels, providers and storage."),
    "contact": ("contact_command.app", "Add, change, merge or show contacts."),
    "bounces": ("bounces_command.app", "Clear the bounces of our own outage."),
    "provider": ("provider_command.app", "Senders and providers that are used no longer."),
    "webhook": ("webhook_command.app", "Send each change to your own systems."),
    "key": ("key_command.app", "Keys for programs that use the API."),
    "case": ("case_command.app", "Ask for and decide re-opt-ins."),
    "review": ("review_command.app", "Answer replies that may be opt-outs."),
}


@cache
def command(name: str) -> Any:
    """A command, ready to be run. Imports its module and reads its signature: with all of them, the
    program would take twice as long to begin."""
    place, short_help = _COMMANDS[name]
    module, _, attribute = place.partition(".")
    found = getattr(import_module(f"bot.cli.{module}"), attribute)
    around = typer.Typer(
        add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
    )
    if isinstance(found, typer.Typer):
        around.add_typer(found, name=name, short_help=short_help)
    else:
        around.command(name, short_help=short_help)(found)
    return typer.main.get_group(around).commands[name]


class _Program(TyperGroup):
    """All commands. Those that it lists have a name and a short help, and nothing to run."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, listed, rest = super().resolve_command(ctx, args)
        found = listed and command(str(name))
        if not gc.isenabled():  # bot/__main__.py
            gc.freeze()
            gc.enable()
        return name, found, rest


program = _Program(
    name="optin",
    commands=[TyperCommand(name, short_help=short) for name, (_, short) in _COMMANDS.items()],
    help="Why does this customer get no messages, and can we fix it?",
    epilog="CONTACT is a phone number, an e-mail address, an id, or a name that fits only one.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit status."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # both are text files
    try:
        done: object = program.main(args=arguments, prog_name="optin", standalone_mode=False)
    except OptinError as error:
        sentence, status = _told(error)
        complain(sentence)
        return status
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


def _told(error: OptinError) -> tuple[str, int]:
    """What the person reads, and the exit status."""
    if isinstance(error, _WRONG_USAGE):
        return error.sentence, 2
    if isinstance(error, NeedsRestart):
        return error.sentence, _NEEDS_RESTART
    if isinstance(error, Invalid):
        from handlers.contacts_file import UnreadableFile  # loads all that reads a file

        if isinstance(error, UnreadableFile):
            return error.at_command_line, 2
    return error.sentence, 1
