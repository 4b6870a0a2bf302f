"""The calls to the providers' lists: a worker claims writes, makes the calls, and settles each.

A claim is stored before the call and the result after it. What was claimed and never settled may
have been done or not, so the worker looks first:

- An ADD that was claimed once (`attempts` is 1) is added at once. Any other one is looked up
  (`find`), and added only if `judge_entries(write, found).mine` is empty.
- A REMOVE in the state SENDING is looked up. `newer`: settle NEWER. Nothing of `mine`: settle GONE.
  Else take each of `mine` off, and settle REMOVED.
- A REMOVE in the state SENT was taken off, and is only looked up: settle GONE, NEWER or AGAIN.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.consent.frozen import replace
from bot.consent.storage_behind import read_mark
from bot.consent.store import Records
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.known_senders import read_kept
from bot.consent.use_cases.lists.leaving_entries import mark_leaving
from bot.consent.use_cases.lists.list_recorder import list_recorder
from bot.consent.use_cases.lists.list_records import list_state
from bot.consent.use_cases.lists.settle_writes import CLAIM, entry_stays
from bot.consent.use_cases.lists.wanted_entries import is_still_wished
from bot.consent.use_cases.record import Recorder
from bot.consent.write_backs import WriteAction, WriteBack, WriteState

#: Rows that one claim reads, at most.
_MOST_DUE = 1_000


def claim_writes(
    service: Service,
    provider: str,
    *,
    limit: int,
    token: str,
    only: WriteAction | None = None,
    account: str | None = None,
) -> list[WriteBack]:
    """Claims writes to this provider's lists that are due, the oldest wish first, for a minute.

    None before a person has confirmed the first write, and none to a retired provider; what was
    taken off already is looked up all the same. Writes that nobody wants any more are dropped.
    Where nothing is due, nothing is written. `token` names the claim. `account` is the client's: to
    another account than the one that was read last, nothing is written.
    """
    now = service.now()
    with service.store.reading() as records:
        if not any(_claimable(records, provider, now, limit, only, account)):
            return []
    claimed: list[WriteBack] = []
    with service.store.transaction() as records:
        recorder = list_recorder(service, records, provider, now)
        for write in _claimable(records, provider, now, limit, only, account):
            if not is_still_wished(service, records, write) and write.state is not WriteState.SENT:
                _drop(recorder, write)
                continue
            sent = write.state is WriteState.SENT
            if write.action is WriteAction.REMOVE and not sent:
                mark_leaving(recorder, write.key, write.listing, leaving=True)
            claim = replace(
                write,
                state=WriteState.SENT if sent else WriteState.SENDING,
                attempts=write.attempts + 1,
                not_before=now + CLAIM,
                token=token,
            )
            records.write_backs.put(claim)
            claimed.append(claim)
            if len(claimed) == limit:
                break
    return claimed


def give_back(service: Service, write: WriteBack, *, until: datetime | None = None) -> None:
    """Gives up a claim whose call was not made: it is due again at once, or at this time."""
    with service.store.transaction() as records:
        row = records.write_backs.get(write.id)
        if row is not None and (row.token, row.state) == (write.token, write.state):
            sent = row.state is WriteState.SENT
            records.write_backs.put(
                replace(
                    row,
                    state=row.state if sent or row.attempts > 1 else WriteState.WAITING,
                    attempts=max(row.attempts - 1, 0),
                    not_before=until or service.now(),
                    token="",
                )
            )


def release_parked(service: Service, provider: str) -> int:
    """Tries once more what was given up, as `optin sync` does. How many writes that is."""
    with service.store.transaction() as records:
        parked = [
            write
            for write in records.write_backs.all()
            if write.provider == provider and write.state is WriteState.PARKED
        ]
        for write in parked:
            fresh = replace(write, state=WriteState.WAITING, attempts=0, not_before=None)
            records.write_backs.put(fresh)
        return len(parked)


def _claimable(
    records: Records,
    provider: str,
    now: datetime,
    limit: int,
    only: WriteAction | None,
    account: str | None,
) -> Iterable[WriteBack]:
    due = records.write_backs.due(now, (provider,), limit=_MOST_DUE if only else limit)
    if not due:
        return
    state = list_state(records.key_value, provider)
    if account not in (None, state.account):
        return
    confirmed = state.confirmed
    if provider in read_kept(records.key_value).get("retired", {}):
        confirmed = False
    # Old records may lack an opt-out, so nothing is taken off a list on account of them.
    old = read_mark(records.key_value) is not None
    for write in due:
        if only is not None and write.action is not only:
            continue
        if not confirmed and write.state is not WriteState.SENT:
            continue
        if old and write.action is WriteAction.REMOVE and write.state is not WriteState.SENT:
            continue
        if not _is_under_way(records, write, now):
            yield write


def _is_under_way(records: Records, write: WriteBack, now: datetime) -> bool:
    """Whether another call for the same address is being made: the two might overtake."""
    return any(
        other.id != write.id
        and other.provider == write.provider
        and other.state is WriteState.SENDING
        and other.action is not write.action
        and other.not_before is not None
        and other.not_before > now
        for other in records.write_backs.of(write.key)
    )


def _drop(recorder: Recorder, row: WriteBack) -> None:
    """Nobody wants it any more."""
    entry_stays(recorder, row, "No longer wanted")
    dropped = replace(row, state=WriteState.DROPPED, token="", problem="nobody wants it any more")
    recorder.records.write_backs.put(dropped)
