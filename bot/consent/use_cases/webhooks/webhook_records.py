"""Webhooks and their lanes as JSON texts among the key values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from bot.consent.records import KeyValue
from bot.consent.webhooks import (
    HEALTHY,
    LANES,
    EndpointHealth,
    FailedEvent,
    Lane,
    Lease,
    Webhook,
    WebhookSecret,
    WebhookState,
)

#: All webhooks are one text, so that a worker sees with one small read whether any changed.
WEBHOOKS = "webhooks"
_LANE, _HEALTH = "webhook_lane:", "webhook_health:"


def lane_name(webhook: str, lane: int) -> str:
    return f"{_LANE}{webhook}:{lane}"


def health_name(webhook: str) -> str:
    return f"{_HEALTH}{webhook}"


def names_of(webhook: str) -> list[str]:
    """The names of all texts of one webhook, besides the one that all share."""
    return [health_name(webhook), *(lane_name(webhook, lane) for lane in range(LANES))]


def all_webhooks(key_value: KeyValue) -> dict[str, Webhook]:
    """By id, the oldest first."""
    return webhooks_of(key_value.get(WEBHOOKS))


def webhooks_of(text: str | None) -> dict[str, Webhook]:
    """The same, out of the text."""
    return {kept["id"]: _webhook(kept) for kept in json.loads(text or "[]")}


def put_webhooks(key_value: KeyValue, webhooks: Mapping[str, Webhook]) -> None:
    kept = [asdict(webhook) for webhook in webhooks.values()]
    key_value.put(WEBHOOKS, _dumped(kept) if kept else None)


def put_webhook(key_value: KeyValue, webhook: Webhook) -> None:
    put_webhooks(key_value, {**all_webhooks(key_value), webhook.id: webhook})


def get_lane(key_value: KeyValue, webhook: str, lane: int) -> Lane:
    return lane_of_text(key_value.get(lane_name(webhook, lane)))


def lane_of_text(text: str | None) -> Lane:
    kept: dict[str, Any] = json.loads(text or '{"cursor": 0}')
    lease, failing = kept.get("lease"), kept.get("failing")
    return Lane(
        cursor=kept["cursor"],
        failing=_failed(failing) if failing else None,
        parked=tuple(_failed(event) for event in kept.get("parked", ())),
        lease=Lease(token=lease["token"], until=_time(lease["until"])) if lease else None,
        restart_at=kept.get("restart_at"),
    )


def put_lane(key_value: KeyValue, webhook: str, number: int, lane: Lane) -> None:
    kept = {name: value for name, value in asdict(lane).items() if value not in (None, ())}
    key_value.put(lane_name(webhook, number), _dumped(kept))


def get_health(key_value: KeyValue, webhook: str) -> EndpointHealth:
    kept: dict[str, Any] = json.loads(key_value.get(health_name(webhook)) or "{}")
    times = {name: _time(kept[name]) for name in _HEALTH_TIMES if kept.get(name)}
    return EndpointHealth(
        failures=kept.get("failures", 0), problem=kept.get("problem", ""), **times
    )


def put_health(key_value: KeyValue, webhook: str, health: EndpointHealth) -> None:
    key_value.put(health_name(webhook), None if health == HEALTHY else _dumped(asdict(health)))


_HEALTH_TIMES = ("since", "round_until", "throttled_until", "last_success_at", "recovered_at")


def _webhook(kept: dict[str, Any]) -> Webhook:
    secrets = tuple(
        WebhookSecret(text=one["text"], ends_at=_time(one["ends_at"]) if one["ends_at"] else None)
        for one in kept["secrets"]
    )
    return Webhook(
        **{
            **kept,
            "events": tuple(kept["events"]),
            "secrets": secrets,
            "state": WebhookState(kept["state"]),
            "created_at": _time(kept["created_at"]),
        }
    )


def _failed(kept: dict[str, Any]) -> FailedEvent:
    return FailedEvent(
        seq=kept["seq"],
        attempts=kept["attempts"],
        first_at=_time(kept["first_at"]),
        last_at=_time(kept["last_at"]),
        next_at=_time(kept["next_at"]) if kept["next_at"] else None,
    )


def _dumped(kept: object) -> str:
    return json.dumps(kept, separators=(",", ":"), default=datetime.isoformat)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
