"""Reading all of one provider's lists: each page is stored with its cursor, so that a read goes on
where it was interrupted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.consent.suppressions import ListedAddress
from bot.consent.use_cases import Service
from bot.consent.use_cases.lists.finish_reads import ReadEnd, finish_read, lift_gone
from bot.consent.use_cases.lists.reads import ListRead, abandon_read, begin_read, take_page
from handlers.suppression_lists.provider_lists import ListsUnavailable, ProviderLists, ReadOutdated


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadProgress:
    """How far a read has come."""

    #: Entries of the pages that this process read.
    entries: int = 0
    #: Addresses that were looked up, of so many.
    looked_up: int = 0
    to_look_up: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadWatch:
    """What a caller wants of a read while it goes on."""

    progress: Callable[[ReadProgress], None] = lambda _: None
    #: Ends the read after the page under way.
    stopping: threading.Event = field(default_factory=threading.Event)
    #: Waits after a provider could not be asked, and says whether to ask it again.
    wait: Callable[[ListsUnavailable], bool] = lambda _: False


def read_lists(
    service: Service,
    lists: ProviderLists,
    *,
    token: str,
    rehearse: bool = False,
    watch: ReadWatch | None = None,
) -> ReadEnd | None:
    """Reads everything, or the rest of what was begun; None where another replica reads, or where
    the watch's `stopping` was set.

    `token` names the reader. `rehearse` writes nothing. Raises `ListsUnavailable`, after which the
    same call goes on, and `StorageFailed`.
    """
    watch = watch or ReadWatch()
    read = _all_pages(service, lists, token, rehearse, watch)
    end = finish_read(service, read) if read is not None else None
    if end is None or rehearse:
        return end
    # A look-up that is not made is made after the next read, which does not show the entry either.
    for number, address in enumerate(end.to_look_up):
        if watch.stopping.is_set():
            return None
        asked, found = _found(service, lists, address, watch)
        lift_gone(service, lists.name, address, found, asked=asked)
        watch.progress(ReadProgress(looked_up=number + 1, to_look_up=len(end.to_look_up)))
    return end


def _found(
    service: Service, lists: ProviderLists, address: str, watch: ReadWatch
) -> tuple[datetime, Sequence[ListedAddress]]:
    """What the lists have of the address, and when the provider was asked."""
    while True:
        asked = service.now()
        try:
            return asked, lists.find(address)
        except ListsUnavailable as error:
            if not watch.wait(error):
                raise


def _all_pages(
    service: Service, lists: ProviderLists, token: str, rehearse: bool, watch: ReadWatch
) -> ListRead | None:
    """The read after its last page."""
    anew = False
    while True:
        read = begin_read(
            service, lists.name, account=lists.account, token=token, rehearse=rehearse
        )
        if read is None:
            return None
        try:
            return _pages(service, lists, read, watch)
        except ReadOutdated:
            # Only a cursor of long ago is unknown: begun anew, the read does not end so again.
            if anew:
                raise
            anew = True
            abandon_read(service, read)


def _pages(
    service: Service, lists: ProviderLists, read: ListRead, watch: ReadWatch
) -> ListRead | None:
    entries = 0
    # With pages and without a cursor, its last page was stored, and its end was not.
    while read.cursor is not None or not read.pages:
        try:
            for page in lists.pages(read.cursor):
                taken = take_page(service, read, page.entries, page.events, page.next)
                if taken is None or watch.stopping.is_set():
                    return None
                read = taken
                entries += len(page.entries) + len(page.events)
                watch.progress(ReadProgress(entries=entries))
        except ReadOutdated:
            raise
        except ListsUnavailable as error:
            if not watch.wait(error):
                raise
    return read
