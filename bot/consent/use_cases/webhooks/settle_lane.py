"""Claim a lane for a worker, and settle what it did. Each is one transaction.

The claim is stored before the first call, and the result after the last. A kill between the two
loses nothing: once the lease has ended, another worker delivers the same events again, with the
same ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.consent.frozen import replace
from bot.consent.store import Expected, Records
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.webhooks.lane_turn import AttemptMade, LaneTurn
from bot.consent.use_cases.webhooks.retry_schedule import (
    LEASE,
    AttemptOutcome,
    blocked_until,
    wait_after,
)
from bot.consent.use_cases.webhooks.webhook_alerts import (
    announce_failing,
    announce_given_up,
    announce_paused,
    announce_recovered,
)
from bot.consent.use_cases.webhooks.webhook_records import (
    WEBHOOKS,
    all_webhooks,
    get_health,
    get_lane,
    health_name,
    lane_name,
    put_health,
    put_lane,
    put_webhook,
    webhooks_of,
)
from bot.consent.webhooks import (
    LANES,
    EndpointHealth,
    Lane,
    Lease,
    Webhook,
    WebhookState,
)

#: Failures in a row after which the alert channel is told.
ANNOUNCED_AT = 3
#: How long an endpoint may fail before Optin pauses it.
PAUSED_AFTER = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A lane that this worker delivers until the lease ends."""

    webhook: Webhook
    number: int
    lane: Lane
    health: EndpointHealth
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneState:
    """One lane of an active webhook, as it is stored."""

    webhook: Webhook
    number: int
    lane: Lane
    health: EndpointHealth


def look_at_webhooks(service: Service) -> tuple[int, str | None]:
    """Where the log ends, and the text of all webhooks: what an idle worker reads."""
    with service.store.reading() as records:
        return records.log.head()[0], records.key_value.get(WEBHOOKS)


def look_at_lanes(service: Service, text: str | None) -> list[LaneState]:
    """The lanes of those webhooks in the text that are active."""
    active = [w for w in webhooks_of(text).values() if w.state is WebhookState.ACTIVE]
    if not active:
        return []
    with service.store.reading() as records:
        names = [lane_name(w.id, number) for w in active for number in range(LANES)]
        records.expect(Expected(key_value=[*names, *(health_name(w.id) for w in active)]))
        found = []
        for webhook in active:
            health = get_health(records.key_value, webhook.id)
            for number in range(LANES):
                lane = get_lane(records.key_value, webhook.id, number)
                found.append(LaneState(webhook=webhook, number=number, lane=lane, health=health))
        return found


def claim_lane(service: Service, webhook: str, number: int, token: str) -> Claim | None:
    """The lane for this worker; None if another has it, or if nothing may be delivered now."""
    now = service.now()
    with service.store.transaction() as records:
        _expect(records, webhook, number)
        known = all_webhooks(records.key_value).get(webhook)
        if known is None or known.state is not WebhookState.ACTIVE:
            return None
        lane = _restarted(get_lane(records.key_value, webhook, number))
        health = get_health(records.key_value, webhook)
        if blocked_until(lane, health, now) is not None:
            return None
        lane = replace(lane, lease=Lease(token=token, until=now + LEASE))
        put_lane(records.key_value, webhook, number, lane)
    return Claim(webhook=known, number=number, lane=lane, health=health, token=token)


def settle_lane(service: Service, claim: Claim, turn: LaneTurn) -> bool:
    """Stores what the turn did, and gives the lane back. False if the lane was lost meanwhile: then
    another worker delivers the same events again."""
    id, number = claim.webhook.id, claim.number
    with service.store.transaction() as records:
        _expect(records, id, number)
        webhook = all_webhooks(records.key_value).get(id)
        stored = get_lane(records.key_value, id, number)
        if webhook is None or stored.lease is None or stored.lease.token != claim.token:
            return False
        lane = replace(turn.lane, lease=None, restart_at=stored.restart_at)
        put_lane(records.key_value, id, number, _restarted(lane))
        if given_up := _given_up(lane) - _given_up(stored):
            announce_given_up(service, records, webhook, turn.attempts[-1].at, min(given_up))
        if turn.attempts:
            _count(service, records, webhook, turn.attempts)
    return True


def counted(health: EndpointHealth, attempts: Sequence[AttemptMade]) -> EndpointHealth:
    """The endpoint's health after these attempts."""
    for attempt in attempts:
        if attempt.result.delivered:
            health = EndpointHealth(
                last_success_at=attempt.at,
                recovered_at=attempt.at if health.failures >= ANNOUNCED_AT else health.recovered_at,
            )
        else:
            health = _failed(health, attempt)
    return health


def _failed(health: EndpointHealth, attempt: AttemptMade) -> EndpointHealth:
    at, result = attempt.at, attempt.result
    is_new = health.round_until is None or at >= health.round_until
    failures = health.failures + 1 if is_new else max(health.failures, 1)
    wait = wait_after(failures, result, attempt.chance)
    is_throttled = result.outcome is AttemptOutcome.THROTTLED
    return replace(
        health,
        failures=failures,
        since=health.since or at,
        round_until=at + wait if is_new else health.round_until,
        throttled_until=at + wait if is_throttled else health.throttled_until,
        problem=result.problem,
    )


def _count(
    service: Service, records: Records, webhook: Webhook, attempts: Sequence[AttemptMade]
) -> None:
    before = get_health(records.key_value, webhook.id)
    health = counted(before, attempts)
    put_health(records.key_value, webhook.id, health)
    if before.failures >= ANNOUNCED_AT > health.failures and before.since:
        announce_recovered(records, webhook, before.since, health.last_success_at)
    if webhook.state is not WebhookState.ACTIVE or health.since is None:
        return
    newest = attempts[-1]
    is_gone = newest.result.outcome is AttemptOutcome.GONE
    if is_gone or newest.at - health.since >= PAUSED_AFTER:
        _pause(service, records, webhook, health, newest.at)
    elif health.failures >= ANNOUNCED_AT:
        announce_failing(service, records, webhook, health, health.since + PAUSED_AFTER)


def _pause(
    service: Service, records: Records, webhook: Webhook, health: EndpointHealth, at: datetime
) -> None:
    paused = replace(
        webhook,
        state=WebhookState.PAUSED,
        problem=health.problem,
        revision=webhook.revision + 1,
    )
    put_webhook(records.key_value, paused)
    announce_paused(service, records, paused, health, at)


def _given_up(lane: Lane) -> set[int]:
    return {event.seq for event in lane.parked if event.next_at is None}


def _restarted(lane: Lane) -> Lane:
    """From where a person wants it, if somebody does. What waits from before that place stays."""
    if lane.restart_at is None:
        return lane
    after = lane.restart_at
    waits = [*lane.parked, *([lane.failing] if lane.failing else [])]
    return replace(
        lane,
        cursor=after,
        failing=None,
        parked=tuple(event for event in waits if event.seq <= after),
        restart_at=None,
    )


def _expect(records: Records, webhook: str, number: int) -> None:
    names = [WEBHOOKS, lane_name(webhook, number), health_name(webhook)]
    records.expect(Expected(key_value=names))
