"""How the providers' lists stand, for the jobs beside the server: reads, which change nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.consent.use_cases.context import Service
from bot.consent.use_cases.lists.list_records import ListState, list_state
from bot.consent.use_cases.rollback import read_accepted
from bot.consent.write_backs import WriteAction, WriteState

#: Between two whole reads of one provider's lists, from the end of one to the beginning of the
#: next.
READ_EVERY = timedelta(days=1)
_EVERY = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ListsStatus:
    """How the lists of some providers stand."""

    #: How many writes there are, by provider and state.
    writes: Mapping[tuple[str, WriteState], int]
    #: What is kept of the lists, by provider.
    states: Mapping[str, ListState]


def lists_status(service: Service, providers: Collection[str]) -> ListsStatus:
    """How the lists of these providers stand."""
    with service.store.reading() as records:
        return ListsStatus(
            writes=records.write_backs.waiting(),
            states={name: list_state(records.key_value, name) for name in providers},
        )


def providers_to_write_to(service: Service, accounts: Mapping[str, str]) -> list[str]:
    """Those of these providers for which a claim may find something. `accounts` are the clients'
    by provider: to another account than the one that was read, nothing is written."""
    now, found = service.now(), []
    with service.store.reading() as records:
        for name, account in accounts.items():
            due = records.write_backs.due(now, (name,), limit=1)
            if not due:
                continue
            state = list_state(records.key_value, name)
            allowed = state.confirmed or due[0].state is WriteState.SENT
            if allowed and state.account == account:
                found.append(name)
    return found


def writes_to_make(service: Service, provider: str) -> Mapping[WriteAction, int]:
    """How many calls are still to be made to this provider's lists, now or later, by what they
    do."""
    ever = service.now() + timedelta(days=3_650)
    with service.store.reading() as records:
        still_open = records.write_backs.due(ever, (provider,), limit=_EVERY)
    return Counter(one.action for one in still_open if one.state is not WriteState.SENT)


def providers_to_read(service: Service, accounts: Mapping[str, str]) -> list[str]:
    """Those of these providers whose daily read is due, or was interrupted; also after the key was
    exchanged. A read that another replica is at is not among them."""
    now = service.now()
    with service.store.reading() as records:
        states = {name: list_state(records.key_value, name) for name in accounts}
        accepted = read_accepted(records.key_value)
    return [name for name, state in states.items() if _is_due(state, accounts[name], now, accepted)]


def _is_due(state: ListState, account: str, now: datetime, accepted: datetime | None) -> bool:
    """`accepted`: when a person last accepted that the storage went back, and lost entries."""
    if state.account != account or state.finished_at is None:
        return True
    if accepted is not None and state.finished_at <= accepted:
        return True
    # A clock that was set back makes nothing wait for ever.
    return bool(state.read_id) or abs(now - state.finished_at) >= READ_EVERY
