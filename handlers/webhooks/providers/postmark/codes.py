"""Why Postmark did not deliver.

https://postmarkapp.com/developer/api/bounce-api#bounce-types
"""

from __future__ import annotations

from typing import Any

from bot.consent.events import Failure
from handlers.webhooks.error_codes import Codes, Meaning, at_most_soft, by_mail, meaning
from handlers.webhooks.payload_parsing import text_at

#: By `Type`: the vendor's texts disagree over `TypeCode`.
_BOUNCES: Codes = {
    "HardBounce": (Failure.HARD, "The mail system refused the address for good."),
    "BadEmailAddress": (Failure.HARD, "The address is not written as an address."),
    "SoftBounce": (Failure.SOFT, "The mail system refused the message for now."),
    "Unknown": (Failure.SOFT, "The mail system did not say why it refused the message."),
    "Blocked": (Failure.OURS, "The mail system refused mail from our sender."),
    "SpamNotification": (Failure.OURS, "The mail system took the message for spam."),
    "VirusNotification": (Failure.OURS, "The mail system took the message for a virus."),
    "DMARCPolicy": (Failure.OURS, "The mail system refused our mail by its DMARC policy."),
    "Transient": (Failure.NOT_FINAL, "Postmark is still trying."),
    "DnsError": (Failure.NOT_FINAL, "Postmark is still trying: the domain does not answer."),
}
BOUNCED_BEFORE: Meaning = (
    Failure.LISTED_BOUNCE,
    "Postmark has put the address on its suppression list since it bounced.",
)
_INACTIVE: Meaning = (
    Failure.LISTED,
    "Postmark did not send it: the address is on its suppression list.",
)
#: In the description of an error of the SMTP interface, which may be of any kind.
_INACTIVE_WORDS = ("inactive", "suppress")


def is_inactive(item: Any) -> bool:
    """Whether an error of the SMTP interface says that the address is suppressed."""
    said = " ".join(_words(item)).lower()
    return any(word in said for word in _INACTIVE_WORDS)


def _words(item: Any) -> tuple[str, str]:
    return text_at(item, "Details"), text_at(item, "Description")


def failure_of(word: str, item: Any) -> Meaning:
    """What a bounce of this type means."""
    said = _words(item)
    if word in ("ManuallyDeactivated", "SMTPApiError"):
        return _INACTIVE
    known = meaning(_BOUNCES, word)
    if known[0] is Failure.HARD:
        return by_mail(*said, otherwise=known)
    if known[0] is Failure.SOFT:
        return at_most_soft(by_mail(*said, otherwise=known), known)
    return known
