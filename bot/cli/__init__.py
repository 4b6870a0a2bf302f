"""The command line: `optin`, one module for each command."""

from bot.cli.program import main

__all__ = ["main"]
