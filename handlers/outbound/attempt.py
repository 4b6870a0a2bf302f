"""One attempt to deliver an event: its headers, its signatures, the call."""

from __future__ import annotations

import secrets
from datetime import datetime

from bot.consent.use_cases.webhooks.retry_schedule import AttemptResult
from bot.consent.webhooks import Webhook
from handlers.outbound.body import sample_body
from handlers.outbound.delivery_client import DeliveryClient
from handlers.outbound.signing import signed_headers


def attempt(
    client: DeliveryClient, webhook: Webhook, id: str, body: bytes, now: datetime
) -> AttemptResult:
    """What came of it. `id` is the same in each attempt for an event."""
    headers = signed_headers(id, now, body, webhook.signs_with(now))
    return client.post(webhook.url, headers, body, now=now)


def send_sample(client: DeliveryClient, webhook: Webhook, now: datetime) -> AttemptResult:
    """Sends an event of the type `webhook.test`, once, whatever the state of the webhook."""
    id = f"msg_{webhook.id}_test_{secrets.token_hex(8)}"
    return attempt(client, webhook, id, sample_body(now), now)
