"""What witnesses remember of the log, for the watch that notices an older copy of the storage."""

from __future__ import annotations

import logging
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence

from bot.config.settings import Settings
from bot.config.witness_address import WitnessKind
from bot.consent.errors import OptinError
from bot.consent.storage_behind import RememberedHead
from bot.consent.use_cases import Service
from bot.runtime.head_watch import HeadWatch
from bot.runtime.repeated import every
from bot.runtime.witness_jobs import open_witness
from handlers.witnesses.witness import Witness

logger = logging.getLogger(__name__)

#: Seconds between two times that witnesses in the network are asked.
_ASK = 600.0


class HeadsOfWitnesses:
    """The newest head of each witness. Files are read at each call. What is asked by network is
    remembered from the last `ask`."""

    def __init__(self, settings: Settings, service: Service, *, network: bool = False) -> None:
        """`network`: those that are asked by network, too, which a command does not wait for."""
        self._files: list[Witness] = []
        self._others: list[Witness] = []
        for address in settings.witnesses:
            if address.kind is WitnessKind.FILE:
                self._files.append(open_witness(address, settings, service))
            elif network:
                self._others.append(open_witness(address, settings, service))
        self._asked: list[RememberedHead] = []

    def __call__(self, log: str) -> Iterator[RememberedHead]:
        """Those of this log; of any log where it is empty, since a storage with no entries is not
        the one that was published."""
        yield from _latest(self._files, log)
        yield from (head for head in self._asked if log in ("", head.log))

    def ask(self, log: str) -> None:
        """Asks those in the network, which takes seconds. A witness that can't be reached is left
        out."""
        self._asked = list(_latest(self._others, log))


def watch_heads(settings: Settings, service: Service) -> list[Callable[[], Awaitable[None]]]:
    """Compares the storage with what all witnesses remember, before anything is answered. Returns
    the job that asks those in the network again, for `bot.runtime.server.Server`."""
    watch = service.heads
    if not isinstance(watch, HeadWatch) or not settings.witnesses:
        return []
    witnesses = HeadsOfWitnesses(settings, service, network=True)

    def ask(_: threading.Event) -> None:
        witnesses.ask(watch.log)

    ask(threading.Event())
    watch.witnessed_by(witnesses)
    watch.check(service, remember=True)
    return [every(_ASK, "heads of witnesses", ask)]


def _latest(witnesses: Sequence[Witness], log: str) -> Iterator[RememberedHead]:
    for witness in witnesses:
        try:
            head = witness.latest(log)
        except OptinError as error:
            logger.warning("the witness %s can't be asked: %s", witness.name, error.sentence)
            continue
        if head is not None:
            yield RememberedHead(
                log=head.log,
                size=head.size,
                chain=head.chain,
                at=head.at,
                where=f"the witness {witness.name}",
            )
