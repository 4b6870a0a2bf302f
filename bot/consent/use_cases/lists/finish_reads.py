"""The end of a read: what only Optin has is added, and what the read did not show is looked up and
lifted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.consent.addresses import key_of
from bot.consent.frozen import plain_replace
from bot.consent.log.changes import BlockChanged
from bot.consent.model import BlockState, Channel
from bot.consent.suppressions import ListedAddress
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.lists.leaving_entries import mark_leaving, record_on_holders
from bot.consent.use_cases.lists.list_alerts import ListNews, ListNewsKind, announce
from bot.consent.use_cases.lists.list_recorder import list_recorder
from bot.consent.use_cases.lists.list_records import (
    DriftReport,
    list_state,
    put_state,
)
from bot.consent.use_cases.lists.reads import ListRead, ask_again, without_read
from bot.consent.use_cases.lists.shown_entries import (
    ShownEntries,
    forget_marks,
    mark_of,
    marks_of_read,
)
from bot.consent.use_cases.lists.wanted_entries import is_wanted
from bot.consent.use_cases.lists.wishes import add_opt_out, newest

#: So many entries that stood there and are gone all at once: the lists are others.
MOST_GONE = 20
_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadEnd:
    """The end of a whole read."""

    report: DriftReport
    #: Addresses with entries that Optin believes and the read did not show: look each up (`find`),
    #: and pass what there is to `lift_gone`.
    to_look_up: Sequence[str] = ()
    #: The lists are not those that Optin knew: nothing is written before a person confirms it.
    other_lists: bool = False


def finish_read(service: Service, read: ListRead) -> ReadEnd | None:
    """After the last page: wants what only Optin has on the list, and names what the read did not
    show. None where another replica reads by now."""
    with service.store.reading() as records:
        state = list_state(records.key_value, read.provider)
        if not read.rehearses and (state.read_id, state.reader) != (read.id, read.token):
            return None
        seen = read.seen
        if not read.rehearses:
            seen = marks_of_read(records.key_value, read.provider, read.id, state.pages)
        shown = ShownEntries(service, read.provider, read.began, seen)
        missing, lacking, stuck, stood = shown.compare(records)
        other = stood >= MOST_GONE and len(missing) == stood and not state.others_confirmed
        # Where nobody has the address, nothing would be lifted: each read would find it again.
        missing = [key for key in missing if records.contacts.at(key)]
    if other:
        lacking = []
    report = read.report.plus(only_ours=len(lacking))
    if read.rehearses:
        return ReadEnd(report=report, to_look_up=tuple(missing), other_lists=other)
    for start in range(0, len(stuck), _AT_ONCE):
        _give_up(service, read.provider, stuck[start : start + _AT_ONCE])
    for start in range(0, len(lacking), _AT_ONCE):
        _add(service, read.provider, lacking[start : start + _AT_ONCE])
    _end(service, read, report, other)
    return ReadEnd(report=report, to_look_up=() if other else tuple(missing), other_lists=other)


def lift_gone(
    service: Service,
    provider: str,
    address: str,
    found: Sequence[ListedAddress],
    *,
    asked: datetime,
) -> int:
    """After a look at one of `to_look_up`: an entry that is gone there goes here, too. What came
    after the provider was `asked` stays.

    Where the address belongs on the list it is added again. Returns how many entries went.
    """
    key, now = key_of(address), service.now()
    names = {entry.listing.name for entry in found if key_of(entry.address) == key}
    with service.store.transaction() as records:
        recorder = list_recorder(service, records, provider, now)
        facts = records.addresses.get(key)
        shown = ShownEntries(
            service, provider, asked, {mark_of(service, name, key) for name in names}
        )
        gone = [name for name, block in facts.blocks.items() if shown.lacks(facts, name, block)]
        label = service.providers.label(provider)
        for name in gone:
            change = BlockChanged(
                sender=name,
                before=facts.blocks[name].state,
                after=BlockState.NONE,
                reason=f"No longer on {label}'s list",
            )
            record_on_holders(recorder, key, change)
        if gone:
            facts = records.addresses.get(key)
            if is_wanted(records, key, Channel.EMAIL) and not shown.shows_opt_out(key):
                add_opt_out(recorder, facts, Channel.EMAIL, newest(records), only=provider)
            state = list_state(records.key_value, provider)
            last = (state.last_report or DriftReport()).plus(gone=len(gone))
            put_state(records.key_value, provider, plain_replace(state, last_report=last))
        return len(gone)


def _give_up(service: Service, provider: str, keys: Sequence[str]) -> None:
    """Of these, nobody takes off what seems to leave: a person sees what stands there."""
    with service.store.transaction() as records:
        recorder = list_recorder(service, records, provider, service.now())
        shown = ShownEntries(service, provider, recorder.now, ())
        for key in keys:
            facts = records.addresses.get(key)
            for name in facts.blocks:
                if shown.is_stuck(records, facts, name):
                    mark_leaving(recorder, key, name, leaving=False, reason="No longer wanted")


def _add(service: Service, provider: str, keys: Sequence[str]) -> None:
    with service.store.transaction() as records:
        recorder = list_recorder(service, records, provider, service.now())
        for key in keys:
            facts = records.addresses.get(key)
            refusal = facts.refusal
            if refusal is not None and is_wanted(records, key, Channel.EMAIL):
                add_opt_out(recorder, facts, Channel.EMAIL, refusal.entry, only=provider)


def _end(service: Service, read: ListRead, report: DriftReport, other: bool) -> None:
    now, provider = service.now(), read.provider
    label = service.providers.label(provider)
    with service.store.transaction() as records:
        state = list_state(records.key_value, provider)
        if (state.read_id, state.reader) != (read.id, read.token):
            return
        forget_marks(records.key_value, provider, state.read_id, state.pages)
        looks = state.look_at
        state = plain_replace(without_read(state), finished_at=now, last_report=report)
        state = plain_replace(state, others_at=now if other else None, others_confirmed_by=None)
        if other:
            state = plain_replace(state, confirmed_by=None, confirmed_at=None)
        put_state(records.key_value, provider, state)
        if other:
            ask_again(service, records, provider, "none of the known entries is there", now)
            return
        waits = service.providers.writes(provider) and not state.confirmed
        if waits or report.differs:
            news = ListNews(
                kind=ListNewsKind.CONFIRM if waits else ListNewsKind.DRIFT,
                label=label,
                report=report.as_dict(),
                confirmed=state.confirmed,
                at=now,
            )
            announce(service, records, provider, news, now, contacts=looks)
