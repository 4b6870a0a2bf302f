"""What is kept of one provider's lists, and who may write to them."""

from __future__ import annotations

from bot.consent.errors import Refused
from bot.consent.frozen import plain_replace
from bot.consent.log.changes import Noted
from bot.consent.model import Actor
from bot.consent.permissions import Action, authorize
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.lists.list_alerts import announce_confirmed, announce_problem
from bot.consent.use_cases.lists.list_records import (
    PREFIX,
    DriftReport,
    ListState,
    list_state,
    put_state,
    state_of,
)
from bot.consent.use_cases.record import Recorder

__all__ = [
    "DriftReport",
    "ListState",
    "confirm_writes",
    "note_problem",
    "read_state",
    "read_states",
]


def read_state(service: Service, provider: str) -> ListState:
    """The state, for a caller without a transaction."""
    with service.store.reading() as records:
        return list_state(records.key_value, provider)


def read_states(service: Service) -> dict[str, ListState]:
    """The states of all providers of which anything is kept, by id. /metrics asks it."""
    with service.store.reading() as records:
        return {
            name.removeprefix(PREFIX): state_of(text)
            for name, text in records.key_value.all()
            if name.startswith(PREFIX)
        }


def confirm_writes(service: Service, provider: str, actor: Actor) -> ListState:
    """A manager or an operator has seen what Optin would write to this provider's lists: from now
    on it writes. The same again changes nothing.

    Where Optin writes nothing there and none of the known entries stood there, this confirms that
    these are the right lists, and no write. Raises `NotAllowed`, and `Refused` where there is
    nothing to confirm, or Optin has not read yet what stands there.
    """
    authorize(actor, Action.CONFIRM_WRITES)
    label = service.providers.label(provider)
    writes = service.providers.writes(provider)
    with service.store.transaction() as records:
        state = list_state(records.key_value, provider)
        if not writes and state.others_at is None:
            raise Refused(f"Optin writes nothing to {label}'s lists: OPTIN_WRITE_BACK is off.")
        if state.confirmed or (not writes and state.others_confirmed):
            return state
        if state.finished_at is None and service.providers.reads(provider):
            raise Refused(f"Optin has not read all of {label}'s lists yet. Try again later.")
        now = service.now()
        if writes:
            state = plain_replace(state, confirmed_by=actor.id, confirmed_at=now)
            done = f"Writing to {label}'s suppression lists is confirmed"
        else:
            state = plain_replace(state, others_confirmed_by=actor.id)
            done = f"{label}'s suppression lists are confirmed to be the right ones"
        put_state(records.key_value, provider, state)
        recorder = Recorder(
            service=service, records=records, actor=actor.id, source=actor.source, now=now
        )
        recorder.record(None, Noted(reason=done))
        announce_confirmed(records, provider, actor.id, now, writes=writes)
        return state


def note_problem(service: Service, provider: str, problem: str) -> None:
    """Why nothing can be read or written now; empty when it works again. Told once in the alert
    channel, when it begins."""
    with service.store.reading() as records:
        if list_state(records.key_value, provider).problem == problem:
            return
    with service.store.transaction() as records:
        state = list_state(records.key_value, provider)
        if state.problem == problem:
            return
        now = service.now()
        since = (state.problem_since or now) if problem else None
        put_state(
            records.key_value,
            provider,
            plain_replace(state, problem=problem, problem_since=since),
        )
        if problem and not state.problem:
            announce_problem(service, records, provider, problem, now)
