"""Taking in what providers tell: the edge between the web and `handlers/webhooks`, and what the
providers themselves are asked for."""

from handlers.intake.confirmations import Confirming
from handlers.intake.health import Heard, ProviderHealth, heard
from handlers.intake.intake import Counted, Intake
from handlers.intake.line import Line
from handlers.intake.links import mailboxes_of
from handlers.intake.missed import CatchingUp
from handlers.intake.routes import webhook_routes
from handlers.intake.tokens import Tokens

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
