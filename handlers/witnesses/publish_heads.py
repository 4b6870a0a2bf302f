"""Publishes the head of the Activity Log to every witness: daily, and when Optin stops."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from bot.consent.errors import OptinError
from bot.consent.log.heads import LogHead
from bot.consent.use_cases import Service
from bot.consent.use_cases.witnessed_heads import check_heads, head_now
from handlers.witnesses.witness import Witness

logger = logging.getLogger(__name__)

#: Between two heads of a witness, while the log grows.
EVERY = timedelta(days=1)


class HeadPublisher:
    """The witnesses that the settings name. A witness that fails is tried again at the next call,
    and never keeps the others from their head."""

    def __init__(self, service: Service, witnesses: Sequence[Witness]) -> None:
        self._service = service
        self._witnesses = witnesses

    def publish_due(self) -> int:
        """To the witnesses whose newest head is a day old, or who have none, if the log has grown.
        How many got a head. Raises `StorageFailed`."""
        return self._publish(EVERY)

    def publish_now(self) -> int:
        """To every witness whose newest head is not that of the log now."""
        return self._publish(timedelta())

    def _publish(self, every: timedelta) -> int:
        now = self._service.now()
        known = {witness.name: _newest(witness) for witness in self._witnesses}
        due = [
            witness
            for witness in self._witnesses
            # A clock that was set back makes no witness wait for ever.
            if (newest := known[witness.name]) is None or abs(now - newest.at) >= every
        ]
        if not due:
            return 0
        head = head_now(self._service, [newest for newest in known.values() if newest])
        if head is None:
            return 0
        return sum(self._give(witness, head, known[witness.name]) for witness in due)

    def _give(self, witness: Witness, head: LogHead, newest: LogHead | None) -> bool:
        if newest and (newest.log, newest.size, newest.chain) == (head.log, head.size, head.chain):
            return False
        if newest and (problem := check_heads(self._service, [newest])):
            logger.error("the log contradicts the witness %s: %s", witness.name, problem)
        try:
            witness.publish(head)
        except OptinError as error:
            logger.warning("the witness %s has no new head: %s", witness.name, error.sentence)
            return False
        return True


def _newest(witness: Witness) -> LogHead | None:
    try:
        return witness.newest()
    except OptinError as error:
        logger.warning("the witness %s can't be read: %s", witness.name, error.sentence)
        return None
