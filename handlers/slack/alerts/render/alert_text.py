"""What an alert says, kind by kind, in mrkdwn: numbers masked, no names, no addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from bot.consent.alerts import Alert, AlertKind
from bot.consent.model import Channel
from bot.consent.rules import Answer
from bot.consent.use_cases import Profile
from bot.consent.use_cases.alerts.reviews import NO_REFUSAL, REFUSAL
from handlers.slack.alerts.render.notice_text import notice
from handlers.slack.alerts.render.storm_text import (
    most_counted,
    storm,
    storm_line,
    storm_list,
    summary,
)
from handlers.slack.blocks.formatting import date, inert, phone, unaddressed
from handlers.vocabulary import things

#: Longest quotation of what a contact wrote.
QUOTED = 300
#: By the answer to a review.
_ANSWERED = {REFUSAL: "🔴 *It was an opt-out.*", NO_REFUSAL: "✅ *It was no opt-out.*"}


def sentences(alert: Alert, command: str) -> list[str]:
    """The alert as lines; the first one says it all. Re-opt-ins have `case_text`. `command` is what
    people type in Slack."""
    if alert.kind is AlertKind.SUMMARY:
        return summary(alert, command)
    return _SAID[alert.kind](alert)


def no_opt_out(channel: Channel, profiles: Sequence[Profile]) -> str:
    """What follows when a reply was no opt-out, by the same rules as every card."""
    what = things(channel)
    if not profiles:
        noun = "number" if channel is Channel.SMS else "address"
        return f"Saved as no opt-out. No contact has this {noun}."
    decisions = [profile.decisions[channel] for profile in profiles]
    able = sum(decision.answer is Answer.YES for decision in decisions)
    if able == len(decisions):
        return f"Saved as no opt-out: {what} are sent again."
    if len(decisions) > 1:
        return (
            f"Saved as no opt-out: {what} are sent to {able} of the {len(decisions)} contacts. "
            "View says what stands in the way of the others."
        )
    (decision,) = decisions
    remedies = " ".join(inert(gate.remedy, 300) for gate in decision.gates)
    if decision.answer is Answer.UNVERIFIED:
        return f"Saved as no opt-out. Whether {what} arrive is not verified: {remedies}"
    return f"Saved as no opt-out. Still no {what} are sent before this is done: {remedies}"


def _stop(alert: Alert) -> list[str]:
    said = (
        f"🔴 *SMS opt-out:* {_who(alert)} texted STOP{_to(alert)} {date(alert.last_at)}"
        f"{_again(alert)}. No more texts will be sent."
    )
    return [said, *_notes(alert)]


def _unsubscribe(alert: Alert) -> list[str]:
    channel = alert.subject.channel
    said = (
        f"🔴 *{channel.word} opt-out:* {_who(alert)} unsubscribed {date(alert.last_at)}"
        f"{_again(alert)}. No more {things(channel)} will be sent."
    )
    return [said, *_notes(alert)]


def _complaint(alert: Alert) -> list[str]:
    said = (
        f"🚫 *Spam complaint:* {_who(alert)} reported our e-mail as spam {date(alert.last_at)}"
        f"{_again(alert)}. No more e-mails will be sent. Too many complaints cost the right to "
        "send at all: find out why this one came."
    )
    return [said, *_notes(alert)]


def _drift(alert: Alert) -> list[str]:
    channel = alert.subject.channel
    reason = f" {inert(alert.text, QUOTED)}" if alert.text else ""
    said = (
        f"🔴 *{channel.word} opt-out that we missed:* we thought {_who(alert)} gets our "
        f"{things(channel)}, and the provider refused {date(alert.last_at)}"
        f"{_again(alert)}.{reason} {channel.word} On is NO now."
    )
    return [said, *_notes(alert)]


def _unknown(alert: Alert) -> list[str]:
    thing = "number" if alert.subject.channel is Channel.SMS else "address"
    said = (
        f"⚪ *Unknown {thing}:* {_who(alert)}, which no contact has, refused"
        f"{_to(alert, 'messages from')} {date(alert.last_at)}{_again(alert)}. It is kept, and "
        "holds for whoever appears with it."
    )
    return [said, *_notes(alert)]


def _unstop(alert: Alert) -> list[str]:
    channel = alert.subject.channel.word
    if returned := alert.follow_up.returned_at:
        return [
            f"☑️ *Opted in again:* {_who(alert)} texted UNSTOP{_to(alert)} "
            f"{date(alert.last_at)}, and a manager approved {date(returned)}. View shows "
            "whether anything else is in the way."
        ]
    return [
        f"🟡 *Half done:* {_who(alert)} texted UNSTOP{_to(alert)} {date(alert.last_at)}"
        f"{_again(alert)}. The carrier's block is lifted; {channel} On stays as it is until "
        "somebody records a new permission, and a manager approves."
    ]


def _unread(alert: Alert) -> list[str]:
    return [
        f"🟡 *Not read by the carrier:* {_who(alert)} texted UNSTOP{_to(alert)} with something "
        f"around it, {date(alert.last_at)}{_again(alert)}. Only the bare word counts, so the block "
        "stands. Ask the contact to text UNSTOP and nothing else."
    ]


def _bounce(alert: Alert) -> list[str]:
    word = alert.subject.channel.word
    if alert.count == 1:
        reason = next(iter(alert.counts), "")
        return [
            f"🚫 *{word} bounce:* {_who(alert)}, {date(alert.last_at)}: "
            f"{inert(reason, QUOTED)} Nothing more is sent there until somebody checks it."
        ]
    reasons = (f"• {inert(reason, QUOTED)} × {count:,}" for reason, count in most_counted(alert))
    return [
        f"🚫 *{alert.count:,} {word} bounces* since {date(alert.first_at)}. Nothing more is sent "
        "to these until somebody checks them.",
        *reasons,
    ]


def _review(alert: Alert) -> list[str]:
    quoted = (
        f"> “{inert(unaddressed(alert.text), QUOTED)}”" if alert.text else "_The reply was erased._"
    )
    asked = f"*Is this an opt-out?* {_who(alert)} wrote{_to(alert)} {date(alert.first_at)}."
    review = alert.follow_up
    if review.answer is not None:
        return [f"{_ANSWERED[review.answer]} {asked}", quoted]
    until = ""
    if review.deadline:
        until = f" Unanswered by {date(review.deadline)}, it counts as an opt-out."
    return [f"🟡 {asked} Nothing is sent until somebody answers.{until}", quoted]


def _who(alert: Alert) -> str:
    subject = alert.subject
    if not subject.masked:
        return "an erased contact"
    thing = "number" if subject.channel is Channel.SMS else "address"
    return f"{thing} {inert(subject.masked)}"


def _to(alert: Alert, word: str = "to") -> str:
    sender = alert.subject.sender
    return f" {word} {inert(phone(sender))}" if sender else ""


def _again(alert: Alert) -> str:
    return f" ({alert.count:,} times today)" if alert.count > 1 else ""


def _notes(alert: Alert) -> Iterable[str]:
    count, then = len(alert.subject.contacts), alert.follow_up
    if count > 1:
        have = "several contacts have" if count > 9 else f"{count} have"
        yield f"It counts for each contact who has it: {have} it."
    if then.returned_at:
        yield (
            f"☑️ Opted in again {date(then.returned_at)}, with a manager's approval. View shows "
            "whether anything else is in the way."
        )
    elif then.unstopped_at:
        yield f"🟡 Came back {date(then.unstopped_at)} with UNSTOP, still needs a manager."
    elif then.unread_at:
        yield (
            f"🟡 Texted UNSTOP with something around it {date(then.unread_at)}: the carrier takes "
            "the bare word alone, so the block stands."
        )


_SAID: dict[AlertKind, Callable[[Alert], list[str]]] = {
    AlertKind.STOP: _stop,
    AlertKind.STORM: storm,
    AlertKind.STORM_LINE: storm_line,
    AlertKind.STORM_LIST: storm_list,
    AlertKind.UNSUBSCRIBE: _unsubscribe,
    AlertKind.UNSTOP: _unstop,
    AlertKind.UNREAD: _unread,
    AlertKind.BOUNCE: _bounce,
    AlertKind.COMPLAINT: _complaint,
    AlertKind.REVIEW: _review,
    AlertKind.DRIFT: _drift,
    AlertKind.UNKNOWN: _unknown,
    AlertKind.NOTICE: notice,
}
