"""Requests as Mailgun posts them, signed."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

from handlers.webhooks.provider import Request
from handlers.webhooks.providers.mailgun import SPEC, Mailgun
from tests.support.webhooks_fixtures import posted

NOW = datetime(2026, 3, 10, 15, 4, 7, tzinfo=UTC)
PATH = SPEC.routes[0].path
EVENT = {"event": "failed", "id": "e1", "timestamp": 1773155045.5, "recipient": "dana@example.net"}


def provider(*keys: str) -> Mailgun:
    return Mailgun(signing_keys=keys or ["key"])


def signature(token: str = "a1" * 25, *, at: datetime = NOW, key: str = "key") -> dict[str, str]:
    stated = str(int(at.timestamp()))
    digest = hmac.new(key.encode(), f"{stated}{token}".encode(), hashlib.sha256)
    return {"timestamp": stated, "token": token, "signature": digest.hexdigest()}


def signed(event: dict[str, object], **how: object) -> Request:
    return posted(PATH, {"signature": signature(**how), "event-data": event})
