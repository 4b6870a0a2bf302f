"""Which of the entries that a list shows for an address a write is about. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.consent.suppressions import Cause, ListedAddress, Listing
from bot.consent.write_backs import ECHO_WITHIN, SKEW, WriteAction, WriteBack

#: What a read shows of an entry whose cause nobody knew. A complaint stays, and a bounce takes a
#: person who clears it.
_KNOWABLE = frozenset({Cause.UNSUBSCRIBE, Cause.OURS, Cause.UNKNOWN})
#: By these an address is opted out of everything, whoever put it there.
_OPTS_OUT = frozenset({Cause.OURS, Cause.UNSUBSCRIBE, Cause.COMPLAINT})


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedEntries:
    """The entries of an address, as one write sees them."""

    #: What the write is about: an ADD is done where there is any, a REMOVE takes these off.
    mine: Sequence[ListedAddress] = ()
    #: An entry that is newer than the wish to take it off. It stays, and so does all the rest.
    newer: ListedAddress | None = None


def judge_entries(
    write: WriteBack, found: Collection[ListedAddress], added_as: Collection[Cause]
) -> JudgedEntries:
    """Tells apart what the write is about, what is newer, and what is none of its business.
    `added_as` are the causes by which this provider may show what Optin added
    (`KnownProviders.added_as`).

    An ADD is about any entry by which the address is opted out already. An entry of the second of
    the wish to take it off counts as the one that was seen: lists tell whole seconds. An entry
    without a time can't be newer.
    """
    if write.action is WriteAction.ADD:
        mine = [one for one in found if _opts_out(write, one.listing, _OPTS_OUT)]
        return JudgedEntries(mine=tuple(mine))
    mine = [entry for entry in found if _is_meant(write, entry, added_as)]
    newer = [
        entry
        for entry in mine
        if entry.since is not None
        and entry.since > write.wished_at
        and not is_own_add(write, entry.since, SKEW)
    ]
    if newer:
        return JudgedEntries(newer=max(newer, key=lambda entry: entry.since or write.wished_at))
    return JudgedEntries(mine=tuple(mine))


def is_own_add(
    write: WriteBack | None, since: datetime | None, within: timedelta = ECHO_WITHIN
) -> bool:
    """Whether an entry of this time may be the one that this write added."""
    if write is None or write.added_at is None or since is None:
        return False
    return abs(since - write.added_at) <= within


def shows_own_add(
    write: WriteBack | None, entry: ListedAddress, added_as: Collection[Cause]
) -> bool:
    """Whether this entry is the one that Optin added: lists without origins show it as an
    unsubscribe, and Amazon SES as the complaint that it was written as."""
    if write is None or write.added_at is None or not _opts_out(write, entry.listing, added_as):
        return False
    return is_own_add(write, entry.since) or (
        entry.since is None and entry.listing.cause is not Cause.COMPLAINT
    )


def _opts_out(write: WriteBack, listing: Listing, causes: Collection[Cause]) -> bool:
    """Whether an entry of one of these causes opts out of everything, or was put there by us."""
    mine = listing.provider == write.provider and listing.cause in causes
    return mine and (not listing.scope or listing.cause is Cause.OURS)


def _is_meant(write: WriteBack, entry: ListedAddress, added_as: Collection[Cause]) -> bool:
    meant, listing = Listing.of(write.listing), entry.listing
    if listing.provider != meant.provider:
        return False
    match meant.cause:
        case Cause.OURS if write.added_at is not None:
            return shows_own_add(write, entry, added_as)
        case Cause.UNKNOWN:
            return listing.cause in _KNOWABLE
        case Cause.BOUNCE if not meant.scope:
            return listing.cause is Cause.BOUNCE
        case Cause.COMPLAINT:
            return False
    return listing.name == meant.name
