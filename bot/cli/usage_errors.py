"""The error for a command line that makes no sense."""

from __future__ import annotations

from bot.consent.errors import OptinError


class WrongUsage(OptinError):
    """This command makes no sense. Its --help says how it is used."""  # noqa: D404 - the sentence that the person reads
