"""Taking in what providers tell: the edge between the web and `handlers/webhooks`, and what the
providers themselves are asked for."""

from handlers.webhooks.receiver.confirmations import ConfirmationJob
from handlers.webhooks.receiver.missed_events import Backfill, BackfillJob
from handlers.webhooks.receiver.provider_health import (
    ProviderHealth,
    ProviderStatus,
    provider_status,
)
from handlers.webhooks.receiver.receive import EventCounter, WebhookReceiver
from handlers.webhooks.receiver.unsubscribe_mailboxes import mailboxes_of
from handlers.webhooks.receiver.webhook_routes import BatchQueue, webhook_routes

__all__ = [
    "Backfill",
    "BackfillJob",
    "BatchQueue",
    "ConfirmationJob",
    "EventCounter",
    "ProviderHealth",
    "ProviderStatus",
    "WebhookReceiver",
    "mailboxes_of",
    "provider_status",
    "webhook_routes",
]
