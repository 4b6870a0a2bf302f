"""Why Resend did not deliver.

https://resend.com/docs/webhooks/introduction
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.consent.events import Failure
from handlers.webhooks.error_codes import Codes, Meaning, at_most_soft, by_mail, meaning, says_why
from handlers.webhooks.payload_parsing import at, text_at

#: Resend's types of bounce, taken over from Amazon SES. Its SDK spells `Transient` `Temporary`.
_BOUNCES: Codes = {
    "Permanent": (Failure.HARD, "The mail system refused the address for good."),
    "Transient": (Failure.SOFT, "The mail system refused the message for now."),
    "Temporary": (Failure.SOFT, "The mail system refused the message for now."),
    "Undetermined": (Failure.SOFT, "The mail system did not say why it refused the message."),
}
_OTHERS: Codes = {
    "email.delivery_delayed": (Failure.NOT_FINAL, "Resend is still trying."),
    "email.failed": (Failure.OURS, "Resend could not send the message, by a fault of our side."),
}
BOUNCED_BEFORE: Meaning = (
    Failure.LISTED_BOUNCE,
    "Resend has put the address on its suppression list since it bounced.",
)
_LISTED: Meaning = (Failure.LISTED, "Resend did not send it: the address is on its list.")
#: By the reason that Resend gives for an address on its list. Without one, `_LISTED` applies.
_LISTS: Sequence[tuple[str, Meaning]] = (
    (
        "bounce",
        (Failure.LISTED_BOUNCE, "Resend did not send it: the address is on its bounce list."),
    ),
    (
        "complaint",
        (
            Failure.LISTED_COMPLAINT,
            "Resend did not send it: the contact has reported our mail as spam.",
        ),
    ),
    (
        "unsubscribe",
        (Failure.LISTED_OPT_OUT, "Resend did not send it: the contact has unsubscribed there."),
    ),
)
#: The subtypes of bounces that Resend's own list causes, in the words of Amazon SES.
_ON_A_LIST = {"OnAccountSuppressionList", "Suppressed"}


def failure_of(word: str, data: Any) -> tuple[str, Meaning]:
    """The code and what it means."""
    if word == "email.bounced":
        bounce = at(data, "bounce")
        class_, subject = text_at(bounce, "type"), text_at(bounce, "subType")
        code = class_ if subject in ("", class_) else f"{class_}/{subject}"
        return code, _bounced(class_, subject, _said(bounce))
    if word == "email.suppressed":
        stated = text_at(data, "suppressed", "type")
        return stated, next((meant for cause, meant in _LISTS if cause in stated.lower()), _LISTED)
    code = text_at(data, "failed", "reason") if word == "email.failed" else ""
    return code, _OTHERS[word]


def _bounced(class_: str, subject: str, said: Sequence[str]) -> Meaning:
    if subject in _ON_A_LIST:
        return _LISTED
    known = meaning(_BOUNCES, class_)
    found = by_mail(*said, otherwise=known)
    return found if known[0] is Failure.HARD else at_most_soft(found, known)


def is_automatic(bounce: Any) -> bool:
    """Whether it is an automatic reply, such as an out-of-office note. Resend reports such a reply
    as a bounce, too."""
    temporary = text_at(bounce, "type") in ("Transient", "Temporary")
    general = text_at(bounce, "subType") in ("", "General")
    return temporary and general and not says_why(*_said(bounce))


def _said(bounce: Any) -> list[str]:
    """The mail system's answers."""
    stated = at(bounce, "diagnosticCode")
    codes = stated if isinstance(stated, list) else [stated]
    return [text for text in (*codes, text_at(bounce, "message")) if isinstance(text, str)]
