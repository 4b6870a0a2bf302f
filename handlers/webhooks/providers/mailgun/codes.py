"""Why Mailgun did not deliver.

https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhooks
"""

from __future__ import annotations

from typing import Any

from bot.consent.events import Failure
from handlers.webhooks.error_codes import Codes, Meaning, at_most_soft, by_mail
from handlers.webhooks.payload_parsing import at, text_at

_BOUNCED: Meaning = (
    Failure.LISTED_BOUNCE,
    "Mailgun did not send it: the address is on its bounce list.",
)
_UNSUBSCRIBED: Meaning = (
    Failure.LISTED_OPT_OUT,
    "Mailgun did not send it: the contact has unsubscribed there.",
)
_COMPLAINED: Meaning = (
    Failure.LISTED_COMPLAINT,
    "Mailgun did not send it: the contact has reported our mail as spam.",
)
_REASONS: Codes = {
    "suppress-bounce": _BOUNCED,
    "suppress-unsubscribe": _UNSUBSCRIBED,
    "suppress-complaint": _COMPLAINED,
    # Mailgun's own codes; the old forms have nothing else.
    "605": _BOUNCED,
    "606": _UNSUBSCRIBED,
    "607": _COMPLAINED,
}
_HARD: Meaning = (Failure.HARD, "The mail system refused the address for good.")
_GAVE_UP: Meaning = (Failure.SOFT, "Mailgun gave up after trying for a while.")
_TRYING: Meaning = (Failure.NOT_FINAL, "Mailgun is still trying.")
_REJECTED: Meaning = (Failure.OURS, "Mailgun did not take the message from us.")


def failure_of(word: str, event: Any) -> tuple[str, Meaning]:
    """The code and what it means. `permanent` says only that Mailgun has stopped trying."""
    status = at(event, "delivery-status")
    code = text_at(status, "code") or text_at(event, "code")
    reason = text_at(event, "reason")
    said = (
        text_at(status, "enhanced-code"),
        text_at(status, "message"),
        text_at(status, "description"),
        text_at(event, "error"),
        text_at(event, "notification"),
        text_at(event, "description"),
    )
    if word == "rejected":
        return code, _REJECTED
    if known := _REASONS.get(reason) or _REASONS.get(code):
        return code or reason, known
    if text_at(event, "severity") == "temporary":
        return code, _TRYING
    if reason == "old" or not code.startswith("5"):
        return code, at_most_soft(by_mail(*said, otherwise=_GAVE_UP), _GAVE_UP)
    return code, by_mail(*said, code, otherwise=_HARD)
