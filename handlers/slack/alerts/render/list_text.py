"""What the alert channel is told about a provider's suppression lists: how they differ from Optin,
and that the first write waits for a manager. Counts, and no address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.consent.alerts import Alert
from bot.consent.suppressions import Cause
from bot.consent.use_cases.lists.list_alerts import ListNews, ListNewsKind, news_of
from handlers.slack import ids
from handlers.slack.blocks.elements import button, confirm
from handlers.slack.blocks.formatting import Block, date, inert, joined, shown
from handlers.vocabulary import person

#: An entry for people: one, several.
_ENTRIES: Mapping[str, tuple[str, str]] = {
    Cause.UNSUBSCRIBE: ("unsubscribe", "unsubscribes"),
    Cause.COMPLAINT: ("spam complaint", "spam complaints"),
    Cause.BOUNCE: ("bounce", "bounces"),
    Cause.OURS: ("entry by our own side", "entries by our own side"),
    Cause.UNKNOWN: ("entry without a reason", "entries without a reason"),
}
_ASKS = frozenset({ListNewsKind.CONFIRM, ListNewsKind.OTHER_LISTS})
_RULE = (
    "Once confirmed, Optin adds each e-mail opt-out to these lists. It takes an entry off after an "
    "approved re-opt-in or a cleared bounce, and never a spam complaint."
)

#: Where Optin writes nothing.
_LOOKED_UP = (
    "With the next read, Optin looks up each entry that is missing, and lifts its block if it is "
    "gone. Optin writes nothing to these lists."
)


def list_alert(alert: Alert) -> list[str]:
    news = news_of(alert)
    label = inert(news.label, 60)
    at = f", {date(news.at)}" if news.at else ""
    if not news.writes:
        return _of_lists_to_read(news, label, at)
    match news.kind:
        case ListNewsKind.CONFIRM:
            head = (
                f"🟡 *Before Optin writes to {label}'s suppression lists, a manager confirms it.* "
                f"Optin has read them{at}."
            )
            return [head, *_counts(news), _RULE]
        case ListNewsKind.OTHER_LISTS:
            return [
                f"⚠️ *Optin stopped writing to {label}'s suppression lists:* "
                f"{inert(news.problem, 200)}.",
                "Check the key. If these are the right lists, a manager confirms that Optin writes "
                "to them.",
            ]
        case ListNewsKind.CONFIRMED:
            return [f"✓ *{person(news.by)} confirmed{at}: Optin writes to {label}'s lists.*", _RULE]
        case ListNewsKind.PROBLEM:
            return [
                f"⚠️ *Optin can't read or write {label}'s suppression lists*{at}: "
                f"{inert(news.problem, 300)}",
                "What is to be written waits, and nothing is lost. `optin doctor` says what to do.",
            ]
    return [f"⚠️ *{label}'s suppression lists and Optin differed*{at}.", *_counts(news)]


def _of_lists_to_read(news: ListNews, label: str, at: str) -> list[str]:
    """Whether these are the right lists, where Optin writes nothing to them."""
    if news.kind is ListNewsKind.CONFIRMED:
        return [f"✓ *{person(news.by)} confirmed{at}: these are {label}'s lists.* {_LOOKED_UP}"]
    return [
        f"⚠️ *{label}'s suppression lists may be others now:* {inert(news.problem, 200)}.",
        f"Check the key. If these are the right lists, a manager confirms it. {_LOOKED_UP}",
    ]


def asks_to_confirm(alert: Alert) -> bool:
    """Whether the first write waits for a manager."""
    return news_of(alert).kind in _ASKS


def confirm_button(alert: Alert) -> Block:
    """A manager's yes to writes, or to the lists where nothing is written; its value is the
    provider's id and nothing else."""
    news = news_of(alert)
    label = shown(news.label, 40)
    pressed = button("Confirm", ids.LISTS_CONFIRM, alert.about or "", style="primary")
    if not news.writes:
        pressed["confirm"] = confirm(
            f"Are these {label}'s right lists?", _LOOKED_UP, do="Confirm", leave="Not yet"
        )
        return pressed
    count = int(news.report.get("only_ours", 0))
    added = f"{_opt_outs(count)} {'is' if count == 1 else 'are'} added now. " if count else ""
    pressed["confirm"] = confirm(
        f"Write to {label}'s lists?",
        f"{added}{_RULE.removeprefix('Once confirmed, ')}",
        do="Confirm",
        leave="Not yet",
    )
    return pressed


def _counts(news: ListNews) -> Iterator[str]:
    report: Mapping[str, Any] = news.report
    label = inert(news.label, 60)
    yield f"• {_number(report, 'on_both')} on both"
    theirs = {cause: count for cause, count in report.get("only_theirs", {}).items() if count}
    if theirs:
        total, parts = sum(theirs.values()), joined([_entries(*one) for one in theirs.items()])
        yield f"• {total:,} only at {label}: {parts}. Optin has taken them in."
    if but := report.get("theirs_but_yes"):
        stay = "1 contact stays" if but == 1 else f"{but:,} of these stay"
        yield (
            f"• {stay} at YES, since the permission is newer or a re-opt-in was approved. No "
            "e-mails are sent while the list has the address: somebody has to look."
        )
    if count := report.get("only_ours"):
        after = "Optin adds them." if news.confirmed else "Optin adds them once that is confirmed."
        yield f"• {_opt_outs(count)} only in Optin. {after}"
    if gone := report.get("gone"):
        yield f"• {gone:,} no longer at {label}"


def _number(report: Mapping[str, Any], name: str) -> str:
    return f"{int(report.get(name, 0)):,}"


def _entries(cause: str, count: int) -> str:
    one, several = _ENTRIES.get(cause, ("entry", "entries"))
    return f"{count:,} {one if count == 1 else several}"


def _opt_outs(count: int) -> str:
    return f"{count:,} {'opt-out' if count == 1 else 'opt-outs'}"
