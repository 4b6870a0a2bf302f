"""What `optin doctor` says of the clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from bot.cli.finding import Finding
from bot.cli.terminal import when
from bot.consent.store import Store
from bot.consent.use_cases.alerts.clock_alerts import known_clock_fault
from bot.runtime import clock
from bot.runtime.clock_check import FAR_OFF, slack_difference

_CURE = "Compare the clock of this machine with others, set it, and start Optin again."


def clock_findings(store: Store) -> Iterator[Finding]:
    """By what the running bot found, and by the newest entry of the log. Raises `StorageFailed`."""
    with store.reading() as records:
        clause = known_clock_fault(records.key_value)
        newest = records.log.entries(limit=1)
    if clause is not None:
        yield Finding(what=f"The running bot's clock may be wrong: {clause}.", cure=_CURE)
    elif newest and newest[0].recorded_at - clock.now() > FAR_OFF:
        yield Finding(
            what=f"The newest entry of the log is from {when(newest[0].recorded_at)}, which is "
            "still to come.",
            cure=_CURE,
        )


def slacks_clock(headers: Mapping[str, str]) -> Finding:
    """By the time of an answer of Slack's."""
    ahead = slack_difference(headers)
    if ahead is None:
        return Finding(what="Slack's answer does not say its time.", off=True)
    if abs(ahead) <= FAR_OFF:
        return Finding(what="The clock agrees with Slack's.")
    way = "behind" if ahead > timedelta() else "ahead of"
    minutes = round(abs(ahead) / timedelta(minutes=1))
    return Finding(what=f"The clock is {minutes:,} minutes {way} Slack's.", cure=_CURE)
