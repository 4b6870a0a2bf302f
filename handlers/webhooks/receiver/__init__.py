"""Taking in what providers tell: the edge between the web and `handlers/webhooks`, and what the
providers themselves are asked for."""

from handlers.webhooks.receiver.batches import Line
from handlers.webhooks.receiver.confirmations import Confirming
from handlers.webhooks.receiver.missed_events import CatchingUp
from handlers.webhooks.receiver.provider_health import Heard, ProviderHealth, heard
from handlers.webhooks.receiver.receive import Counted, Intake
from handlers.webhooks.receiver.replay_cache import Tokens
from handlers.webhooks.receiver.unsubscribe_page import mailboxes_of
from handlers.webhooks.receiver.webhook_routes import webhook_routes

__all__ = [
    "CatchingUp",
    "Confirming",
    "Counted",
    "Heard",
    "Intake",
    "Line",
    "ProviderHealth",
    "Tokens",
    "heard",
    "mailboxes_of",
    "webhook_routes",
]
