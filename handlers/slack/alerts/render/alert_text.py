"""What an alert says, kind by kind, in mrkdwn: numbers masked, no names, no addresses.

The first line says what is true now. What happened follows as history.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from bot.consent.alerts import OPT_OUTS, Alert, AlertKind
from bot.consent.model import Channel
from bot.consent.rules import Answer
from bot.consent.use_cases import NOTHING_SINCE, PresentState, Profile
from handlers.slack.alerts.render.behind_text import behind_alert
from handlers.slack.alerts.render.clock_text import clock_alert
from handlers.slack.alerts.render.digest_text import digest, first_run, trial
from handlers.slack.alerts.render.head_text import head_message
from handlers.slack.alerts.render.list_text import list_alert
from handlers.slack.alerts.render.news_text import news_line
from handlers.slack.alerts.render.notice_text import notice
from handlers.slack.alerts.render.opt_out_events import QUOTED
from handlers.slack.alerts.render.opt_out_text import opt_out
from handlers.slack.alerts.render.storm_text import (
    most_counted,
    storm,
    storm_line,
    storm_list,
    summary,
)
from handlers.slack.alerts.render.subject_text import who
from handlers.slack.alerts.render.webhook_text import webhook_alert
from handlers.slack.blocks.formatting import date, inert
from handlers.vocabulary import person, things


def sentences(alert: Alert, command: str, now: PresentState = NOTHING_SINCE) -> list[str]:
    """The alert as lines. Re-opt-ins have `case_text`. `command` is what people type in Slack."""
    if alert.kind is AlertKind.UNKNOWN or alert.kind in OPT_OUTS:
        said = opt_out(alert, now)
    elif alert.kind is AlertKind.BOUNCE:
        said = _bounce(alert, now)
    elif alert.kind in _COMMANDED:
        said = _COMMANDED[alert.kind](alert, command)
    else:
        said = _SAID[alert.kind](alert)
    return _handled(alert, now, said)


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


def _handled(alert: Alert, now: PresentState, said: list[str]) -> list[str]:
    """The lines with who marked the alert as handled: first, unless something happened later."""
    by, at = alert.follow_up.handled_by, alert.follow_up.handled_at
    if by is None or alert.kind is AlertKind.REVIEW:
        return said
    mark = f"Handled by {person(by)}" + (f", {date(at)}" if at else "")
    if at is None or at >= _last_event(alert, now):
        return [f"✓ *{mark}.* {said[0]}", *said[1:]]
    return [*said, f"✓ {mark}"]


def _last_event(alert: Alert, now: PresentState) -> datetime:
    then = alert.follow_up
    times = [alert.last_at, then.unstopped_at, then.unread_at, then.returned_at, then.ended_at]
    if now.case is not None:
        case = now.case.case
        times += [case.requested_at, case.decided_at, case.ended_at]
    return max(at for at in times if at is not None)


def _bounce(alert: Alert, now: PresentState) -> list[str]:
    word, count = alert.subject.channel.word, alert.count
    if count == 1:
        reason = inert(next(iter(alert.counts), ""), QUOTED)
        if now.cleared and now.cleared == len(alert.subject.contacts):
            what = things(alert.subject.channel)
            return [
                f"🟡 *{word} bounce cleared:* {who(alert)}. The next of our {what} is the test, "
                "where nothing else stops them.",
                f"Bounced {date(alert.last_at)}: {reason}",
            ]
        return [
            f"🚫 *{word} bounce:* {who(alert)}, {date(alert.last_at)}: {reason} Nothing more is "
            "sent there until somebody checks it."
        ]
    reasons = (f"• {inert(reason, QUOTED)} × {count:,}" for reason, count in most_counted(alert))
    head = f"🚫 *{count:,} {word} bounces* since {date(alert.first_at)}."
    # Alerts remember their first ten contacts, so of more nobody can say how many are cleared.
    if now.cleared and len(alert.subject.contacts) == count:
        if now.cleared == count:
            said = f"🟡 *{count:,} {word} bounces, all cleared:* each next message is a test."
            return [said, f"Bounced since {date(alert.first_at)}:", *reasons]
        are = "is" if now.cleared == 1 else "are"
        head += f" {now.cleared:,} of them {are} cleared. Nothing more is sent to the others"
    else:
        head += " Nothing more is sent to these"
    return [f"{head} until somebody checks them.", *reasons]


#: Those that name the command.
_COMMANDED: dict[AlertKind, Callable[[Alert, str], list[str]]] = {
    AlertKind.SUMMARY: summary,
    AlertKind.DIGEST: digest,
    AlertKind.FIRST_RUN: first_run,
}
_SAID: dict[AlertKind, Callable[[Alert], list[str]]] = {
    AlertKind.STORM: storm,
    AlertKind.STORM_LINE: storm_line,
    AlertKind.NEWS: news_line,
    AlertKind.STORM_LIST: storm_list,
    AlertKind.NOTICE: notice,
    AlertKind.WEBHOOK: webhook_alert,
    AlertKind.TEST: trial,
    AlertKind.LISTS: list_alert,
    AlertKind.BEHIND: behind_alert,
    AlertKind.CLOCK: clock_alert,
    AlertKind.HEAD: head_message,
}
