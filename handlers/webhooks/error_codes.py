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

_FULL: Meaning = (Failure.SOFT, "The mailbox is full.")
_LISTED: Meaning = (Failure.OURS, "Our sender is on a block list.")
_POLICY: Meaning = (Failure.OURS, "The mail system refused our mail by its policy.")
_TOO_BIG: Meaning = (Failure.OURS, "The message was too big for the mail system.")
_TEMPORARY: Meaning = (Failure.SOFT, "The mail system gave up after trying for a while.")

#: RFC 3463, as rules.md §7 sorts it: the whole code first, then its class and subject.
#: https://www.iana.org/assignments/smtp-enhanced-status-codes
_STATUS: Codes = {
    "5.1.1": (Failure.HARD, "There is no such mailbox."),
    "5.1.2": (Failure.HARD, "There is no such mail domain."),
    "5.1.3": (Failure.HARD, "The address is not written as an address."),
    "5.1.6": (Failure.HARD, "The mailbox has moved."),
    "5.1.7": (Failure.OURS, "Our sender's address is not valid."),
    "5.1.8": (Failure.OURS, "The mail system does not accept our sender's domain."),
    "5.1.10": (Failure.HARD, "The domain takes no mail."),
    "5.2.1": (Failure.HARD, "The mailbox is disabled."),
    "5.2.2": _FULL,
    "5.2.3": (Failure.OURS, "The message was too long for this mailbox."),
    "5.3.4": _TOO_BIG,
    "5.5": (Failure.OURS, "The mail systems did not understand each other."),
    "5.6": (Failure.OURS, "The message's content was refused."),
    "5.7": _POLICY,
    "5.7.20": (Failure.OURS, "Our mail has no valid DKIM signature."),
    "5.7.23": (Failure.OURS, "Our mail failed the SPF check."),
    "5.7.25": (Failure.OURS, "Our mail server has no reverse DNS entry."),
    "5.7.26": (Failure.OURS, "Our mail failed its authentication checks."),
    "5.7.27": (Failure.OURS, "Our sender's domain takes no mail."),
    "4": _TEMPORARY,
}
_ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)", re.ASCII)
#: 5.0.0 says no more than the three digits before it.
_UNDEFINED = ".0.0"
#: The first three digits of an answer: https://www.rfc-editor.org/rfc/rfc5321#section-4.2
_REPLY = re.compile(r"\s*(?:smtp;)?\s*([245]\d\d)(?!\d)", re.ASCII | re.IGNORECASE)
#: Characters of an answer in which phrases are looked for.
_LONGEST = 4000
_ADDRESS = re.compile(r"\S*@\S*")
#: What mail systems write where their code says nothing, in the order in which it is looked for.
_PHRASES: tuple[tuple[re.Pattern[str], Meaning], ...] = tuple(
    (re.compile(words, re.IGNORECASE), meant)
    for words, meant in (
        (
            r"\b(?:mail|in)?box(?: is| was|'s)? (?:too |over)?full|\bover ?quota|\bout of storage"
            r"|\bquota (?:is |was |has been )?(?:exceeded|full)|exceed\w* (?:\w+ ){0,2}quota"
            r"|\bexceed\w* (?:\w+ ){0,2}storage|\b(?:not enough|insufficient) (?:disk |system )?"
            r"(?:storage|space)|\bstorage limit",
            _FULL,
        ),
        (
            r"\bspamhaus|\bspamcop|\bbarracuda|\bsorbs\b|\bsurbl|\buribl|\bproofpoint|\bdnsbl"
            r"|\brbls?\b|\bblocked using|\bblock(?:ed)?[ -]?list|\bblack[ -]?list|\bdeny ?list"
            r"|\blisted (?:at|by|in|on)\b|\b(?:host|server|ip|sender)\b.{0,40}\bblocked"
            r"|\breputation\b",
            _LISTED,
        ),
        (
            r"\bsender\b.{0,30}\b(?:rejected|denied|invalid|unknown|not found|not exist)",
            _STATUS["5.1.8"],
        ),
        (
            r"\b(?:user|recipient|mailbox|account|address)\b.{0,20}\b(?:unknown|not found)"
            r"|\b(?:unknown|no such|invalid) (?:local )?(?:user|recipient|mailbox|account|address)"
            r"|\b(?:does not|doesn't) exist",
            _STATUS["5.1.1"],
        ),
        (r"\bspf\b|\bsender policy framework", _STATUS["5.7.23"]),
        (r"\bdkim\b|\bdmarc\b|\bunauthenticated", _STATUS["5.7.26"]),
        (r"\bspam\b|\bunsolicited|\bbulk mail|\brelay\w* (?:access )?denied|\bpolicy\b", _POLICY),
        (r"\b(?:message|mail|size)\b.{0,30}\b(?:too (?:large|big)|exceeds)", _TOO_BIG),
    )
)
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


def by_mail(*texts: str, otherwise: Meaning) -> Meaning:
    """What a mail system's answer means; `otherwise` where it says nothing of the address.

    `texts` are what the provider passes on: the enhanced code, the three digits, the words. The
    most exact wins (rules.md §7): an enhanced code, then a known phrase, then the three digits.
    """
    statuses = [status for text in texts for status in _ENHANCED.findall(text)]
    for status in statuses:
        if not status.endswith(_UNDEFINED) and (meant := _of_status(status)):
            return meant
    words = _ADDRESS.sub(" ", " ".join(texts)[:_LONGEST])
    for phrase, meant in _PHRASES:
        if phrase.search(words):
            return meant
    replies = [found[1] for text in texts if (found := _REPLY.match(text))]
    if "552" in replies:
        return _FULL
    if any(said.startswith("4") for said in (*statuses, *replies)):
        return _TEMPORARY
    return otherwise


def at_most_soft(meant: Meaning, otherwise: Meaning) -> Meaning:
    """`otherwise` for a hard failure: the provider itself calls it temporary."""
    return otherwise if meant[0] is Failure.HARD else meant


def says_why(*texts: str) -> bool:
    """Whether a mail system's answer is among these texts: an automatic reply has none."""
    return any(_ENHANCED.search(text) or _REPLY.match(text) for text in texts)


def _of_status(status: str) -> Meaning | None:
    class_, _, rest = status.partition(".")
    subject = f"{class_}.{rest.partition('.')[0]}"
    return _STATUS.get(status) or _STATUS.get(subject) or _STATUS.get(class_)
