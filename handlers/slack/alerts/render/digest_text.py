"""The digest of a channel, a test alert, and the first steps of the installer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from bot.consent.alerts import Alert
from bot.consent.model import Channel
from bot.consent.use_cases.alerts.digest import (
    BOUNCE,
    MOST_WAITING,
    OPT_OUT,
    WAITING,
)
from bot.consent.use_cases.alerts.digest_settings import DigestEvery
from bot.consent.use_cases.alerts.first_run import steps_of
from bot.consent.use_cases.stats import BounceClass, OptOutSource
from handlers.slack.blocks.formatting import date, inert
from handlers.stats_words import bounces_said, opt_outs_said
from handlers.vocabulary import person

#: What a digest is about, where nothing kept it from coming before.
_LENGTHS = {DigestEvery.DAY: timedelta(days=1), DigestEvery.WEEK: timedelta(days=7)}
#: A day or a week with a clock change is one, too.
_CLOCK_CHANGE = timedelta(hours=1)


def digest(alert: Alert, command: str) -> list[str]:
    """What happened, in counts."""
    return list(_digest(alert, command))


def _digest(alert: Alert, command: str) -> Iterator[str]:
    opt_outs: Counter[tuple[Channel, OptOutSource]] = Counter()
    bounces: Counter[tuple[Channel, BounceClass]] = Counter()
    for name, count in alert.counts.items():
        kind, _, rest = name.partition(" ")
        channel, _, what = rest.partition(" ")
        if kind == OPT_OUT:
            opt_outs[Channel(channel), OptOutSource(what)] = count
        elif kind == BOUNCE:
            bounces[Channel(channel), BounceClass(what)] = count
    yield _headline(alert)
    yield f"*Opt-outs:* {opt_outs_said(opt_outs)}"
    if bounces:
        yield f"*Bounces:* {bounces_said(bounces)}"
    if drift := sum(opt_outs[channel, OptOutSource.PROVIDER] for channel in Channel):
        were = "One of them" if drift == 1 else f"{drift:,} of them"
        yield (
            f"*Drift:* {were} came to light when a provider refused a message that Optin allowed."
        )
    if waiting := alert.counts.get(WAITING, 0):
        many = f"{waiting:,}{'+' if waiting >= MOST_WAITING else ''}"
        wait = "request waits" if waiting == 1 else "requests wait"
        yield f"*Re-opt-ins:* {many} {wait} for a manager. `{inert(command)} pending` lists them."


def _headline(alert: Alert) -> str:
    every = DigestEvery.WEEK if alert.about == DigestEvery.WEEK else DigestEvery.DAY
    until = date(alert.last_at)
    if abs(alert.last_at - alert.first_at - _LENGTHS[every]) > _CLOCK_CHANGE:
        return f"*In Optin since {date(alert.first_at)}*, until {until}"
    return f"*The last {'week' if every is DigestEvery.WEEK else 'day'} in Optin*, until {until}"


def trial(alert: Alert) -> list[str]:
    return [
        f"*This is a test alert.* {person(alert.about or '')} sent it, {date(alert.first_at)}. "
        "Alerts about opt-outs and bounces come here. No contact is concerned."
    ]


def first_run(alert: Alert, command: str) -> list[str]:
    """The three steps, each with what to do or that it is done."""
    steps = steps_of(alert)
    if steps.done:
        head = "✓ *Optin is set up.*"
    else:
        head = "*Optin is running.* These steps are left to set it up; they tick themselves."
    if steps.posted:
        channel = f"☑ *Alert channel:* Optin posts to <#{inert(steps.channel or '')}>."
    elif steps.channel:
        channel = (
            f"☐ *Alert channel:* it is <#{inert(steps.channel)}>. Invite Optin there, then press "
            "*Send a test alert*."
        )
    else:
        channel = (
            "☐ *Alert channel:* set `OPTIN_ALERT_CHANNEL` to a channel's id where Optin runs, and "
            "invite Optin to that channel."
        )
    managers = (
        "☑ *Managers:* `OPTIN_MANAGERS` names them, and you are one."
        if steps.managers
        else "☐ *Managers:* name them in `OPTIN_MANAGERS` where Optin runs."
    )
    data = (
        "☑ *Contacts:* the first ones are there."
        if steps.data
        else f"☐ *Contacts:* import a file with `{inert(command)} import`, or connect a messaging "
        "provider and let it send something."
    )
    return [head, channel, managers, data]
