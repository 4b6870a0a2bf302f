"""A request for re-opt-in as programs read it."""

from __future__ import annotations

from handlers.api.operations import ApiMessage, Instant


class CaseTold(ApiMessage):
    """A request for re-opt-in. People in Slack decide it."""

    id: str
    contact: str
    channel: str
    state: str
    requested_by: str
    requested_at: Instant
    evidence: str
    evidence_at: Instant | None
    refused_at: Instant | None
    decided_by: str | None
    decided_at: Instant | None
    expires_at: Instant
    ended_at: Instant | None
    version: int
