"""What happened, for alerts about an opt-out: the whole alert while nothing has followed, and one
line of its history later."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bot.consent.alerts import NEW_OWNER, Alert, AlertKind
from handlers.slack.alerts.render.subject_text import address_noun, sender_of, times_today, who
from handlers.slack.blocks.formatting import date, inert, unaddressed
from handlers.vocabulary import things

#: Longest quotation of what a contact wrote.
QUOTED = 300
_SPAM = "Too many complaints cost the right to send at all: find out why this one came."


def as_new(alert: Alert) -> str:
    """The first line while nothing has happened since."""
    return _NEW[alert.kind](alert)


def event(alert: Alert) -> str:
    """The event that the alert is about, as history."""
    if alert.kind is AlertKind.REVIEW and alert.text == NEW_OWNER:
        return f"The provider says that {who(alert)} has a new owner, {date(alert.first_at)}."
    if alert.kind is AlertKind.REVIEW:
        return f"{who(alert).capitalize()} wrote{sender_of(alert)} {date(alert.first_at)}:"
    if alert.kind is AlertKind.DRIFT and alert.text:
        reason = f" {inert(alert.text, QUOTED)}"
    else:
        reason = f" {_SPAM}" if alert.kind is AlertKind.COMPLAINT else ""
    word = "of messages from" if alert.kind is AlertKind.UNKNOWN else "to"
    said = _EVENTS[alert.kind].format(to=sender_of(alert, word), at=date(alert.last_at))
    return f"{said}{times_today(alert)}.{reason}"


#: By kind; without the full stop.
_EVENTS = {
    AlertKind.STOP: "Texted STOP{to} {at}",
    AlertKind.UNSUBSCRIBE: "Unsubscribed {at}",
    AlertKind.COMPLAINT: "Reported our e-mail as spam {at}",
    AlertKind.DRIFT: "The provider refused a message {at}",
    AlertKind.UNKNOWN: "Opted out{to} {at}",
    AlertKind.UNSTOP: "Texted UNSTOP{to} {at}",
    AlertKind.UNREAD: "Texted UNSTOP{to} with other words {at}",
}


def quotation(alert: Alert) -> Iterator[str]:
    """What the contact wrote, where somebody has to read it."""
    if alert.kind is AlertKind.REVIEW and alert.text != NEW_OWNER:
        if alert.text:
            yield f"> “{inert(unaddressed(alert.text), QUOTED)}”"
        else:
            yield "_The reply was erased._"


def _stop(alert: Alert) -> str:
    return (
        f"🔴 *SMS opt-out:* {who(alert)} texted STOP{sender_of(alert)} {date(alert.last_at)}"
        f"{times_today(alert)}. No more texts will be sent."
    )


def _unsubscribe(alert: Alert) -> str:
    channel = alert.subject.channel
    return (
        f"🔴 *{channel.word} opt-out:* {who(alert)} unsubscribed {date(alert.last_at)}"
        f"{times_today(alert)}. No more {things(channel)} will be sent."
    )


def _complaint(alert: Alert) -> str:
    return (
        f"🚫 *Spam complaint:* {who(alert)} reported our e-mail as spam {date(alert.last_at)}"
        f"{times_today(alert)}. No more e-mails will be sent. {_SPAM}"
    )


def _drift(alert: Alert) -> str:
    channel = alert.subject.channel
    reason = f" {inert(alert.text, QUOTED)}" if alert.text else ""
    return (
        f"🔴 *{channel.word} opt-out that we missed:* we thought {who(alert)} gets our "
        f"{things(channel)}, and the provider refused {date(alert.last_at)}"
        f"{times_today(alert)}.{reason} {channel.word} On is NO now."
    )


def _unknown(alert: Alert) -> str:
    noun = address_noun(alert)
    return (
        f"⚪ *Unknown {noun}:* {who(alert)}, which no contact has, opted out"
        f"{sender_of(alert, 'of messages from')} {date(alert.last_at)}{times_today(alert)}. Optin "
        f"stores the opt-out. It holds for every contact who is added with this {noun}."
    )


def _unstop(alert: Alert) -> str:
    channel = alert.subject.channel.word
    return (
        f"🟡 *Half done:* {who(alert)} texted UNSTOP{sender_of(alert)} {date(alert.last_at)}"
        f"{times_today(alert)}. The carrier's block is lifted. {channel} On stays as it is until "
        "an agent records a new permission and a manager approves."
    )


def _unread(alert: Alert) -> str:
    return (
        f"🔴 *Still blocked:* {who(alert)} texted UNSTOP{sender_of(alert)} with other words "
        f"{date(alert.last_at)}{times_today(alert)}, which the carrier ignores. Ask the contact to "
        "text UNSTOP and nothing else."
    )


def _review(alert: Alert) -> str:
    what, until = things(alert.subject.channel), ""
    if alert.text == NEW_OWNER:
        at = date(alert.first_at)
        return (
            f"🟡 *Does {who(alert)} have a new owner?* The provider says so since {at}, and blocks "
            f"our {what}. Nothing is sent until somebody answers."
        )
    if deadline := alert.follow_up.deadline:
        until = f" If nobody answers by {date(deadline)}, it counts as an opt-out."
    return (
        f"🟡 *Is this an opt-out?* {who(alert).capitalize()} wrote{sender_of(alert)} "
        f"{date(alert.first_at)}. No {what} are sent until somebody answers.{until}"
    )


_NEW: dict[AlertKind, Callable[[Alert], str]] = {
    AlertKind.STOP: _stop,
    AlertKind.UNSUBSCRIBE: _unsubscribe,
    AlertKind.COMPLAINT: _complaint,
    AlertKind.DRIFT: _drift,
    AlertKind.UNKNOWN: _unknown,
    AlertKind.UNSTOP: _unstop,
    AlertKind.UNREAD: _unread,
    AlertKind.REVIEW: _review,
}
