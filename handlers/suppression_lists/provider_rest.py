"""A provider that can't be asked is left alone for a while, longer after each failure."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum

from bot.consent.use_cases import Service
from bot.consent.use_cases.lists.list_state import note_problem, read_state
from handlers.suppression_lists.provider_lists import ListsForbidden, ListsUnavailable

logger = logging.getLogger(__name__)

#: Seconds of rest after the first failure; doubled after each one that follows, up to the longest,
#: which is also the rest after a key was refused.
_REST, _LONGEST = 5.0, 900.0
#: Seconds without a success after which an operator is told.
_TELL_AFTER = 3_600.0


class ListJob(StrEnum):
    """What is done with the lists. A problem's text begins with it, so that the one job does not
    clear what the other has noted."""

    READ = "Can't be read"
    WRITE = "Can't be written to"


class ProviderRest:
    """The failures of one job at one provider. For one thread."""

    def __init__(
        self,
        service: Service,
        provider: str,
        job: ListJob,
        *,
        chance: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        """`chance` is for the jitter."""
        self._service = service
        self._provider = provider
        self._job = job
        self._chance = chance
        self._monotonic = monotonic
        #: Without a success between them.
        self.failures = 0
        #: What the last of them was; holds no address.
        self.problem = ""
        self._since = 0.0
        self._until = 0.0
        #: Whether the storage may have a problem of this job.
        self._noted = True

    @property
    def now(self) -> bool:
        """Whether the provider is left alone now."""
        return self._monotonic() < self._until

    def failed(self, error: ListsUnavailable) -> None:
        """An operator is told once: of a key that is refused at once, else after an hour."""
        now = self._monotonic()
        if not self.failures:
            self._since = now
            label = self._service.providers.label(self._provider)
            logger.warning("%s's lists: %s: %s", label, self._job.lower(), error)
        forbidden = isinstance(error, ListsForbidden)
        rest = _LONGEST if forbidden else min(_REST * 2.0 ** min(self.failures, 20), _LONGEST)
        asked = error.retry_after or timedelta(0)
        self._until = now + asked.total_seconds() + rest * (0.75 + self._chance() / 2)
        self.failures += 1
        self.problem = str(error)
        if forbidden or now - self._since >= _TELL_AFTER:
            self._noted = True
            note_problem(self._service, self._provider, f"{self._job}: {error}")

    def worked(self) -> None:
        """It goes on at once, and what was noted is cleared."""
        if self.failures:
            label = self._service.providers.label(self._provider)
            logger.info("%s's lists answer again", label)
        self.failures = 0
        self._until = 0.0
        if self._noted:
            if read_state(self._service, self._provider).problem.startswith(self._job):
                note_problem(self._service, self._provider, "")
            self._noted = False
