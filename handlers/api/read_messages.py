"""What a program sends and gets when it reads: contacts, entries of the log, suppressions."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from bot.consent.model import Channel
from handlers.api.check_operation import GateTold
from handlers.api.operations import (
    LONGEST_IN_PATH,
    ApiMessage,
    Instant,
)

_Text = Annotated[str, msgspec.Meta(max_length=512)]
#: A place in the feed or the log. Up to what a program in JavaScript can count.
Place = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
PageSize = Annotated[int, msgspec.Meta(ge=1, le=1_000)]


class ContactFound(ApiMessage):
    """A contact without the answers."""

    id: str
    name: str
    phone: str | None
    email: str | None


class BlockTold(ApiMessage):
    """A sender that may not reach the number."""

    sender: str
    sender_id: str
    state: str
    since: Instant


class ChannelStatus(ApiMessage):
    """How things stand on one channel."""

    answer: str
    on: str
    bounce: str
    gates: list[GateTold]
    blocks: list[BlockTold] | msgspec.UnsetType = msgspec.UNSET


class ContactStatus(ApiMessage):
    """A contact with both answers, as `optin status --json` prints it."""

    contact: ContactFound | None
    sms: ChannelStatus
    email: ChannelStatus
    version: int


class FindAsked(ApiMessage):
    """One of the three."""

    phone: _Text | None = None
    email: _Text | None = None
    external_id: Annotated[str, msgspec.Meta(max_length=LONGEST_IN_PATH)] | None = None


class ContactsFound(ApiMessage):
    """All who have the address or the id; several may share an address."""

    contacts: list[ContactStatus]


class EntryTold(ApiMessage):
    """A line of the Activity Log, as `optin activity --json` prints it, with its place."""

    seq: int
    id: str
    occurred_at: Instant
    recorded_at: Instant
    contact: str | None
    address: str | None
    channel: str | None
    kind: str
    actor: str
    source: str
    before: str
    after: str
    reason: str | None
    evidence: str | None
    expected: bool
    provider_id: str | None
    hash: str


class ActivityAsked(ApiMessage):
    """A page of the log."""

    after: Place = 0
    limit: PageSize = 100


class ActivityPage(ApiMessage):
    """Entries, the oldest first."""

    entries: list[EntryTold]
    next: Annotated[int, msgspec.Meta(description="Ask for what is after this.")]
    more: bool


class SuppressionsAsked(ApiMessage):
    """A page of the list."""

    channel: Channel | None = None
    after: _Text = ""
    limit: PageSize = 1_000
    format: Literal["json", "csv"] = "json"


class SuppressionTold(ApiMessage):
    """An address that nothing may be sent to, with the first reason."""

    contact: str
    external_id: str | None
    channel: str
    address: str
    answer: str
    gate: str
    version: int


class SuppressionsPage(ApiMessage):
    """Addresses, by contact."""

    suppressions: list[SuppressionTold]
    next: Annotated[
        str | None, msgspec.Meta(description="Ask for what is after this; null at the end.")
    ]


class KeyTold(ApiMessage):
    """The key that asks."""

    name: str
    scopes: list[str]
    expires_at: Instant | None
