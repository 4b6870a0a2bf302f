"""Outbound webhooks: the endpoints, and the lanes through which events are delivered to them.

The Activity Log is the outbox. An entry is stored in the transaction of its change, so no event is
lost, and a replay can begin anywhere.
"""

from bot.consent.use_cases.webhooks.edit_webhooks import (
    EVENTS,
    add_webhook,
    pause_webhook,
    place_of_time,
    remove_webhook,
    replay_webhook,
    resume_webhook,
    rotate_secret,
)
from bot.consent.use_cases.webhooks.webhook_status import (
    WebhookStatus,
    find_webhook,
    webhook_status,
    webhook_status_in,
    webhooks,
)

__all__ = [
    "EVENTS",
    "WebhookStatus",
    "add_webhook",
    "find_webhook",
    "pause_webhook",
    "place_of_time",
    "remove_webhook",
    "replay_webhook",
    "resume_webhook",
    "rotate_secret",
    "webhook_status",
    "webhook_status_in",
    "webhooks",
]
