"""What the alerts about many events say: a storm's card, its lines and its list, and a summary."""

from __future__ import annotations

from bot.consent.alerts import Alert, AlertKind
from handlers.slack.blocks.formatting import date, inert, joined, phone

#: Reasons and senders that are named, at most.
_NAMED = 5

#: A kind for people: one, several.
KINDS: dict[AlertKind, tuple[str, str]] = {
    AlertKind.STOP: ("opt-out by text", "opt-outs by text"),
    AlertKind.UNSUBSCRIBE: ("unsubscribe", "unsubscribes"),
    AlertKind.UNSTOP: ("UNSTOP", "UNSTOPs"),
    AlertKind.UNREAD: ("UNSTOP the carrier ignored", "UNSTOPs the carrier ignored"),
    AlertKind.BOUNCE: ("bounce", "bounces"),
    AlertKind.DRIFT: ("refusal by the provider", "refusals by the provider"),
    AlertKind.UNKNOWN: ("opt-out of an unknown number", "opt-outs of unknown numbers"),
    AlertKind.COMPLAINT: ("spam complaint", "spam complaints"),
}


def kind_count(kind: AlertKind, count: int) -> str:
    one, several = KINDS[kind]
    return f"{count:,} {one if count == 1 else several}"


def storm(alert: Alert) -> list[str]:
    kind = AlertKind(alert.about or AlertKind.STOP)
    minutes = max(1.0, (alert.last_at - alert.first_at).total_seconds() / 60)
    rate = f"{alert.count / minutes:,.0f} a minute"
    span = "1 minute" if round(minutes) == 1 else f"{minutes:.0f} minutes"
    if alert.follow_up.ended_at:
        first = (
            f"🔴 *Over: {kind_count(kind, alert.count)}* in {span}, ending {date(alert.last_at)}. "
            f"{_meaning(kind)}"
        )
    else:
        first = (
            f"🔴 *{kind_count(kind, alert.count)}* since {date(alert.first_at)}, {rate}. "
            f"{_meaning(kind)}"
        )
    senders = [(sender, count) for sender, count in most_counted(alert) if sender]
    if not senders or kind not in (AlertKind.STOP, AlertKind.UNSUBSCRIBE, AlertKind.DRIFT):
        return [first]
    most = joined([f"{inert(phone(sender))} ({count:,})" for sender, count in senders])
    return [first, f"Most were to {most}."]


def _meaning(kind: AlertKind) -> str:
    if kind is AlertKind.UNSTOP:
        return "All are stored, and each still needs a manager."
    if kind is AlertKind.UNREAD:
        return "All are stored, and the carrier's blocks stand."
    return "All are stored, and nothing more is sent to them."


def storm_line(alert: Alert) -> list[str]:
    kind = AlertKind(alert.about or AlertKind.STOP)
    return [f"{kind_count(kind, alert.count)}, {date(alert.first_at)}."]


def storm_list(alert: Alert) -> list[str]:
    kind = AlertKind(alert.about or AlertKind.STOP)
    return [f"It is over: {kind_count(kind, alert.count)}. The Activity Log has each of them."]


def summary(alert: Alert, command: str) -> list[str]:
    counts = [kind_count(AlertKind(kind), count) for kind, count in alert.counts.items()]
    return [f"🔕 *While alerts were muted:* {joined(counts)}. `{command} recent` shows them."]


def most_counted(alert: Alert) -> list[tuple[str, int]]:
    return sorted(alert.counts.items(), key=lambda pair: (-pair[1], pair[0]))[:_NAMED]
