"""The numbers of `stats` as sentences, JSON and a CSV file, for Slack and the command line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from bot.consent.model import Channel
from bot.consent.use_cases.stats import (
    HONOUR_WITHIN,
    BounceClass,
    ChannelShare,
    HonourTimes,
    OptOutSource,
    Stats,
)
from handlers.cells import line

_ADDRESSES = {Channel.SMS: "a phone number", Channel.EMAIL: "an e-mail address"}
_SOURCES = {
    OptOutSource.TEXT: "by text",
    OptOutSource.UNSUBSCRIBE: "by unsubscribing",
    OptOutSource.COMPLAINT: "by reporting spam",
    OptOutSource.PERSON: "recorded by a person",
    OptOutSource.FILE: "from a file",
    OptOutSource.PROGRAM: "by the API",
    OptOutSource.PROVIDER: "learned from a provider's refusal",
}
_BOUNCES = {
    BounceClass.HARD: ("lasting bounce", "lasting bounces"),
    BounceClass.SOFT: ("temporary failure", "temporary failures"),
    BounceClass.COMPLAINT: ("spam report", "spam reports"),
}
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def share(found: Stats, channel: Channel) -> str:
    """How many contacts agreed to this channel, and how many can be sent to."""
    of = found.shares.get(channel, ChannelShare())
    if not of.contacts:
        return f"No contact has {_ADDRESSES[channel]}."
    return (
        f"{of.on:,} of {_contacts(of.contacts)} with {_ADDRESSES[channel]} agreed "
        f"({_percent(of.on, of.contacts)}); {of.reachable:,} can be sent to now."
    )


def opt_outs(found: Stats) -> str:
    """How many opted out, and how."""
    return opt_outs_said(found.opt_outs)


def opt_outs_said(total: Mapping[tuple[Channel, OptOutSource], int]) -> str:
    """These counts in sentences."""
    if not total:
        return "Nobody opted out."
    said = []
    for channel in Channel:
        counted = {source: total.get((channel, source), 0) for source in OptOutSource}
        ways = {source: count for source, count in counted.items() if count}
        if ways:
            how = ", ".join(f"{count:,} {_SOURCES[source]}" for source, count in ways.items())
            said.append(f"{channel.word}: {sum(ways.values()):,} ({how}).")
    return " ".join(said)


def honoured(found: Stats) -> Iterator[str]:
    """How soon opt-outs were honoured, beside the law's ten business days."""
    if found.told.count:
        yield f"Opt-outs by text and e-mail: {_took(found.told)}"
    if found.recorded.count:
        yield f"Opt-outs that were recorded later: {_took(found.recorded)}"


def bounces(found: Stats) -> str:
    """What bounced, by class."""
    return bounces_said(found.bounces)


def bounces_said(total: Mapping[tuple[Channel, BounceClass], int]) -> str:
    """These counts in sentences."""
    said = []
    for channel in Channel:
        counts = [
            f"{count:,} {words[count != 1]}"
            for kind, words in _BOUNCES.items()
            if (count := total.get((channel, kind), 0))
        ]
        if counts:
            said.append(f"{channel.word}: {', '.join(counts)}.")
    return " ".join(said) or "Nothing bounced."


def by_day(found: Stats, channel: Channel) -> list[int]:
    """Opt-outs of each day."""
    return [
        sum(count for (one, _), count in day.items() if one is channel)
        for day in found.days.values()
    ]


def busiest(found: Stats) -> Iterator[str]:
    """The day on which most opted out, where there is more than one day with any."""
    counts = {day: sum(ways.values()) for day, ways in found.days.items() if ways}
    if len(counts) > 1:
        day = max(counts, key=counts.__getitem__)
        yield f"The most on one day: {counts[day]:,}, on {day.day} {day:%b}."


def duration(time: timedelta) -> str:
    """A time as people say it: "less than a second", "4 minutes", "2 days"."""
    seconds = time.total_seconds()
    for size, unit in _UNITS:
        if seconds >= size:
            count = int(seconds // size)
            return f"{count:,} {unit}{'s' if count != 1 else ''}"
    return "less than a second"


def stats_shape(found: Stats) -> dict[str, Any]:
    """For programs: counts, and seconds."""
    return {
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "contacts": {
            channel.value: {"with_address": of.contacts, "on": of.on, "reachable": of.reachable}
            for channel, of in found.shares.items()
        },
        "opt_outs": [
            {"day": day.isoformat(), "channel": channel.value, "source": source.value, "count": n}
            for day, counts in found.days.items()
            for (channel, source), n in sorted(counts.items())
        ],
        "honoured": {"told": _honour_shape(found.told), "recorded": _honour_shape(found.recorded)},
        "bounces": [
            {"channel": channel.value, "class": kind.value, "count": count}
            for (channel, kind), count in sorted(found.bounces.items())
        ],
    }


def stats_file(found: Stats) -> str:
    """Opt-outs by day, as CSV."""
    lines = [line(("day", "channel", "source", "opt_outs"))]
    for day, counts in found.days.items():
        lines += (
            line((day.isoformat(), channel.value, source.value, str(count)))
            for (channel, source), count in sorted(Counter(counts).items())
        )
    return "".join(lines)


def _took(times: HonourTimes) -> str:
    if times.late:
        late = f"{times.late:,} took longer than the {HONOUR_WITHIN} business days of the law."
    else:
        late = f"All within the {HONOUR_WITHIN} business days of the law."
    if times.count == 1:
        return f"the one took effect within {duration(times.longest)}. {late}"
    return (
        f"half took effect within {duration(times.median)}, the longest took "
        f"{duration(times.longest)}. {late}"
    )


def _honour_shape(times: HonourTimes) -> dict[str, Any]:
    return {
        "count": times.count,
        "median_seconds": times.median.total_seconds(),
        "longest_seconds": times.longest.total_seconds(),
        "late": times.late,
    }


def _contacts(count: int) -> str:
    return f"{count:,} contact{'s' if count != 1 else ''}"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %"
