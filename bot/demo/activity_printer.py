"""What happens in the demo, a line for each thing, in the terminal that it was started from."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Event, Thread

from bot.consent.known_providers import KnownProviders
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.parsing import masked
from bot.consent.rules import Reason
from bot.consent.use_cases import Service
from handlers.entry_sentences import plain_sentence
from handlers.vocabulary import actor

logger = logging.getLogger(__name__)

#: Seconds between two looks at the Activity Log.
_LOOK_AGAIN = 0.25
#: Entries that are read at a time.
_PAGE = 200


@contextmanager
def telling(service: Service) -> Iterator[None]:
    """Tells what is new in the Activity Log for as long as the block lasts."""
    over = Event()
    with service.store.reading() as records:
        last, _ = records.log.head()

    def tell() -> None:
        nonlocal last
        ends = False
        while not ends:
            ends = over.wait(_LOOK_AGAIN)
            for entry in reversed(list(_since(service, last))):
                logger.info("%s", _line(entry, service.providers))
                last = entry.seq

    thread = Thread(target=tell, name="telling", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _since(service: Service, last: int) -> Iterator[Entry]:
    """The entries after this one, newest first."""
    before: int | None = None
    while True:
        with service.store.reading() as records:
            page = records.log.entries(before=before, limit=_PAGE)
        for entry in page:
            if entry.seq <= last:
                return
            yield entry
        if not page:
            return
        before = page[-1].seq


def _line(entry: Entry, providers: KnownProviders) -> str:
    """Without names, numbers and what people wrote: a terminal is a log, too."""
    address = entry.address if entry.address and not entry.address.startswith("hash:") else None
    by = f"by {actor(entry.actor, providers, markup=False)}"
    said = plain_sentence(replace(entry, reason=_without_words(entry)), providers)
    return " · ".join(filter(None, [said, masked(address) if address else "", by]))


def _without_words(entry: Entry) -> str | None:
    """The reason, where Optin or a provider wrote it."""
    reason = entry.reason or ""
    if reason.startswith("Replied"):
        lifts = entry.kind is EntryKind.BLOCK
        return f"Replied with an opt-{'in' if lifts else 'out'} word"
    theirs = entry.actor.startswith(("provider:", "contact")) and "“" not in reason
    return reason if theirs or reason in {*Reason} else None
