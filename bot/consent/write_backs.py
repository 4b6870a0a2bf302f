"""Writes to the providers' suppression lists: what Optin adds to them, and what it takes off.

A change of consent and the write that follows from it are stored in one transaction. A worker makes
the call, and a read of the list confirms it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.consent.model import Channel
from bot.consent.suppressions import Listing

#: For how long after a call the provider may tell of it as if it were news.
ECHO_WITHIN = timedelta(hours=1)
#: So far a provider's clock may be from ours.
SKEW = timedelta(minutes=5)


class WriteAction(StrEnum):
    """What is done to the list."""

    ADD = "add"
    REMOVE = "remove"


class WriteState(StrEnum):
    """How far a write has come."""

    #: To be made when `not_before` has come, and the provider's first write was confirmed.
    WAITING = "waiting"
    #: Claimed before the call; after `not_before` the claim has expired, and the provider may have
    #: it or not.
    SENDING = "sending"
    #: The provider said yes. A read has to show it.
    SENT = "sent"
    #: A read showed it.
    CONFIRMED = "confirmed"
    #: Nothing is written any more: nobody wants it, or the entry is newer than the one that was
    #: seen.
    DROPPED = "dropped"
    #: Given up, with the reason; an operator has to look.
    PARKED = "parked"


#: A worker still has something to do.
OPEN = frozenset({WriteState.WAITING, WriteState.SENDING, WriteState.SENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteBack:
    """What Optin wants of one entry of one provider's list. There is one of each entry; a newer
    wish replaces the older one."""

    #: The entry's name (`suppressions.Listing.name`). What Optin adds has the cause OURS.
    listing: str
    channel: Channel
    #: Its key (`addresses.key_of`).
    key: str
    #: As it is written to the list.
    address: str
    action: WriteAction
    #: The id of the log entry that this follows from.
    cause: str
    #: When it was wished: an entry of the list that is newer than this is not taken off.
    wished_at: datetime
    state: WriteState = WriteState.WAITING
    attempts: int = 0
    #: The earliest time of the next attempt; while SENDING, when the claim expires.
    not_before: datetime | None = None
    #: Of the worker that has claimed it.
    token: str = ""
    #: When the provider last took the address from Optin, and when a read last showed that Optin
    #: has taken it off: what the provider tells of these within `ECHO_WITHIN` is an echo.
    added_at: datetime | None = None
    removed_at: datetime | None = None
    #: What went wrong last, in words that hold no address.
    problem: str = ""

    @property
    def provider(self) -> str:
        """Its id."""
        return Listing.of(self.listing).provider

    @property
    def open(self) -> bool:
        """Whether a worker still has something to do."""
        return self.state in OPEN

    @property
    def id(self) -> str:
        """The entry's name and the address's key."""
        return f"{self.listing}:{self.key}"
