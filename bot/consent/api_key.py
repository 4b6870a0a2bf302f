"""Keys of the API: what another system of the company may ask and state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

#: How the text of a key begins, so that a scanner of leaked secrets finds it.
PREFIX = "optin_live_"


class Scope(StrEnum):
    """A part of the API."""

    CHECK = "check"
    READ = "read"
    WRITE = "write"
    EVENTS = "events"
    WEBHOOKS = "webhooks"


#: What each lets a program do, for people.
SCOPES = {
    Scope.CHECK: "ask whether messages may be sent",
    Scope.READ: "read contacts, the Activity Log, the feed, suppressions and cases",
    Scope.WRITE: "write contacts and consents, and open cases",
    Scope.EVENTS: "report events: replies, opt-outs, bounces, complaints",
    Scope.WEBHOOKS: "subscribe to webhooks",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key. Its text is shown once, and only the hash is stored."""

    id: str
    name: str
    #: SHA-256 of the text, hexadecimal. The text holds 256 random bits, so it needs no salt.
    hash: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    created_by: str
    #: None for a key that does not expire.
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether it may be used."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
