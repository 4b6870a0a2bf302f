"""The outbox: what is due is claimed, posted by somebody else, and settled.

The claim is on the disk before the call to Slack is made; the outcome is stored
after it. A kill between the two leaves the outcome unknown. Once the claim expires, Optin looks for
the message in Slack before it posts again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from bot.consent.alerts import STORM_PACE, Alert, AlertKind, Delivery
from bot.consent.records import Backlog, KeyValue
from bot.consent.store import Records
from bot.consent.use_cases.alerts.storms import storm_kind
from bot.consent.use_cases.context import Service

#: A post in flight shows in the channel's history by then: Slack's ten seconds, and thirty more.
LOOK_AFTER = timedelta(seconds=40)
#: How long an alert that Slack has is kept, to be edited and counted.
KEEP = timedelta(days=35)
_AT_ONCE = 200
_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(hours=1)
#: Attempts that Slack refused for a reason that we do not know, until it is given up.
_MOST_ATTEMPTS = 12


class Result(StrEnum):
    """What became of a call to Slack."""

    SENT = "sent"
    #: Slack said no, and when to come back, or we wait longer each time.
    LATER = "later"
    #: Slack said no for a reason that we do not know: tried a dozen times.
    REFUSED = "refused"
    #: The drawing was refused: a plainer one is tried.
    PLAINER = "plainer"
    UNKNOWN = "unknown"
    #: It was looked for, and is there; how it looks nobody knows.
    FOUND = "found"
    #: It was looked for, and is not there.
    MISSING = "missing"
    #: It could not be looked for, for too long: posted again, and says so.
    REPEAT = "repeat"
    #: It is not to be told any more.
    GONE = "gone"
    #: Somebody deleted the message: what is new goes as a new one.
    ANEW = "anew"
    #: It can never be posted.
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """What became of one attempt."""

    result: Result
    ts: str | None = None
    #: Slack's id of the conversation, where it went to a person.
    posted_in: str | None = None
    #: Until the next attempt; none: longer each time.
    wait: timedelta | None = None
    problem: str | None = None


class PostingLimits(Protocol):
    """Which calls may be made now, as far as this replica knows, and the others have left word."""

    def may(self, key_value: KeyValue, alert: Alert) -> bool:
        """Whether the call for this alert may be made now. Asks for marks alone."""
        ...

    def take(self, key_value: KeyValue, alert: Alert) -> None:
        """It is about to be made: leaves word for the others, in marks."""
        ...


def claim(service: Service, way: PostingLimits, *, except_in: Collection[str] = ()) -> Alert | None:
    """The next alert that is due, not in these Slack channels, and whose call may be made now;
    marked as being sent. One whose outcome is unknown comes as UNKNOWN: to be looked for, not to be
    posted.

    One at a time, since the word that is left to other replicas says that the call is made now.
    """
    now = service.now()
    with service.store.reading() as records:
        if _next(records, now, way, except_in) is None:
            return None
    with service.store.transaction() as records:
        alert = _next(records, now, way, except_in)
        if alert is None:
            return None
        unknown = alert.delivery is Delivery.UNKNOWN
        claimed = replace(
            alert,
            delivery=Delivery.UNKNOWN if unknown else Delivery.SENDING,
            attempts=alert.attempts + 1,
            # A look-up asks for what was posted since the attempt.
            started_at=alert.started_at if unknown else now,
            not_before=now + LOOK_AFTER,
        )
        records.outbox.put(claimed)
        way.take(records.key_value, claimed)
        return claimed


def _next(
    records: Records, now: datetime, way: PostingLimits, except_in: Collection[str]
) -> Alert | None:
    passed = set(except_in)
    while due := records.outbox.due(now, limit=_AT_ONCE, except_in=passed):
        for alert in map(_given_up_on, _in_order(due)):
            if way.may(records.key_value, alert):
                return alert
        passed.update(alert.slack_channel for alert in due)
    return None


def _in_order(due: Sequence[Alert]) -> Iterator[Alert]:
    """A storm's card counts the single alerts before it, so these go before it."""
    for alert in due:
        if alert.kind is AlertKind.STORM and alert.ts is None:
            yield from (single for single in due if _is_single_of(single, alert))
        yield alert


def _is_single_of(alert: Alert, storm: Alert) -> bool:
    return (
        alert.ts is None
        and alert.thread is None
        and (alert.slack_channel, alert.channel) == (storm.slack_channel, storm.channel)
        and storm_kind(alert) == storm.about
    )


def _given_up_on(alert: Alert) -> Alert:
    """Who claimed it did not settle in time, or died. An edit is simply made once more."""
    if alert.delivery is not Delivery.SENDING:
        return alert
    return replace(alert, delivery=Delivery.UNKNOWN if alert.ts is None else Delivery.WAITING)


def settle(service: Service, drawn: Alert, posting: Posting) -> Alert | None:
    """Stores what became of the attempt. `drawn` is the alert as it was drawn: what was told of it
    since is still to be shown. The alert as it is then; None where it is there no more, or
    somebody else has claimed it meanwhile."""
    now = service.now()
    with service.store.transaction() as records:
        alert = records.outbox.get(drawn.id)
        if alert is None:
            return None
        if alert.attempts != drawn.attempts and posting.ts is None:
            return None
        settled = _SETTLED[posting.result](alert, drawn, posting, now)
        records.outbox.put(settled)
        return settled


def _sent(alert: Alert, drawn: Alert, posting: Posting, now: datetime) -> Alert:
    return replace(
        alert,
        delivery=Delivery.SENT,
        shown=max(alert.shown, drawn.wanted),
        ts=alert.ts or posting.ts,
        posted_in=alert.posted_in or posting.posted_in,
        shown_at=now,
        not_before=now + STORM_PACE if alert.kind in _PACED else None,
        attempts=0,
        problem=None,
    )


def _found(alert: Alert, drawn: Alert, posting: Posting, now: datetime) -> Alert:
    # Drawn once more, unless there was never but one way to draw it.
    before = replace(drawn, wanted=1 if drawn.wanted == 1 else 0)
    return _sent(alert, before, posting, now)


def _gone(alert: Alert, drawn: Alert, posting: Posting, now: datetime) -> Alert:
    return replace(
        alert,
        delivery=Delivery.SENT,
        shown=alert.wanted,
        not_before=None,
        attempts=0,
        problem=posting.problem,
    )


def _anew(alert: Alert, drawn: Alert, posting: Posting, now: datetime) -> Alert:
    if alert.address is not None and not alert.masked:  # erased: nothing is left to be told
        return _gone(alert, drawn, posting, now)
    return replace(
        alert,
        delivery=Delivery.WAITING,
        ts=None,
        posted_in=None,
        not_before=None,
        attempts=0,
        problem=posting.problem,
    )


def _later(alert: Alert, drawn: Alert, posting: Posting, now: datetime) -> Alert:
    # What is not known stays so: it can't be posted until it was looked for.
    kept = Delivery.UNKNOWN if drawn.delivery is Delivery.UNKNOWN else Delivery.WAITING
    not_before = now + (posting.wait if posting.wait is not None else _pause(alert))
    return replace(alert, delivery=kept, not_before=not_before, problem=posting.problem)


def _refused(alert: Alert, drawn: Alert, posting: Posting, now: datetime) -> Alert:
    if alert.attempts < _MOST_ATTEMPTS or drawn.delivery is Delivery.UNKNOWN:
        return _later(alert, drawn, posting, now)
    return _dead(alert, drawn, posting, now)


def _plainer(alert: Alert, drawn: Alert, posting: Posting, now: datetime) -> Alert:
    if alert.plainness:  # the sentence alone was refused, too
        return _dead(alert, drawn, posting, now)
    return replace(_missing(alert, drawn, posting, now), plainness=1, problem=posting.problem)


def _unknown(alert: Alert, drawn: Alert, posting: Posting, now: datetime) -> Alert:
    if alert.ts is not None:  # to edit it once more harms nobody
        return _later(alert, replace(drawn, delivery=Delivery.WAITING), posting, now)
    return replace(
        alert,
        delivery=Delivery.UNKNOWN,
        not_before=now + max(LOOK_AFTER, _pause(alert)),
        problem=posting.problem,
    )


def _dead(alert: Alert, drawn: Alert, posting: Posting, now: datetime) -> Alert:
    return replace(alert, delivery=Delivery.DEAD, not_before=None, problem=posting.problem)


def _missing(alert: Alert, drawn: Alert, posting: Posting, now: datetime) -> Alert:
    return replace(alert, delivery=Delivery.WAITING, not_before=None)


def _repeat(alert: Alert, drawn: Alert, posting: Posting, now: datetime) -> Alert:
    return replace(_missing(alert, drawn, posting, now), repeated=True)


def _pause(alert: Alert) -> timedelta:
    doubled: int = 2 ** min(max(alert.attempts - 1, 0), 20)
    return min(_FIRST_PAUSE * doubled, _LONGEST_PAUSE)


#: Cards that are drawn anew at most every 15 seconds.
_PACED = frozenset({AlertKind.STORM, AlertKind.BOUNCE})

_SETTLED: dict[Result, Callable[[Alert, Alert, Posting, datetime], Alert]] = {
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


def post_again(service: Service, id: str) -> None:
    """The message is not in Slack any more, and something has to go below it: it is posted once
    more first."""
    with service.store.transaction() as records:
        card = records.outbox.get(id)
        if card is not None and card.ts is not None:
            records.outbox.put(
                replace(
                    card,
                    delivery=Delivery.WAITING,
                    wanted=card.wanted + 1,
                    ts=None,
                    posted_in=None,
                    not_before=None,
                    attempts=0,
                )
            )


def outbox(service: Service, *, except_in: Collection[str] = ()) -> Backlog:
    """How much waits, and was given up; since when, but in these Slack channels."""
    with service.store.reading() as records:
        return records.outbox.backlog(service.now(), except_in=except_in)


def find_alert(service: Service, id: str) -> Alert | None:
    """None where it is not kept any more."""
    with service.store.reading() as records:
        return records.outbox.get(id)


def sweep(service: Service) -> int:
    """Takes out alerts that are older than anybody will edit; how many."""
    oldest = service.now() - KEEP
    with service.store.reading() as records:
        old = [a.id for a in records.outbox.all() if a.last_at < oldest and not _is_open(a)]
    if old:
        with service.store.transaction() as records:
            for id in old:
                records.outbox.remove(id)
    return len(old)


def _is_open(alert: Alert) -> bool:
    return alert.due or (alert.kind is AlertKind.REVIEW and alert.answer is None)
