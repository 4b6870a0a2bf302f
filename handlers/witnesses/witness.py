"""What a witness of the Activity Log does: it takes heads, and gives them back."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from bot.consent.errors import OptinError
from bot.consent.log.heads import LogHead


class WitnessFailed(OptinError):
    """A witness of the Activity Log can't be reached."""


class Witness(Protocol):
    """Where heads of the log are kept, out of reach of whoever changes the storage."""

    @property
    def name(self) -> str:
        """As `OPTIN_WITNESSES` has it."""
        ...

    def publish(self, head: LogHead) -> None:
        """Gives the witness a head. Twice does no harm. Raises `WitnessFailed`, and
        `StorageFailed`."""
        ...

    def newest(self) -> LogHead | None:
        """The newest head that was published, as far as this machine and its storage know. Asks
        nobody by network. Raises as `publish` does."""
        ...

    def latest(self, log: str, elsewhere: Collection[str] = ()) -> LogHead | None:
        """The newest head of this log that the witness itself has; asks it, also by network. Where
        `log` is empty, the newest of any log but those that are `elsewhere`. Raises as `publish`
        does."""
        ...

    def remembered(self) -> list[LogHead]:
        """Every head that the witness has, in the order in which it got them. Raises as `publish`
        does."""
        ...


def is_wanted(found: str, log: str, elsewhere: Collection[str]) -> bool:
    """Whether `Witness.latest` is asked for a head of the log that was found."""
    return found == log if log else found not in elsewhere
