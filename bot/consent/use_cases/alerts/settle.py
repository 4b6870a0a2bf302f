"""Settle an attempt to deliver an alert: what Slack answered, and what becomes of the alert."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.consent.alerts import STORM_PACE, Alert, AlertKind, Delivery, DeliveryState
from bot.consent.frozen import replace
from bot.consent.use_cases.alerts.outbox import LOOK_AFTER
from bot.consent.use_cases.context import Service

_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(hours=1)
#: Attempts that Slack refuses for a reason that we do not know, before the alert is given up.
_MOST_ATTEMPTS = 12
#: Cards that are updated at most every 15 seconds.
_PACED = frozenset({AlertKind.STORM, AlertKind.BOUNCE})


class Result(StrEnum):
    """The result of a call to Slack."""

    SENT = "sent"
    #: Slack refused it for now. It said when to retry, or each pause is longer.
    LATER = "later"
    #: Slack refused it for a reason that we do not know: it is retried a dozen times.
    REFUSED = "refused"
    #: Slack refused the blocks: plain text is tried.
    PLAINER = "plainer"
    UNKNOWN = "unknown"
    #: Optin looked for the message and found it; which version it shows is unknown.
    FOUND = "found"
    #: Optin looked for the message, and it is not there.
    MISSING = "missing"
    #: Optin could not look for too long: the message is posted again, and says so.
    REPEAT = "repeat"
    #: There is nothing to say any more.
    GONE = "gone"
    #: Somebody deleted the message: the next version is a new message.
    ANEW = "anew"
    #: It can never be posted.
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """The result of one attempt."""

    result: Result
    ts: str | None = None
    #: Slack's id of the conversation, where the message went to a person.
    posted_in: str | None = None
    #: Until the next attempt. None: each pause is longer.
    wait: timedelta | None = None
    problem: str | None = None


def settle(service: Service, drawn: Alert, posting: Posting) -> Alert | None:
    """Stores the result of an attempt, and returns the alert as it is then.

    `drawn` is the alert as it was drawn: changes that came later still have to be shown. None where
    the alert was removed, or somebody else has claimed it meanwhile.
    """
    now = service.now()
    with service.store.transaction() as records:
        alert = records.outbox.get(drawn.id)
        if alert is None:
            return None
        if alert.delivery.attempts != drawn.delivery.attempts and posting.ts is None:
            return None
        delivery = _SETTLED[posting.result](alert, drawn.delivery, posting, now)
        settled = replace(alert, delivery=delivery)
        records.outbox.put(settled)
        return settled


def _sent(alert: Alert, drawn: Delivery, posting: Posting, now: datetime) -> Delivery:
    delivery = alert.delivery
    return replace(
        delivery,
        state=DeliveryState.SENT,
        posted_version=max(delivery.posted_version, drawn.desired_version),
        ts=delivery.ts or posting.ts,
        posted_in=delivery.posted_in or posting.posted_in,
        posted_at=now,
        not_before=now + STORM_PACE if alert.kind in _PACED else None,
        attempts=0,
        problem=None,
    )


def _found(alert: Alert, drawn: Delivery, posting: Posting, now: datetime) -> Delivery:
    # Updated once more, unless there was only ever one version.
    certain = 1 if drawn.desired_version == 1 else 0
    return _sent(alert, replace(drawn, desired_version=certain), posting, now)


def _gone(alert: Alert, drawn: Delivery, posting: Posting, now: datetime) -> Delivery:
    return replace(
        alert.delivery,
        state=DeliveryState.SENT,
        posted_version=alert.delivery.desired_version,
        not_before=None,
        attempts=0,
        problem=posting.problem,
    )


def _anew(alert: Alert, drawn: Delivery, posting: Posting, now: datetime) -> Delivery:
    if alert.subject.address is not None and not alert.subject.masked:
        return _gone(alert, drawn, posting, now)  # the contact was erased
    return replace(
        alert.delivery,
        state=DeliveryState.WAITING,
        ts=None,
        posted_in=None,
        not_before=None,
        attempts=0,
        problem=posting.problem,
    )


def _later(alert: Alert, drawn: Delivery, posting: Posting, now: datetime) -> Delivery:
    # An unknown result stays unknown: the message can't be posted before Optin has looked for it.
    unknown = drawn.state is DeliveryState.UNKNOWN
    wait = posting.wait if posting.wait is not None else _pause(alert.delivery)
    return replace(
        alert.delivery,
        state=DeliveryState.UNKNOWN if unknown else DeliveryState.WAITING,
        not_before=now + wait,
        problem=posting.problem,
    )


def _refused(alert: Alert, drawn: Delivery, posting: Posting, now: datetime) -> Delivery:
    if alert.delivery.attempts < _MOST_ATTEMPTS or drawn.state is DeliveryState.UNKNOWN:
        return _later(alert, drawn, posting, now)
    return _dead(alert, drawn, posting, now)


def _plainer(alert: Alert, drawn: Delivery, posting: Posting, now: datetime) -> Delivery:
    if alert.delivery.plainness:  # the text alone was refused, too
        return _dead(alert, drawn, posting, now)
    missing = _missing(alert, drawn, posting, now)
    return replace(missing, plainness=1, problem=posting.problem)


def _unknown(alert: Alert, drawn: Delivery, posting: Posting, now: datetime) -> Delivery:
    if alert.delivery.ts is not None:  # to update it twice does no harm
        return _later(alert, replace(drawn, state=DeliveryState.WAITING), posting, now)
    return replace(
        alert.delivery,
        state=DeliveryState.UNKNOWN,
        not_before=now + max(LOOK_AFTER, _pause(alert.delivery)),
        problem=posting.problem,
    )


def _dead(alert: Alert, drawn: Delivery, posting: Posting, now: datetime) -> Delivery:
    return replace(
        alert.delivery, state=DeliveryState.DEAD, not_before=None, problem=posting.problem
    )


def _missing(alert: Alert, drawn: Delivery, posting: Posting, now: datetime) -> Delivery:
    return replace(alert.delivery, state=DeliveryState.WAITING, not_before=None)


def _repeat(alert: Alert, drawn: Delivery, posting: Posting, now: datetime) -> Delivery:
    return replace(_missing(alert, drawn, posting, now), repeated=True)


def _pause(delivery: Delivery) -> timedelta:
    doubled: int = 2 ** min(max(delivery.attempts - 1, 0), 20)
    return min(_FIRST_PAUSE * doubled, _LONGEST_PAUSE)


_SETTLED: dict[Result, Callable[[Alert, Delivery, Posting, datetime], Delivery]] = {
    Result.SENT: _sent,
    Result.FOUND: _found,
    Result.LATER: _later,
    Result.REFUSED: _refused,
    Result.PLAINER: _plainer,
    Result.UNKNOWN: _unknown,
    Result.MISSING: _missing,
    Result.REPEAT: _repeat,
    Result.GONE: _gone,
    Result.ANEW: _anew,
    Result.DEAD: _dead,
}
