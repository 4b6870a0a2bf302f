"""What a provider tells us, in our words: made by `handlers/webhooks`, taken in by the use cases.

An event says what happened to one address. What it means is decided in `bot/consent`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.consent.model import Channel


class EventKind(StrEnum):
    """What happened (rules.md §4)."""

    #: The contact wrote to us.
    REPLY = "reply"
    DELIVERED = "delivered"
    #: A message of ours did not arrive; `failure` says of which class.
    FAILED = "failed"
    COMPLAINT = "complaint"
    #: By a link, a list or the provider's page; not by a text.
    UNSUBSCRIBED = "unsubscribed"
    #: The contact took that back at the provider. It is no consent to us.
    RESUBSCRIBED = "resubscribed"
    #: Our own side put the address on the provider's suppression list, or took it off.
    SUPPRESSED = "suppressed"
    UNSUPPRESSED = "unsuppressed"
    #: The number has a new owner, says the provider, and it blocks our texts to it by itself.
    REASSIGNED = "reassigned"
    #: A message to this one mailbox failed, and the provider does not say at which.
    UNPLACED = "unplaced"


class Failure(StrEnum):
    """Classes of delivery errors (rules.md §7)."""

    OPT_OUT = "opt_out"
    HARD = "hard"
    SOFT = "soft"
    #: The provider itself still tries: nothing is decided.
    NOT_FINAL = "not_final"
    ROUTE = "route"
    OURS = "ours"
    AMBIGUOUS = "ambiguous"
    #: Not sent, since the address is on the provider's suppression list; why it is there, nobody
    #: knows before the list has been read.
    LISTED = "listed"
    #: … since it bounced, and the provider says so.
    LISTED_BOUNCE = "listed_bounce"
    #: … since the contact reported our mail as spam.
    LISTED_COMPLAINT = "listed_complaint"
    #: … since the contact unsubscribed at the provider.
    LISTED_OPT_OUT = "listed_opt_out"


class Marker(StrEnum):
    """The provider's own reading of a reply, believed before any list (rules.md §5)."""

    STOP = "stop"
    START = "start"
    HELP = "help"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnceToken:
    """Of a signature that does not cover what it came with: until when it stands for this content
    and no other."""

    key: str
    #: A hash of the content.
    value: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that a provider told, of one address."""

    #: `twilio`, `sendgrid` …
    provider: str
    #: The provider's id of this event, the same when it is told again; kept for ever.
    id: str
    kind: EventKind
    channel: Channel
    #: The contact's phone in E.164 where it is one, mailbox in lower case; else as it came
    #: (alphanumeric senders, short codes).
    address: str
    #: The mailbox that the message was sent to, where it was sent to no other and the provider
    #: tells: another than `address` where the mail was forwarded. In the form of `address`.
    only_recipient: str | None = None
    #: None where the provider sends no time.
    occurred_at: datetime | None = None
    #: Our number that the contact texted, or that the message came from; for e-mail the provider's
    #: list, group or stream.
    sender: str | None = None
    #: The messaging service (Twilio) or messaging profile (Telnyx) that the number belongs to.
    service: str | None = None
    #: It came by WhatsApp, whose opt-outs are not those of texts.
    whatsapp: bool = False
    #: What the refusal was of, where it was of less than everything: a group, topic or stream.
    scope: str | None = None
    #: What the contact wrote.
    text: str | None = None
    marker: Marker | None = None
    failure: Failure | None = None
    #: The provider's code, for the log.
    code: str | None = None
    #: What the code means, in a sentence for people.
    meaning: str | None = None
    #: The provider's id of the message that this is about.
    message: str | None = None
    #: When that message was first sent, where the provider tells.
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRequest:
    """The events of one request, and the token of its signature where it has one."""

    events: tuple[Event, ...]
    token: OnceToken | None = None
