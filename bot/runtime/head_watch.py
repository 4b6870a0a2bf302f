"""Watches that the storage never goes back: compares its log with what is remembered elsewhere.

What is remembered: by the head file beside the settings, by this process, and by the witnesses that
the operator chose.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from typing import TypeVar

from bot.config.head_file import HeadFile
from bot.consent.storage_behind import (
    MAY_BE_NEW,
    UNKNOWN_END,
    LogEnd,
    RememberedHead,
    StorageBehind,
    read_mark,
)
from bot.consent.use_cases import Service
from bot.consent.use_cases.accepted_losses import has_head
from bot.consent.use_cases.log_tree import log_id
from bot.consent.use_cases.rollback import find_behind, mark_behind

logger = logging.getLogger(__name__)

Found = TypeVar("Found")

#: The newest head of this log that each witness remembers. Where the log is empty, of any log but
#: these, which are known to have another storage.
WitnessedHeads = Callable[[str, Collection[str]], Iterable[RememberedHead]]


class HeadWatch:
    """See `bot.consent.storage_behind.HeadMemory`. One for each open storage."""

    def __init__(
        self,
        file: HeadFile | None,
        now: Callable[[], datetime],
        *,
        quiet: bool = False,
    ) -> None:
        """Without a `file`, only this process and the witnesses remember. `quiet`: log nothing of
        what is missing, since the caller says it."""
        self._file = file
        self._now = now
        self._quiet = quiet
        self._witnessed: WitnessedHeads = lambda log, elsewhere: ()
        self._lock = threading.Lock()
        self._newest: LogEnd = UNKNOWN_END
        self._at = now()
        self._log = ""
        self._behind: StorageBehind | None = None
        #: In the head file already, as far as this process knows.
        self._written = 0
        self._told: set[LogEnd] = set()
        #: Another process was writing into the head file: to be tried again.
        self._pending = False
        self._unusable = False

    @property
    def newest(self) -> LogEnd:
        """See `HeadMemory`."""
        return self._newest

    @property
    def behind(self) -> StorageBehind | None:
        """See `HeadMemory`."""
        return self._behind

    @property
    def log(self) -> str:
        """What tells this log from others; empty where it has no entries."""
        return self._log

    def elsewhere(self) -> frozenset[str]:
        """The logs that the head file knows at other addresses. A storage with no entries is none
        of these: it would be remembered itself."""
        return frozenset(head.log for head in self._read(HeadFile.others) or ())

    def witnessed_by(self, witnessed: WitnessedHeads) -> None:
        """Compares the storage with these, too."""
        self._witnessed = witnessed

    def look(self, least: LogEnd, found: LogEnd) -> None:
        """See `HeadMemory`."""
        if found[0] < least[0] or (found[0] == least[0] != 0 and found != least):
            self._found(least, found)
        elif found[0] > self._newest[0] and self._behind is None:
            self._newest, self._at = found, self._now()

    def stored(self, end: LogEnd) -> None:
        """See `HeadMemory`."""
        with self._lock:
            if self._behind is not None:
                return
            if end[0] > self._newest[0]:
                self._newest = end
            self._at = self._now()
            if end[0] > self._written:
                self._write(end)

    def check(self, service: Service, *, remember: bool = False) -> StorageBehind | None:
        """Compares the storage with everything that is remembered, and marks it where it is behind.
        `remember`: writes its present end into the head file. Raises `StorageFailed`."""
        own, others = self._remembered(service)
        with service.store.reading() as records:
            found = find_behind(records, [*own, *others], self._now())
            behind = read_mark(records.key_value) or found
            end = records.log.head()
            # What a person accepted as lost is replaced by what there is.
            lost = behind is None and not all(has_head(records.log, head, end) for head in own)
        with self._lock:
            self._behind = behind
            if behind is None:
                if lost or self._newest[0] < end[0]:
                    self._newest, self._at = end, self._now()
                unnamed = bool(self._log) and any(not head.log for head in own)
                if lost or remember or self._pending or unnamed:
                    self._write(self._newest, replace=lost)
        if behind is not None:
            self._tell(behind)
        if found is not None and not service.store.outdated:  # it has to be migrated first
            mark_behind(service, found)
        return behind

    def all_remembered(self, service: Service) -> list[RememberedHead]:
        """Everything that is compared with the storage, but for what this process has read in it.
        Raises `StorageFailed`."""
        own, others = self._remembered(service)
        return [head for head in (*own, *others) if head.where != _OURSELVES]

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _found(self, least: LogEnd, found: LogEnd) -> None:
        with self._lock:
            if self._behind is not None:
                return
            behind = self._behind = StorageBehind(
                size=least[0],
                chain=least[1],
                at=self._at,
                where=_OURSELVES,
                present=found[0],
                since=self._now(),
            )
        self._tell(behind)

    def _remembered(self, service: Service) -> tuple[list[RememberedHead], list[RememberedHead]]:
        """What is remembered of the storage itself, and of its log by others: by the same log at
        another address, where that has more entries, and by witnesses."""
        with service.store.reading() as records:
            self._log, (size, _) = log_id(records.log), records.log.head()
        own = list(self._own())
        known = self._read(HeadFile.others) or []
        ahead = [head for head in known if head.log == self._log and head.size > size]
        return own, [*ahead, *self._witnessed(self._log, {head.log for head in known})]

    def _own(self) -> Iterator[RememberedHead]:
        if self._newest[0]:
            size, chain = self._newest
            yield RememberedHead(
                log=self._log, size=size, chain=chain, at=self._at, where=_OURSELVES
            )
        if (head := self._read(HeadFile.read)) is not None:
            yield head

    def _read(self, read: Callable[[HeadFile], Found]) -> Found | None:
        if self._file is None:
            return None
        try:
            return read(self._file)
        except OSError as error:
            self._warn(error)
            return None

    def _write(self, end: LogEnd, *, replace: bool = False) -> None:
        if self._file is None or not end[0]:
            return
        head = RememberedHead(
            log=self._log, size=end[0], chain=end[1], at=self._at, where=self._file.path.name
        )
        try:
            done = self._file.replace(head) if replace else self._file.remember(head)
        except OSError as error:
            self._warn(error)
            return
        self._pending = not done
        if done:
            self._written = end[0]

    def _warn(self, error: OSError) -> None:
        if self._file is not None and not self._unusable:
            self._unusable = True
            logger.warning(
                "%s can't be used (%s): by it, Optin would not notice an older copy of the "
                "storage. OPTIN_HEAD_FILE names another place.",
                self._file.path,
                error.strerror,
            )

    def _tell(self, behind: StorageBehind) -> None:
        if not self._quiet and (behind.size, behind.chain) not in self._told:
            self._told.add((behind.size, behind.chain))
            logger.error(
                "The storage went back to an older copy, or lost its end: %s remembers entry %d, "
                "and its newest entry is %d. Opt-outs are taken, and nobody is answered yes. Put "
                "the newest copy back, or run `optin verify --accept-rollback`.%s",
                behind.where,
                behind.size,
                behind.present,
                f" {MAY_BE_NEW}" if behind.may_be_new else "",
            )


_OURSELVES = "the running bot"


def has_all(service: Service) -> bool:
    """Whether the storage has everything that is remembered of it. Raises `StorageFailed`."""
    if isinstance(service.heads, HeadWatch):
        return service.heads.check(service, remember=True) is None
    with service.store.reading() as records:
        return read_mark(records.key_value) is None
