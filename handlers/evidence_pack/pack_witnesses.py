"""What witnesses have to do with an evidence pack: their heads are in it, and they get its own."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from bot.consent.errors import OptinError
from bot.consent.log.heads import LogHead
from handlers.witnesses.file_witness import FileWitness
from handlers.witnesses.witness import Witness

logger = logging.getLogger(__name__)


def remembered_heads(witnesses: Sequence[Witness]) -> dict[str, list[LogHead]]:
    """By the name of each witness. Nobody is asked by network, so that a pack is there at once: of
    any witness but a file this is the newest head that was published to it."""
    return {witness.name: _remembered(witness) for witness in witnesses}


def publish_head(witnesses: Sequence[Witness], head: LogHead) -> tuple[list[str], list[str]]:
    """Gives every witness the head of a pack: the names of those that have it now, and sentences
    about the others. A pack without a witness holds all the same."""
    done, failed = [], []
    for witness in witnesses:
        try:
            witness.publish(head)
            done.append(witness.name)
        except OptinError as error:
            logger.warning("the witness %s has no head of a pack: %s", witness.name, error.sentence)
            failed.append(f"{witness.name} does not have the head of this pack: {error.sentence}")
    return done, failed


def _remembered(witness: Witness) -> list[LogHead]:
    try:
        if isinstance(witness, FileWitness):
            return witness.remembered()
        newest = witness.newest()
    except OptinError as error:
        logger.warning("the witness %s can't be read: %s", witness.name, error.sentence)
        return []
    return [newest] if newest else []
