"""The outbox: a worker claims an alert that is due, posts it, and settles it (`settle.py`).

The claim is on the disk before the call to Slack is made, and the result is stored after it. A kill
between the two leaves the result unknown. Once the claim expires, Optin looks for the message in
Slack before it posts again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.consent.alerts import Alert, AlertKind, DeliveryState, revise
from bot.consent.frozen import replace
from bot.consent.records import Backlog, KeyValue
from bot.consent.store import Records
from bot.consent.use_cases.alerts.storms import remove_digits, storm_kind
from bot.consent.use_cases.context import Service

#: A post in flight is in the channel's history after this: Slack's ten seconds, and thirty more.
LOOK_AFTER = timedelta(seconds=40)
#: How long a posted alert is stored, to be updated and counted.
KEEP = timedelta(days=35)
_AT_ONCE = 200


class PostingLimits(Protocol):
    """Which calls to Slack may be made now, as far as this replica and the stored marks know."""

    def may(self, key_value: KeyValue, alert: Alert) -> bool:
        """Whether the call for this alert may be made now. Reads marks, nothing else."""
        ...

    def take(self, key_value: KeyValue, alert: Alert) -> None:
        """The call is about to be made: stores marks that tell the other replicas."""
        ...


def claim(service: Service, way: PostingLimits, *, except_in: Collection[str] = ()) -> Alert | None:
    """Claims the next alert that is due, outside these Slack channels, and whose call may be made
    now. One whose result is unknown stays UNKNOWN: look for its message before you post it.

    One at a time, because the marks tell other replicas that the call is made now.
    """
    now = service.now()
    with service.store.reading() as records:
        if _next(records, now, way, except_in) is None:
            return None
    with service.store.transaction() as records:
        alert = _next(records, now, way, except_in)
        if alert is None:
            return None
        delivery = alert.delivery
        unknown = delivery.state is DeliveryState.UNKNOWN
        claim = replace(
            delivery,
            state=DeliveryState.UNKNOWN if unknown else DeliveryState.SENDING,
            attempts=delivery.attempts + 1,
            # Optin looks for what was posted since that attempt.
            started_at=delivery.started_at if unknown else now,
            not_before=now + LOOK_AFTER,
        )
        claimed = replace(alert, delivery=claim)
        records.outbox.put(claimed)
        way.take(records.key_value, claimed)
        return claimed


def _next(
    records: Records, now: datetime, way: PostingLimits, except_in: Collection[str]
) -> Alert | None:
    passed = set(except_in)
    while due := records.outbox.due(now, limit=_AT_ONCE, except_in=passed):
        for alert in map(_expired, _in_order(due)):
            if way.may(records.key_value, alert):
                return alert
        passed.update(alert.slack_channel for alert in due)
    return None


def _in_order(due: Sequence[Alert]) -> Iterator[Alert]:
    """A storm's card counts the single alerts before it, so these go before it."""
    for alert in due:
        if alert.kind is AlertKind.STORM and alert.delivery.ts is None:
            yield from (single for single in due if _is_single_of(single, alert))
        yield alert


def _is_single_of(alert: Alert, storm: Alert) -> bool:
    return (
        alert.delivery.ts is None
        and alert.thread is None
        and alert.slack_channel == storm.slack_channel
        and alert.subject.channel is storm.subject.channel
        and storm_kind(alert) == storm.about
    )


def _expired(alert: Alert) -> Alert:
    """An alert whose claim expired: the worker did not settle it in time, or died. An update can
    simply be made once more."""
    delivery = alert.delivery
    if delivery.state is not DeliveryState.SENDING:
        return alert
    state = DeliveryState.UNKNOWN if delivery.ts is None else DeliveryState.WAITING
    return replace(alert, delivery=replace(delivery, state=state))


def find_alert(service: Service, id: str) -> Alert | None:
    """None where it is not kept any more."""
    with service.store.reading() as records:
        return records.outbox.get(id)


def post_again(service: Service, id: str) -> None:
    """Has a message posted once more that Slack has lost, so that a line can go into its thread."""
    with service.store.transaction() as records:
        card = records.outbox.get(id)
        if card is not None and card.delivery.ts is not None:
            revised = revise(card)
            delivery = replace(
                revised.delivery,
                state=DeliveryState.WAITING,
                ts=None,
                posted_in=None,
                not_before=None,
                attempts=0,
            )
            records.outbox.put(replace(revised, delivery=delivery))


def outbox(service: Service, *, except_in: Collection[str] = ()) -> Backlog:
    """How much waits and was given up, and since when the oldest waits outside these channels."""
    with service.store.reading() as records:
        return records.outbox.backlog(service.now(), except_in=except_in)


def sweep(service: Service) -> int:
    """Removes alerts that are too old to be updated; returns how many."""
    oldest = service.now() - KEEP
    with service.store.reading() as records:
        old = [a for a in records.outbox.all() if a.last_at < oldest and not _is_open(a)]
    if old:
        with service.store.transaction() as records:
            for alert in old:
                if alert.kind is AlertKind.STORM:
                    remove_digits(records, alert)
                records.outbox.remove(alert.id)
    return len(old)


def _is_open(alert: Alert) -> bool:
    unanswered = alert.kind is AlertKind.REVIEW and alert.follow_up.answer is None
    return alert.delivery.due or unanswered
