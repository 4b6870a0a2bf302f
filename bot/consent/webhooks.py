"""Outbound webhooks as values: an endpoint of the company's, and how far its deliveries came.

Each webhook has eight lanes. A contact's events always go through the same lane, which delivers
them in the order of the Activity Log.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit
from zlib import crc32

#: Lanes of a webhook. Each is one text in the storage.
LANES = 8
#: How long an event that fails holds back the later ones of its lane, while others succeed.
HOLD = timedelta(minutes=5)
#: Single events that wait in a lane for another attempt, at most. Then the lane waits, too.
MOST_PARKED = 200


class WebhookState(StrEnum):
    """Whether Optin delivers to an endpoint."""

    ACTIVE = "active"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSecret:
    """What deliveries are signed with."""

    #: `whsec_` and the base64 of 32 random bytes.
    text: str = field(repr=False)
    #: Signs no longer after this; None for the newest.
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An endpoint that Optin delivers events to."""

    id: str
    #: May hold a secret of the receiver's in its path.
    url: str = field(repr=False)
    #: The types of events that it gets, such as `consent.changed`.
    events: tuple[str, ...]
    #: The newest first.
    secrets: tuple[WebhookSecret, ...]
    #: Whether bodies hold phone numbers and e-mail addresses.
    include_address: bool = False
    state: WebhookState = WebhookState.ACTIVE
    created_at: datetime
    #: `cli:<user>` or `api:<key id>`.
    created_by: str
    #: Why Optin paused it; empty if a person did.
    problem: str = ""
    #: Grows with every change, so that workers notice one of its lanes, too.
    revision: int = 0

    @property
    def host(self) -> str:
        """What an alert may show of the URL."""
        return urlsplit(self.url).hostname or ""

    def signs_with(self, now: datetime) -> tuple[str, ...]:
        """The secrets that count now; two during a rotation."""
        return tuple(s.text for s in self.secrets if s.ends_at is None or now < s.ends_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedEvent:
    """An event whose delivery failed, by its place in the log."""

    seq: int
    attempts: int
    first_at: datetime
    last_at: datetime
    #: None once Optin has given it up.
    next_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The worker that delivers a lane, and until when no other does."""

    token: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """How far one lane of a webhook came."""

    #: Everything of the lane up to this place is delivered or in `parked`.
    cursor: int
    #: The event behind the cursor that holds back the others.
    failing: FailedEvent | None = None
    #: Events that fail while others succeed, oldest first. Each is retried by itself.
    parked: tuple[FailedEvent, ...] = ()
    lease: Lease | None = None
    #: Where a person wants the deliveries to begin again, once the lease has ended.
    restart_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointHealth:
    """How the newest deliveries to an endpoint went, over all its lanes."""

    #: Failed rounds without a success between them. Failures at the same time count as one.
    failures: int = 0
    #: When the first of them was.
    since: datetime | None = None
    #: A failure before this time belongs to the round before.
    round_until: datetime | None = None
    #: The endpoint asked for a pause until then, or is too busy.
    throttled_until: datetime | None = None
    last_success_at: datetime | None = None
    #: When the newest outage ended.
    recovered_at: datetime | None = None
    #: What the newest failure was, in words.
    problem: str = ""


HEALTHY = EndpointHealth()


def lane_of(contact: str | None) -> int:
    """The lane of a contact's events, by the contact's id."""
    return crc32((contact or "").encode()) % LANES


def delivery_id(webhook: str, seq: int) -> str:
    """The `webhook-id` of an event for an endpoint. It is the same in every attempt."""
    return f"msg_{webhook}_{seq}"
