"""What happens in the demo, a line for each thing, in the terminal that it was started from."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from bot.consent.known_providers import KnownProviders
from bot.consent.log.entries import Entry
from bot.consent.parsing import masked
from bot.consent.use_cases import Service
from handlers.vocabulary import actor, what

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
    """Without names, numbers and what was written: a terminal is a log, too."""
    address = entry.address if entry.address and not entry.address.startswith("hash:") else None
    by = f"by {actor(entry.actor, providers, markup=False)}"
    said = [what(entry, providers), masked(address) if address else "", by]
    said.append("expected" if entry.expected else "")
    return " · ".join(filter(None, said))
