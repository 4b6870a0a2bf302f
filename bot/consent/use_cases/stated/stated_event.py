"""What a program says of a message or a reply, and what comes of it, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.consent.errors import Invalid


class EventType(StrEnum):
    """What a program reports."""

    #: The contact opted out: of texts with a `sender`, by a word that the carrier blocks by.
    OPT_OUT = "opt_out"
    #: The contact texted a word that lifts the carrier's block. It is no consent.
    OPT_IN_KEYWORD = "opt_in_keyword"
    #: A text of the contact's, which Optin reads.
    REPLY = "reply"
    #: By a link or a list.
    UNSUBSCRIBE = "unsubscribe"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    DELIVERED = "delivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedEvent:
    """One event, as far as it could be read."""

    type: EventType | None = None
    address: str = ""
    #: The program's own id of this event, the same when it is sent again.
    id: str = ""
    occurred_at: datetime | None = None
    #: Our number, or the id or service of a sender.
    sender: str | None = None
    #: What the contact wrote.
    text: str | None = None
    #: Of a bounce.
    hard: bool = False
    #: The provider's code, and what it means.
    code: str | None = None
    reason: str | None = None
    #: When the message was sent that this is about.
    sent_at: datetime | None = None
    #: The list or topic that the contact left.
    scope: str | None = None
    #: What is wrong with it, and where.
    problem: Invalid | None = None
    #: The item as it came, which is known again when it is sent again.
    fingerprint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventResult:
    """What came of one event."""

    #: "applied", "duplicate", "no_effect" or "error".
    outcome: str
    #: What is wrong with it.
    problem: Invalid | None = None
    #: The opt-out in it counts all the same.
    opted_out: bool = False
