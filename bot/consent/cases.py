"""A re-opt-in: what a contact refused, on its way back by two keys (rules.md §6).

The keys are the contact's UNSTOP, where a carrier block stands, and a manager's approval, in either
order. A case is one live matter of a contact and a channel; at most one is open at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.consent.model import Channel, Evidence

#: A case that nobody finished by then ends by itself.
EXPIRES_AFTER = timedelta(days=14)
#: Whoever it waits for is reminded so long after the request.
REMINDERS = (timedelta(days=2), timedelta(days=5))


class CaseState(StrEnum):
    """How far a case has come."""

    #: A manager has to decide.
    PENDING = "pending"
    #: A manager approved; the contact's UNSTOP is missing.
    APPROVED = "approved"
    COMPLETED = "completed"
    DENIED = "denied"
    #: By whoever asked or a manager; or since the address or the consent became another.
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    #: The contact refused anew.
    OVERTAKEN = "overtaken"


#: How the reason of a YES begins that came back by a case.
RE_OPT_IN = "Re-opt-in"
#: In place of the manager who decided: the contact's own confirmed link, where
#: `OPTIN_CONFIRMED_OPT_IN` allows it.
CONTACT = "contact"
#: What still waits for somebody.
OPEN = frozenset({CaseState.PENDING, CaseState.APPROVED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request for re-opt-in and what became of it."""

    #: Random; buttons carry it.
    id: str
    contact: str
    channel: Channel
    #: At which the contact refused: a changed address ends the case. Empty after an erasure.
    address: str
    #: `slack:U…`, `cli:<user>` or `api:<key>`.
    requested_by: str
    requested_at: datetime
    #: What shows the new permission, and when it was given; its text is gone after an erasure.
    evidence: Evidence
    expires_at: datetime
    #: How the contact asked.
    reason: str | None = None
    note: str | None = None
    #: The refusal that is to be lifted, and in what words it came.
    refused_at: datetime | None = None
    refusal: str | None = None
    state: CaseState = CaseState.PENDING
    #: Grows with every transition: a click on what was drawn before does nothing.
    version: int = 1
    #: Who approved or denied, and when; a denial's reason.
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision: str | None = None
    #: The approval was the requester's own (`OPTIN_SELF_APPROVE`).
    self_approved: bool = False
    #: When the contact lifted the block, after they had refused.
    unstopped_at: datetime | None = None
    #: Who ended it and when, where it is over; why, where no person did.
    ended_by: str | None = None
    ended_at: datetime | None = None
    ended_why: str | None = None
    #: Reminders made so far.
    reminded: int = 0
    #: When it is to be looked at again by itself: a reminder, or its end. None where it is over.
    next_at: datetime | None = None
    #: Ids of the alerts that show it: the requests, what the requester was told, and the alerts
    #: about the opt-out. They are drawn anew with it.
    copies: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        """Whether it still waits for somebody."""
        return self.state in OPEN
