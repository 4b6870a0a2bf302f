"""What witnesses remember of the log, for the watch that notices an older copy of the storage."""

from __future__ import annotations

import logging
import threading
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from pathlib import Path

from bot.config.settings import Settings
from bot.config.witness_address import WitnessKind
from bot.consent.errors import OptinError
from bot.consent.log.heads import LogHead
from bot.consent.storage_behind import WITNESS, RememberedHead
from bot.consent.use_cases import Service
from bot.runtime.head_watch import HeadWatch
from bot.runtime.repeated import every
from bot.runtime.witness_jobs import open_witness
from handlers.witnesses.file_witness import FileWitness
from handlers.witnesses.witness import Witness, is_wanted

logger = logging.getLogger(__name__)

#: Seconds between two times that witnesses in the network are asked.
_ASK = 600.0


class HeadsOfWitnesses:
    """The newest head of each witness. Files are read at each call. What is asked by network is
    remembered from the last `ask`."""

    def __init__(self, settings: Settings, service: Service, *, network: bool = False) -> None:
        """`network`: those that are asked by network, too, which a command does not wait for."""
        self._settings = settings
        self._others = [
            open_witness(address, settings, service)
            for address in settings.witnesses
            if network and address.kind is not WitnessKind.FILE
        ]
        self._asked: list[RememberedHead] = []

    def __call__(self, log: str, elsewhere: Collection[str]) -> Iterator[RememberedHead]:
        """Those of this log. Where it is empty, of any log but those that are elsewhere: a storage
        with no entries may be the one that was published, and lost everything."""
        yield from heads_in_files(self._settings, log, elsewhere)
        yield from (head for head in self._asked if is_wanted(head.log, log, elsewhere))

    def ask(self, log: str, elsewhere: Collection[str]) -> None:
        """Asks those in the network, which takes seconds. A witness that can't be reached is left
        out."""
        self._asked = list(_latest(self._others, log, elsewhere))


def watch_heads(settings: Settings, service: Service) -> list[Callable[[], Awaitable[None]]]:
    """Compares the storage with what all witnesses remember, before anything is answered. Returns
    the job that asks those in the network again, for `bot.runtime.server.Server`."""
    watch = service.heads
    if not isinstance(watch, HeadWatch) or not settings.witnesses:
        return []
    witnesses = HeadsOfWitnesses(settings, service, network=True)

    def ask(_: threading.Event) -> None:
        witnesses.ask(watch.log, watch.elsewhere())

    ask(threading.Event())
    watch.witnessed_by(witnesses)
    watch.check(service, remember=True)
    return [every(_ASK, "heads of witnesses", ask)]


def heads_in_files(
    settings: Settings, log: str, elsewhere: Collection[str] = ()
) -> Iterator[RememberedHead]:
    """The newest head of each witness that is a file. See `HeadsOfWitnesses` for what is asked."""
    files = [one for one in settings.witnesses if one.kind is WitnessKind.FILE]
    yield from _latest([FileWitness(Path(one.place), one.name) for one in files], log, elsewhere)


def head_of_witness(head: LogHead, name: str) -> RememberedHead:
    """The head as the watch compares it."""
    return RememberedHead(
        log=head.log, size=head.size, chain=head.chain, at=head.at, where=f"{WITNESS}{name}"
    )


def _latest(
    witnesses: Sequence[Witness], log: str, elsewhere: Collection[str]
) -> Iterator[RememberedHead]:
    for witness in witnesses:
        try:
            head = witness.latest(log, elsewhere)
        except OptinError as error:
            logger.warning("the witness %s can't be asked: %s", witness.name, error.sentence)
            continue
        if head is not None:
            yield head_of_witness(head, witness.name)
