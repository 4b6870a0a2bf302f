"""What came of a claimed write, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.consent.frozen import replace
from bot.consent.log.changes import BlockChanged
from bot.consent.model import BlockState, Channel
from bot.consent.store import Records
from bot.consent.suppressions import ListedAddress
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.lists.judge_entries import judge_entries
from bot.consent.use_cases.lists.leaving_entries import mark_leaving, record_on_holders
from bot.consent.use_cases.lists.list_recorder import list_recorder
from bot.consent.use_cases.lists.take_entries import take_newer, take_rest
from bot.consent.use_cases.lists.wishes import add_again
from bot.consent.use_cases.record import Recorder
from bot.consent.write_backs import SKEW, WriteBack, WriteState

#: A claim that is older than this has expired.
CLAIM = timedelta(seconds=60)
#: Before the next attempt, or the next look whether the entry is gone; then hourly.
WAITS = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
)
#: Attempts, or looks: after about a day an operator has to look.
MOST_ATTEMPTS = 28


class OutcomeKind(StrEnum):
    """What came of one write."""

    #: The provider has the address now.
    ADDED = "added"
    #: The provider took the entry off. A later look has to confirm it.
    REMOVED = "removed"
    #: The list does not show the entry.
    GONE = "gone"
    #: The list shows an entry that is newer than the wish to take it off.
    NEWER = "newer"
    #: Not done yet, or still shown: later.
    AGAIN = "again"
    #: The provider does not take this address.
    REFUSED = "refused"
    #: The provider could not be asked.
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOutcome:
    """What came of one write, and what the list showed."""

    kind: OutcomeKind
    #: Of NEWER.
    entry: ListedAddress | None = None
    #: Everything that `find` gave, where it was asked.
    found: Sequence[ListedAddress] = ()
    #: What went wrong, in words that hold no address.
    problem: str = ""
    #: The wait that the provider asked for.
    retry_after: timedelta | None = None


def settle_write(service: Service, write: WriteBack, outcome: WriteOutcome) -> WriteBack | None:
    """Stores what came of a claimed write, and what follows from it; `write` as it was claimed.

    A claim that is not the row's any more changes no more than the time of the next attempt.
    Returns the row; None where it was erased.
    """
    now = service.now()
    with service.store.transaction() as records:
        row = records.write_backs.get(write.id)
        if row is None:
            return None
        if (row.token, row.state) != (write.token, write.state):
            return _settle_late(records, row, outcome, now)
        recorder = list_recorder(service, records, write.provider, now)
        settled = _settle(recorder, row, outcome)
        records.write_backs.put(replace(settled, token=""))
        return records.write_backs.get(write.id)


def _settle(recorder: Recorder, row: WriteBack, outcome: WriteOutcome) -> WriteBack:
    now = recorder.now
    match outcome.kind:
        case OutcomeKind.ADDED:
            settled = _added(recorder, row, outcome.found)
        case OutcomeKind.REMOVED:
            settled = replace(
                row,
                state=WriteState.SENT,
                attempts=0,
                removed_at=now,
                not_before=now + WAITS[0],
                problem="",
            )
        case OutcomeKind.GONE:
            _lift(recorder, row)
            take_rest(recorder, row, outcome.found, (row.not_before or now) - CLAIM)
            if not outcome.found:
                add_again(recorder, row.key, row.provider)
            removed_at = row.removed_at or now
            settled = replace(row, state=WriteState.CONFIRMED, removed_at=removed_at, problem="")
        case OutcomeKind.NEWER if outcome.entry is not None:
            entry_stays(recorder, row, _NEWER)
            take_newer(recorder, row, [outcome.entry])
            settled = replace(row, state=WriteState.DROPPED, problem=_NEWER)
        case _:
            settled = _later(recorder, row, outcome)
    return settled


def _added(recorder: Recorder, row: WriteBack, found: Sequence[ListedAddress]) -> WriteBack:
    """The address is on the list: by this call, by an earlier one that nobody settled, or by an
    entry that is older than the wish and so is not Optin's."""
    mine = judge_entries(row, found, recorder.service.providers.added_as(row.provider)).mine
    times = [entry.since for entry in mine if entry.since is not None]
    if mine and times and max(times) < row.wished_at - SKEW:
        entry_stays(recorder, row, _STOOD)
        take_newer(recorder, row, mine)
        return replace(row, state=WriteState.DROPPED, problem=_STOOD)
    _stands_now(recorder, row)
    at = max(times, default=recorder.now)
    return replace(row, state=WriteState.CONFIRMED, added_at=at, problem="")


def _later(recorder: Recorder, row: WriteBack, outcome: WriteOutcome) -> WriteBack:
    """Not done: tried again, or given up after a day."""
    if outcome.kind is OutcomeKind.REFUSED:
        return _park(recorder, row, outcome.problem or "the provider refuses the address")
    if row.attempts >= MOST_ATTEMPTS:
        return _park(recorder, row, outcome.problem or "the list still shows the entry")
    wait = max(WAITS[min(row.attempts, len(WAITS)) - 1], outcome.retry_after or timedelta(0))
    state = row.state if row.state is WriteState.SENT else WriteState.WAITING
    return replace(row, state=state, not_before=recorder.now + wait, problem=outcome.problem)


_STOOD = "the address stood there already"
_NEWER = "the list has a newer entry, which stays"


def _settle_late(
    records: Records, row: WriteBack, outcome: WriteOutcome, now: datetime
) -> WriteBack:
    """The claim expired, or the wish is another one by now: what was done still counts as ours."""
    done = {OutcomeKind.ADDED: "added_at", OutcomeKind.REMOVED: "removed_at"}.get(outcome.kind)
    if done is not None:
        row = replace(row, **{done: now})
        if row.state is WriteState.WAITING:
            row = replace(row, not_before=None)
        records.write_backs.put(row)
    return row


def _stands_now(recorder: Recorder, row: WriteBack) -> None:
    """The provider's list has the address by Optin's doing. A list of texts is no block: the
    carrier tells of those."""
    if row.channel is not Channel.EMAIL:
        return
    before, _ = recorder.records.addresses.get(row.key).block(row.listing)
    block = recorder.records.addresses.get(row.key).blocks.get(row.listing)
    if before is BlockState.BLOCKED and block is not None and not block.leaving:
        return
    label = recorder.service.providers.label(row.provider)
    record_on_holders(
        recorder,
        row.key,
        BlockChanged(
            sender=row.listing,
            before=before,
            after=BlockState.BLOCKED,
            reason=f"Optin added it to {label}'s list",
        ),
    )


def _lift(recorder: Recorder, row: WriteBack) -> None:
    block = recorder.records.addresses.get(row.key).blocks.get(row.listing)
    if block is not None and (block.leaving or block.since <= row.wished_at):
        record_on_holders(
            recorder,
            row.key,
            BlockChanged(
                sender=row.listing,
                before=block.state,
                after=BlockState.NONE,
                reason="A look at the list confirmed it",
            ),
        )


def _park(recorder: Recorder, row: WriteBack, problem: str) -> WriteBack:
    mark_leaving(recorder, row.key, row.listing, leaving=False, reason=f"Not taken off: {problem}")
    return replace(row, state=WriteState.PARKED, problem=problem)


def entry_stays(recorder: Recorder, row: WriteBack, reason: str) -> None:
    """The entry is not taken off. What Optin only meant to look for is no entry."""
    block = recorder.records.addresses.get(row.key).blocks.get(row.listing)
    if block is not None and block.leaving and block.state is BlockState.UNKNOWN:
        _lift(recorder, row)
    else:
        mark_leaving(recorder, row.key, row.listing, leaving=False, reason=reason)
