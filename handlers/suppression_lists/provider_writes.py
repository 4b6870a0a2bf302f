"""The writes to one provider's lists: claimed, made, and settled one by one."""

from __future__ import annotations

import logging
import random
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from bot.consent.errors import StorageFailed, without_text
from bot.consent.frozen import replace
from bot.consent.suppressions import Cause, ListedAddress
from bot.consent.use_cases import Service
from bot.consent.use_cases.lists.judge_entries import judge_entries
from bot.consent.use_cases.lists.settle_writes import OutcomeKind, WriteOutcome, settle_write
from bot.consent.use_cases.lists.writes import claim_writes, give_back
from bot.consent.write_backs import WriteAction, WriteBack, WriteState
from handlers.suppression_lists.provider_lists import (
    Added,
    AddressRefused,
    ListsForbidden,
    ListsUnavailable,
    ProviderLists,
)
from handlers.suppression_lists.provider_rest import ListJob, ProviderRest

T = TypeVar("T")

logger = logging.getLogger(__name__)

#: Entries of one turn that are taken off: each takes several calls.
_MOST_REMOVED = 20
#: Seconds in which a turn begins new calls. Together with a call it is shorter than a claim.
_TURN = 25.0
#: Seconds in which a result has to be stored, and between two attempts to.
_SETTLE_WITHIN, _PAUSE = 20.0, 0.25


class ProviderWrites:
    """Takes turns at one provider's writes. One thread uses it at a time."""

    def __init__(
        self,
        service: Service,
        lists: ProviderLists,
        stopping: threading.Event | None = None,
        *,
        chance: Callable[[], float] = random.random,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begins no more calls once it is `stopping`. `chance` is for the jitter."""
        self._service = service
        self._lists = lists
        self._stopping = stopping or threading.Event()
        self._monotonic = monotonic
        self._label = service.providers.label(lists.name)
        self._added_as = service.providers.added_as(lists.name)
        self.rests = ProviderRest(
            service, lists.name, ListJob.WRITE, chance=chance, monotonic=monotonic
        )

    def turn(self) -> bool:
        """Makes writes that are due, adds first; whether there were any. Raises `StorageFailed`."""
        end = self._monotonic() + _TURN
        any_due = False
        for action in (WriteAction.ADD, WriteAction.REMOVE):
            if self._is_over(end) or self.rests.now:
                break
            claimed = claim_writes(
                self._service,
                self._lists.name,
                limit=self._most(action),
                token=secrets.token_hex(8),
                only=action,
                account=self._lists.account,
            )
            any_due = any_due or bool(claimed)
            self._make(claimed, end)
        return any_due

    def _most(self, action: WriteAction) -> int:
        """While the provider fails, one write finds out whether it works again."""
        if self.rests.failures:
            return 1
        return self._lists.most_added if action is WriteAction.ADD else _MOST_REMOVED

    def _make(self, claimed: Sequence[WriteBack], end: float) -> None:
        """Makes these, and gives back what it did not come to."""
        left = {write.id: write for write in claimed}
        try:
            self._add([w for w in claimed if w.action is WriteAction.ADD], left, end)
            for write in claimed:
                if write.action is WriteAction.REMOVE and not self._is_over(end):
                    outcome = self._guarded(self._take_off, write)
                    del left[write.id]
                    self._settle(write, outcome)
        except ListsUnavailable as error:
            self.rests.failed(error)
        else:
            if claimed:
                self.rests.worked()
        finally:
            for write in left.values():
                give_back(self._service, write)

    def _add(self, writes: Sequence[WriteBack], left: dict[str, WriteBack], end: float) -> None:
        """Adds these with one call. Those that an earlier call may have added are looked up."""
        to_add: list[WriteBack] = []
        for write in writes:
            known = None
            if write.attempts > 1 and self._lists.readable:
                if self._is_over(end):
                    continue
                known = self._guarded(self._look_for_add, write)
            if known is None:
                to_add.append(write)
            else:
                del left[write.id]
                self._settle(write, known)
        if not to_add or self._stopping.is_set():
            return
        # From here on, nobody can say that they were not added.
        for write in to_add:
            del left[write.id]
        added = self._added(to_add, left)
        for write, one in zip(to_add, added, strict=True):
            kind = OutcomeKind.ADDED
            if one.problem:
                kind = OutcomeKind.AGAIN if one.again else OutcomeKind.REFUSED
            self._settle(write, WriteOutcome(kind=kind, problem=one.problem))

    def _added(self, writes: Sequence[WriteBack], left: dict[str, WriteBack]) -> Sequence[Added]:
        try:
            return self._lists.add([write.address for write in writes])
        except ListsUnavailable as error:
            # What asks for a pause, or refuses the key, did nothing. Any other call may have added
            # some of them.
            nothing = error.retry_after is not None or isinstance(error, ListsForbidden)
            if nothing and not error.partly:
                left |= {write.id: write for write in writes}
            else:
                outcome = WriteOutcome(kind=OutcomeKind.UNAVAILABLE, problem=str(error))
                for write in writes:
                    self._settle(write, outcome)
            raise

    def _look_for_add(self, write: WriteBack) -> WriteOutcome | None:
        """ADDED where the list has it; None where it has to be added."""
        found = self._lists.find(write.address)
        if judge_entries(write, found, self._added_as).mine:
            return WriteOutcome(kind=OutcomeKind.ADDED, found=found)
        return None

    def _take_off(self, write: WriteBack) -> WriteOutcome:
        """Takes off what the write is about, unless something newer stands there."""
        found = self._lists.find(write.address)
        judged = judge_entries(write, found, self._added_as)
        if judged.newer is not None:
            return WriteOutcome(kind=OutcomeKind.NEWER, entry=judged.newer, found=found)
        if not judged.mine:
            return WriteOutcome(kind=OutcomeKind.GONE, found=found)
        if write.state is WriteState.SENT:
            problem = "the list still shows the entry"
            return WriteOutcome(kind=OutcomeKind.AGAIN, found=found, problem=problem)
        for entry in judged.mine:
            self._lists.remove(_as_ours(entry))
        return WriteOutcome(kind=OutcomeKind.REMOVED, found=found)

    def _guarded(self, call: Callable[[WriteBack], T], write: WriteBack) -> T | WriteOutcome:
        """What one write's own calls gave. A fault of ours holds up no other write."""
        try:
            return call(write)
        except AddressRefused as refused:
            return WriteOutcome(kind=OutcomeKind.REFUSED, problem=str(refused))
        except ListsUnavailable:
            raise
        except Exception as error:
            bare = without_text(error)
            logger.error("a write to %s's list failed: %s", self._label, bare, exc_info=bare)
            problem = "could not be made, and Optin's log says why"
            return WriteOutcome(kind=OutcomeKind.AGAIN, problem=problem)

    def _settle(self, write: WriteBack, outcome: WriteOutcome) -> None:
        """Retries while the storage is busy: if the result were lost, the list would have to be
        asked again."""
        end = time.monotonic() + _SETTLE_WITHIN
        while True:
            try:
                settle_write(self._service, write, outcome)
                return
            except StorageFailed as error:
                if time.monotonic() > end or self._stopping.wait(_PAUSE):
                    raise
                logger.warning("a write to a list can't be settled yet: %s", error.sentence)

    def _is_over(self, end: float) -> bool:
        return self._stopping.is_set() or self._monotonic() > end


def _as_ours(entry: ListedAddress) -> ListedAddress:
    """An opt-out that Optin added stands at some providers as a complaint; a client takes no other
    complaint off."""
    if entry.listing.cause is not Cause.COMPLAINT:
        return entry
    return replace(entry, listing=replace(entry.listing, cause=Cause.OURS))
