"""What a delivery error means: of which class it is, and how to say it to people (rules.md §7)."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping

from bot.consent.events import Failure

#: The class, and a sentence for people.
Meaning = tuple[Failure, str]
#: By the provider's code.
Codes = Mapping[str, Meaning]

#: RFC 3463, as rules.md §7 sorts it: the whole code first, then its class and subject.
_STATUS: Codes = {
    "5.1.1": (Failure.HARD, "There is no such mailbox."),
    "5.1.2": (Failure.HARD, "There is no such mail domain."),
    "5.1.3": (Failure.HARD, "The address is not written as an address."),
    "5.1.6": (Failure.HARD, "The mailbox has moved."),
    "5.1.10": (Failure.HARD, "The domain takes no mail."),
    "5.2.1": (Failure.HARD, "The mailbox is disabled."),
    "5.2.2": (Failure.SOFT, "The mailbox is full."),
    "5.2.3": (Failure.OURS, "The message was too long for this mailbox."),
    "5.3.4": (Failure.OURS, "The message was too big for the mail system."),
    "5.5": (Failure.OURS, "The mail systems did not understand each other."),
    "5.6": (Failure.OURS, "The message's content was refused."),
    "5.7": (Failure.OURS, "The mail system refused our mail by its policy."),
    "4": (Failure.SOFT, "The mail system gave up after trying for a while."),
}
_ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)", re.ASCII)
_LOGGABLE = re.compile("[A-Za-z0-9._/ -]{1,40}", re.ASCII)

logger = logging.getLogger(__name__)


def meaning(codes: Codes, code: str) -> Meaning:
    """Unknown and missing codes count as soft, and the unknown one is logged."""
    if known := codes.get(code):
        return known
    if not code:
        return Failure.SOFT, "The provider did not say why it failed."
    logger.warning(
        "A delivery error has a code that is in no table: %s",
        code if _LOGGABLE.fullmatch(code) else "one that can't be shown",
    )
    return Failure.SOFT, "The provider gave a code that Optin does not know."


def enhanced_status(*texts: str) -> str:
    """The first RFC 3463 code in these texts, such as 5.1.1; else empty. The texts themselves
    quote addresses and never leave the provider's module."""
    for text in texts:
        if found := _ENHANCED.search(text):
            return found[1]
    return ""


def by_status(status: str, otherwise: Meaning) -> Meaning:
    """What an RFC 3463 code means; `otherwise` where it says nothing of the address."""
    class_, _, rest = status.partition(".")
    subject = f"{class_}.{rest.partition('.')[0]}"
    return _STATUS.get(status) or _STATUS.get(subject) or _STATUS.get(class_) or otherwise
