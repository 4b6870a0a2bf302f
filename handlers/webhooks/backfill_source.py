"""The seam for what a provider told while we could not hear: it is asked for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from bot.consent.events import Event


class BackfillUnavailable(Exception):
    """The provider can't be asked now. What was had is good; it goes on from there later.

    The text is for the log and holds nothing out of the answer.
    """


class BackfillOutdated(BackfillUnavailable):
    """It does not know any more where we were: begin anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillPage:
    """Some of it, in any order."""

    #: Under the ids that the webhook gives them.
    events: tuple[Event, ...]
    #: From where to go on; None at the end.
    next: str | None
    #: The newest time in it.
    newest: datetime | None


class BackfillSource(Protocol):
    """What a provider can tell of the time before."""

    #: The provider's.
    name: ClassVar[str]

    def pages(self, since: datetime, resume: str | None) -> Iterator[BackfillPage]:
        """All since then; from the `next` of an earlier page on, where one is given.

        Raises `BackfillUnavailable`.
        """
        ...
