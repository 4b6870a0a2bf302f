"""The command line: `optin`, one module for each command."""

from bot.cli.run import main

__all__ = ["main"]
