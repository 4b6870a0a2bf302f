"""Requests as Resend posts them, signed."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook

from handlers.webhooks.provider import Request
from handlers.webhooks.providers.resend import Resend
from tests.support.webhooks_fixtures import posted

NOW = datetime(2026, 3, 10, 15, 4, 7, tzinfo=UTC)
PATH = Resend.routes[0].path
SECRETS = ["whsec_" + base64.b64encode(letter * 24).decode() for letter in (b"a", b"b")]


def provider() -> Resend:
    return Resend(signing_secrets=SECRETS)


def signed(
    event: object,
    *,
    at: datetime = NOW,
    secret: str = SECRETS[0],
    id_: str = "msg_1",
    prefix: str = "",
) -> Request:
    body = json.dumps(event)
    return posted(
        PATH,
        body,
        svix_id=id_,
        svix_timestamp=str(int(at.timestamp())),
        svix_signature=prefix
        + Webhook(secret).sign(id_, at, body).removeprefix("v1," if prefix else ""),
    )


def about(kind: str, **data: object) -> Request:
    return signed({"type": kind, "created_at": "2026-03-10T15:04:05.000Z", "data": data})
