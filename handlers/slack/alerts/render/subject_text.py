"""Whom an alert is about, as a channel may read it: "number ending 0100"."""

from __future__ import annotations

from bot.consent.alerts import Alert
from bot.consent.model import Channel
from handlers.slack.blocks.formatting import inert, phone


def who(alert: Alert) -> str:
    if not alert.subject.masked:
        return "an erased contact"
    return f"{address_noun(alert)} {inert(alert.subject.masked)}"


def address_noun(alert: Alert) -> str:
    return "number" if alert.subject.channel is Channel.SMS else "address"


def sender_of(alert: Alert, word: str = "to") -> str:
    """Our number that it was about, where the provider gave one: " to +1 888-555-0199"."""
    sender = alert.subject.sender
    return f" {word} {inert(phone(sender))}" if sender else ""


def times_today(alert: Alert) -> str:
    return f" ({alert.count:,} times today)" if alert.count > 1 else ""
