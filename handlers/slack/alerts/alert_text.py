"""What an alert says, kind by kind, in mrkdwn: numbers masked, no names, no addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from bot.consent.alerts import Alert, AlertKind
from bot.consent.model import Channel
from bot.consent.rules import Answer
from bot.consent.use_cases import Profile
from bot.consent.use_cases.alerts.reviews import NO_REFUSAL, REFUSAL
from handlers.slack.alerts.shared import SHARED, UNSEEN
from handlers.slack.blocks.formatting import date, inert, joined, phone, unaddressed
from handlers.vocabulary import things

#: Longest quotation of what a contact wrote.
QUOTED = 300
#: Reasons and senders that are named, at most.
_NAMED = 5

#: A kind for people: one, several.
KINDS: dict[AlertKind, tuple[str, str]] = {
    AlertKind.STOP: ("opt-out by text", "opt-outs by text"),
    AlertKind.UNSUBSCRIBE: ("unsubscribe", "unsubscribes"),
    AlertKind.UNSTOP: ("UNSTOP", "UNSTOPs"),
    AlertKind.UNREAD: ("UNSTOP not read by the carrier", "UNSTOPs not read by the carrier"),
    AlertKind.BOUNCE: ("bounce", "bounces"),
    AlertKind.DRIFT: ("refusal by the provider", "refusals by the provider"),
    AlertKind.UNKNOWN: ("refusal by an unknown number", "refusals by unknown numbers"),
    AlertKind.COMPLAINT: ("spam complaint", "spam complaints"),
}

_HERE = "Invite it: write /invite @Optin in that channel."
#: Slack's word for why a channel takes nothing, and the cure.
_CURES = {
    "not_in_channel": f"Optin is not in it. {_HERE}",
    "channel_not_found": "Optin can't find it. If it is private, write /invite @Optin there; if it "
    "is gone, set OPTIN_ALERT_CHANNEL to another channel's id.",
    "is_archived": "It is archived. Unarchive it, or set OPTIN_ALERT_CHANNEL to another channel's "
    "id.",
    "message_limit_exceeded": "The workspace has reached Slack's limit of messages. Slack lifts it "
    "by itself, or with a paid plan.",
}
#: Why nothing is posted to a channel that would take it, and the cure.
_WITHHELD = {
    SHARED: "it is shared with another organisation, which would read them, or an invitation to "
    "one is open. Stop sharing it, or set OPTIN_ALERT_CHANNEL and OPTIN_APPROVAL_CHANNEL to a "
    "channel of your own.",
    UNSEEN: "Optin may not ask Slack whether another organisation reads them there. Add the scopes "
    "channels:read and groups:read under OAuth & Permissions, and install the app again.",
}
_RESTRICTED = (
    "Apps may not post there. Ask a workspace admin to allow it, or set OPTIN_ALERT_CHANNEL to "
    "another channel's id."
)


#: By the answer to a review.
_ANSWERED = {REFUSAL: "🔴 *It was an opt-out.*", NO_REFUSAL: "✅ *It was no opt-out.*"}


def sentences(alert: Alert) -> list[str]:
    """The alert as lines; the first one says it all. Re-opt-ins have a page of their own."""
    return _SAID[alert.kind](alert)


def cure_of_channel(word: str) -> str:
    """What to do where a channel takes nothing, by Slack's word for why."""
    return _RESTRICTED if word.startswith("restricted_action") else _CURES.get(word, "")


def kind_count(kind: AlertKind, count: int) -> str:
    one, several = KINDS[kind]
    return f"{count:,} {one if count == 1 else several}"


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
    reasons = (f"• {inert(reason, QUOTED)} × {count:,}" for reason, count in _most(alert))
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


def _storm(alert: Alert) -> list[str]:
    kind = AlertKind(alert.about or AlertKind.STOP)
    minutes = max(1.0, (alert.last_at - alert.first_at).total_seconds() / 60)
    rate = f"{alert.count / minutes:,.0f} a minute"
    span = f"{minutes:.0f} min"
    if alert.follow_up.ended_at:
        first = f"🔴 *{kind_count(kind, alert.count)}* in {span} until {date(alert.last_at)}: over."
    else:
        first = (
            f"🔴 *{kind_count(kind, alert.count)}* since {date(alert.first_at)}, {rate}. All are "
            "stored, and nothing more is sent to them."
        )
    senders = [(sender, count) for sender, count in _most(alert) if sender]
    if not senders or kind not in (AlertKind.STOP, AlertKind.UNSUBSCRIBE, AlertKind.DRIFT):
        return [first]
    most = joined([f"{inert(phone(sender))} ({count:,})" for sender, count in senders])
    return [first, f"Most were to {most}."]


def _storm_line(alert: Alert) -> list[str]:
    kind = AlertKind(alert.about or AlertKind.STOP)
    return [f"{kind_count(kind, alert.count)}, {date(alert.first_at)}."]


def _storm_list(alert: Alert) -> list[str]:
    kind = AlertKind(alert.about or AlertKind.STOP)
    return [f"It is over: {kind_count(kind, alert.count)}. The Activity Log has each of them."]


def _summary(alert: Alert) -> list[str]:
    counts = [kind_count(AlertKind(kind), count) for kind, count in alert.counts.items()]
    return [f"🔕 *While alerts were muted:* {joined(counts)}. `/optin recent` shows them."]


def _notice(alert: Alert) -> list[str]:
    word = alert.text or ""
    if word in _WITHHELD:
        return [
            f"⚠️ *Optin posts no alerts to <#{inert(alert.about or '')}>*: {_WITHHELD[word]} "
            "Alerts are kept, and come by themselves when it works again. Opt-outs are stored all "
            "the same."
        ]
    return [
        f"⚠️ *Optin can't post alerts to <#{inert(alert.about or '')}>* (Slack says "
        f"{inert(word)}). {cure_of_channel(word)} Alerts are kept, and come by themselves when it "
        "works again. Opt-outs are stored all the same."
    ]


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


def _most(alert: Alert) -> list[tuple[str, int]]:
    return sorted(alert.counts.items(), key=lambda pair: (-pair[1], pair[0]))[:_NAMED]


_SAID: dict[AlertKind, Callable[[Alert], list[str]]] = {
    AlertKind.STOP: _stop,
    AlertKind.STORM: _storm,
    AlertKind.STORM_LINE: _storm_line,
    AlertKind.STORM_LIST: _storm_list,
    AlertKind.UNSUBSCRIBE: _unsubscribe,
    AlertKind.UNSTOP: _unstop,
    AlertKind.UNREAD: _unread,
    AlertKind.BOUNCE: _bounce,
    AlertKind.COMPLAINT: _complaint,
    AlertKind.REVIEW: _review,
    AlertKind.DRIFT: _drift,
    AlertKind.UNKNOWN: _unknown,
    AlertKind.SUMMARY: _summary,
    AlertKind.NOTICE: _notice,
}
