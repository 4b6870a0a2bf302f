"""Why SendGrid did not deliver.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
"""

from __future__ import annotations

from typing import Any

from bot.consent.events import Failure
from handlers.webhooks.error_codes import (
    Codes,
    Meaning,
    at_most_soft,
    by_mail,
    enhanced_status,
    meaning,
)
from handlers.webhooks.payload_parsing import text_at

#: SendGrid never tried. The reasons mean four different things.
_DROPPED: Codes = {
    "bounced address": (
        Failure.LISTED_BOUNCE,
        "SendGrid did not send it: the address is on its bounce list.",
    ),
    "unsubscribed address": (
        Failure.LISTED_OPT_OUT,
        "SendGrid did not send it: the contact has unsubscribed there.",
    ),
    "spam reporting address": (
        Failure.LISTED_COMPLAINT,
        "SendGrid did not send it: the contact has reported our mail as spam.",
    ),
    "invalid": (Failure.HARD, "SendGrid says that there is no such address."),
    "spam content": (Failure.OURS, "SendGrid took the message for spam."),
    "invalid smtpapi header": (Failure.OURS, "Our message had a header that SendGrid refused."),
    "recipient list over package quota": (Failure.OURS, "We sent more than our SendGrid plan has."),
}
_HARD: Meaning = (Failure.HARD, "The mail system refused the address for good.")
_BLOCKED: Meaning = (Failure.SOFT, "The mail system refused this message.")
_DEFERRED: Meaning = (Failure.NOT_FINAL, "SendGrid is still trying.")


def failure_of(word: str, item: Any) -> tuple[str, Meaning | tuple[None, None]]:
    """The code of an event, and what it means; nothing for an event that is no failure."""
    stated, reason = text_at(item, "status"), text_at(item, "reason")
    status = enhanced_status(stated, reason)
    match word:
        case "dropped":
            return reason, meaning(_DROPPED, reason.lower().strip(" ."))
        case "deferred":
            return status, _DEFERRED
        case "bounce" if text_at(item, "type") in ("blocked", "expired"):
            # Temporary whatever the status says: the address is not suppressed.
            found = by_mail(stated, reason, otherwise=_BLOCKED)
            return status, at_most_soft(found, _BLOCKED)
        case "bounce":
            return status, by_mail(stated, reason, otherwise=_HARD)
        case _:
            return "", (None, None)
