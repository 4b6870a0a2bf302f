"""The Activity Log as people read it: pages of lines, without what tells nothing new."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bot.consent.addresses import HASH
from bot.consent.alerts import AlertKind
from bot.consent.errors import NotFound
from bot.consent.log.entries import SOFT, Entry, EntryKind, changed_nothing
from bot.consent.model import Actor, BlockState, Channel, Contact
from bot.consent.parsing import masked
from bot.consent.permissions import Action, authorize
from bot.consent.store import Records
from bot.consent.use_cases.alerts.enqueue import live_alerts
from bot.consent.use_cases.context import Service

#: Shown unless something else is asked for.
_SHOWN = frozenset(EntryKind) - {EntryKind.EXPECTED_ERROR}
#: Entries that one page reads at most, so that it stays quick whatever is folded.
_MOST_READ = 2_000
#: Entries that are read in one call at most.
_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of the log: an entry, or several that changed nothing and say the same."""

    #: The newest of them.
    entry: Entry
    times: int = 1
    #: An older entry says the same, so these are "3 more times".
    more: bool = False
    #: Who it is about, where several contacts are listed.
    contact: Contact | None = None
    #: "ending 0100", where nobody had the address and its end is known.
    masked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """Lines, newest first."""

    lines: Sequence[LogLine]
    #: The next page is below this `seq`; None after the last page.
    older: int | None = None


def contact_log(
    service: Service,
    id: str,
    actor: Actor,
    *,
    kinds: Iterable[EntryKind] = (),
    channel: Channel | None = None,
    before: int | None = None,
    limit: int = 10,
    every: bool = False,
) -> tuple[Contact, LogPage]:
    """The contact and a page of `limit` lines of their log, below `before`. Raises `NotFound`.

    Entries that changed nothing and say the same are one line. Expected errors are left out unless
    `kinds` names them. `every` gives each entry a line of its own, expected errors too.
    """
    authorize(actor, Action.LOOK)
    with service.store.reading() as records:
        contact = records.contacts.get(id)
        if contact is None:
            raise NotFound
        wanted = _kinds(kinds, every)

        def read(below: int | None, most: int) -> list[Entry]:
            return records.log.entries(
                contact=id, kinds=wanted, channel=channel, before=below, limit=most
            )

        groups, older = _folded(read, before, limit, every)
        return contact, LogPage(lines=[_line(group) for group in groups], older=older)


def recent_log(
    service: Service,
    actor: Actor,
    *,
    kinds: Iterable[EntryKind] = (),
    before: int | None = None,
    limit: int = 10,
    every: bool = False,
) -> LogPage:
    """The same of all contacts, each line with whom it is about."""
    authorize(actor, Action.LOOK)
    with service.store.reading() as records:
        wanted = _kinds(kinds, every)

        def read(below: int | None, most: int) -> list[Entry]:
            return records.log.entries(kinds=wanted, before=below, limit=most)

        groups, older = _folded(read, before, limit, every)
        contacts = records.contacts.get_many({id for group in groups if (id := group[0].contact)})
        lines = []
        for group in groups:
            entry = group[0]
            contact = contacts.get(entry.contact or "")
            end = "" if contact else _end_of_address(records, entry)
            lines.append(_line(group, contact, end))
        return LogPage(lines=lines, older=older)


def _kinds(kinds: Iterable[EntryKind], every: bool) -> frozenset[EntryKind]:
    """No kinds mean all of them to the storage."""
    return frozenset(kinds) or (frozenset() if every else _SHOWN)


def _folded(
    read: Callable[[int | None, int], list[Entry]], before: int | None, limit: int, every: bool
) -> tuple[list[list[Entry]], int | None]:
    """The entries of at most `limit` lines, and where the next page begins.

    Entries fold as long as no entry that changed something stands between them.
    """
    groups: list[list[Entry]] = []
    repeated: dict[object, list[Entry]] = {}
    left, chunk = _MOST_READ, limit + 1
    while True:
        asked = min(chunk, left)
        entries = read(before, asked)
        for entry in entries:
            folds = not every and changed_nothing(entry)
            if not folds:
                repeated.clear()
            group = repeated.get(_says(entry)) if folds else None
            if group is not None:
                group.append(entry)
            elif len(groups) == limit:
                return groups, before
            else:
                groups.append([entry])
                if folds:
                    repeated[_says(entry)] = groups[-1]
            before = entry.seq
        left -= len(entries)
        if len(entries) < asked:
            return groups, None
        if left <= 0:
            return groups, before
        chunk = min(chunk * 4, _CHUNK)


def _says(entry: Entry) -> object:
    """The same for entries that say the same of the same address."""
    return (
        (entry.contact, entry.address, entry.channel),
        (entry.kind, entry.sender, entry.after, entry.by, entry.actor, entry.reason),
    )


def _line(group: Sequence[Entry], contact: Contact | None = None, end: str = "") -> LogLine:
    return LogLine(
        entry=group[0],
        times=len(group),
        more=len(group) > 1 and not _is_first(group[-1]),
        contact=contact,
        masked=end,
    )


def _is_first(entry: Entry) -> bool:
    """Whether no older entry says the same: a failure with no other before it, a delivery, an
    UNSTOP that found no block."""
    soft = (entry.changes or {}).get(SOFT)
    if soft is not None:
        before, after = int(str(soft[0])), int(str(soft[1]))
        return before == 0 or after < before
    return entry.kind is EntryKind.EXPECTED_ERROR or entry.after == BlockState.NONE


def _end_of_address(records: Records, entry: Entry) -> str:
    """The end of an address that nobody has. The log keeps its hash alone, so only the alert about
    it can tell, for as long as it is stored."""
    if entry.channel is None or entry.address is None:
        return ""
    if not entry.address.startswith(HASH):
        return masked(entry.address)
    days = [entry.occurred_at.date()]
    alerts = live_alerts(records, [AlertKind.UNKNOWN], entry.channel, entry.address, days)
    return next((alert.subject.masked for alert in alerts), "")
