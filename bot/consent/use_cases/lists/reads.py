"""A provider's lists, read page by page. A read takes in what only the provider has, and adds what
only Optin has. It takes nothing off, anywhere.

Each page is one transaction, with the cursor: a read that was interrupted goes on where it was.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.consent.addresses import key_of
from bot.consent.events import Event
from bot.consent.frozen import plain_replace
from bot.consent.store import Expected, Records
from bot.consent.suppressions import Cause, ListedAddress
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.ingest import ingest_in
from bot.consent.use_cases.lists.entry_fates import Fate, TakenEntry, judge_entry
from bot.consent.use_cases.lists.list_alerts import ListNews, ListNewsKind, announce
from bot.consent.use_cases.lists.list_records import (
    DriftReport,
    ListState,
    list_state,
    put_state,
)
from bot.consent.use_cases.lists.shown_entries import (
    forget_marks,
    keep_marks,
    mark_of,
    marks_of_page,
)
from bot.consent.use_cases.lists.take_entries import take_entry

#: Another replica may read after this, where no page came meanwhile.
LEASE = timedelta(minutes=5)
#: Contacts that a person has to look at, by name in the alert at most.
_MOST_CONTACTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRead:
    """A read that is under way."""

    provider: str
    id: str
    began: datetime
    #: From where to go on; None at the beginning.
    cursor: str | None
    pages: int
    #: What it has found so far.
    report: DriftReport
    #: Names this reader: one replica reads at a time.
    token: str
    #: Nothing is written: for the dry run.
    rehearses: bool = False
    #: What a rehearsal has seen; a real read keeps it in the storage.
    seen: set[bytes] = field(default_factory=set)


def begin_read(
    service: Service, provider: str, *, account: str, token: str, rehearse: bool = False
) -> ListRead | None:
    """Begins a read, or goes on with one that was interrupted. None while another replica reads.

    `account` is the client's: with another one than before, writes have to be confirmed anew.
    """
    now = service.now()
    if rehearse:
        return ListRead(
            provider=provider,
            id="",
            began=now,
            cursor=None,
            pages=0,
            report=DriftReport(),
            token=token,
            rehearses=True,
        )
    with service.store.transaction() as records:
        state = list_state(records.key_value, provider)
        other = state.reader not in ("", token)
        if other and state.reader_until is not None and state.reader_until > now:
            return None
        if state.account != account:
            forget_marks(records.key_value, provider, state.read_id, state.pages)
            if state.account and service.providers.writes(provider):
                ask_again(service, records, provider, "the key belongs to another account", now)
            state = ListState(account=account)
        if not state.read_id or state.began_at is None:
            state = plain_replace(
                state,
                read_id=secrets.token_hex(8),
                began_at=now,
                cursor=None,
                pages=0,
                counts=DriftReport(),
                look_at=(),
            )
        state = plain_replace(state, reader=token, reader_until=now + LEASE)
        put_state(records.key_value, provider, state)
        return _read_of(provider, state, token)


def take_page(
    service: Service,
    read: ListRead,
    entries: Sequence[ListedAddress],
    events: Sequence[Event],
    next: str | None,
) -> ListRead | None:
    """Takes one page in, and keeps the cursor with it. None where another replica reads by now."""
    now = service.now()
    marked = {mark_of(service, one.listing.name, key_of(one.address)): one for one in entries}
    if read.rehearses:
        fresh = [one for mark, one in marked.items() if mark not in read.seen]
        with service.store.reading() as records:
            _expect(service, records, fresh)
            judged = [judge_entry(service, records, one, read.began) for one in fresh]
        read.seen.update(marked)
        return plain_replace(
            read, cursor=next, pages=read.pages + 1, report=_counted(read.report, judged)
        )
    with service.store.transaction() as records:
        state = list_state(records.key_value, read.provider)
        if (state.read_id, state.reader) != (read.id, read.token):
            return None
        # Pages overlap, so that a read notices when a list moves: what comes twice counts once.
        before = marks_of_page(records.key_value, read.provider, read.id, state.pages - 1)
        fresh = [one for mark, one in marked.items() if mark not in before]
        _expect(service, records, fresh)
        taken = [take_entry(service, records, one, now, read.began) for one in fresh]
        told = ingest_in(service, records, events, now)
        missed = sum(outcome == "applied" for outcome, _ in told)
        report = _counted(state.counts, taken)
        if missed:
            report = report.plus(only_theirs={Cause.UNSUBSCRIBE.value: missed})
        looks = dict.fromkeys((*state.look_at, *(c for one in taken for c in one.contacts)))
        keep_marks(records.key_value, read.provider, read.id, state.pages, marked)
        state = plain_replace(
            state,
            cursor=next,
            pages=state.pages + 1,
            counts=report,
            look_at=tuple(looks)[:_MOST_CONTACTS],
            reader_until=now + LEASE,
        )
        put_state(records.key_value, read.provider, state)
        return _read_of(read.provider, state, read.token)


def abandon_read(service: Service, read: ListRead) -> None:
    """Forgets how far a read had come, where the provider does not know its cursor any more."""
    with service.store.transaction() as records:
        state = list_state(records.key_value, read.provider)
        if (state.read_id, state.reader) == (read.id, read.token):
            forget_marks(records.key_value, read.provider, state.read_id, state.pages)
            put_state(records.key_value, read.provider, without_read(state))


def ask_again(
    service: Service, records: Records, provider: str, problem: str, now: datetime
) -> None:
    news = ListNews(
        kind=ListNewsKind.OTHER_LISTS,
        label=service.providers.label(provider),
        problem=problem,
        writes=service.providers.writes(provider),
        at=now,
    )
    announce(service, records, provider, news, now)


def without_read(state: ListState) -> ListState:
    return plain_replace(
        state,
        read_id="",
        began_at=None,
        cursor=None,
        pages=0,
        reader="",
        reader_until=None,
        look_at=(),
        counts=DriftReport(),
    )


def _read_of(provider: str, state: ListState, token: str) -> ListRead:
    assert state.began_at is not None
    return ListRead(
        provider=provider,
        id=state.read_id,
        began=state.began_at,
        cursor=state.cursor,
        pages=state.pages,
        report=state.counts,
        token=token,
    )


def _counted(report: DriftReport, taken: Sequence[TakenEntry]) -> DriftReport:
    both = sum(one.fate is Fate.ON_BOTH for one in taken)
    theirs: dict[str, int] = {}
    for one in taken:
        if one.fate is not Fate.ON_BOTH:
            theirs[one.cause.value] = theirs.get(one.cause.value, 0) + 1
    but_yes = sum(one.fate is Fate.BUT_YES for one in taken)
    return report.plus(on_both=both, only_theirs=theirs, theirs_but_yes=but_yes)


def _expect(service: Service, records: Records, entries: Sequence[ListedAddress]) -> None:
    keys = [key_of(entry.address) for entry in entries]
    records.expect(Expected(addresses=[*keys, *map(service.hashed, keys)]))
