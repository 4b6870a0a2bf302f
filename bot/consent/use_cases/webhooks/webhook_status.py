"""How each webhook stands: for the list, for `optin doctor`, and for the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.consent.errors import NotFound, Refused
from bot.consent.store import Expected, Records
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.webhooks.webhook_records import (
    all_webhooks,
    get_health,
    get_lane,
    names_of,
)
from bot.consent.webhooks import LANES, EndpointHealth, Webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookStatus:
    """A webhook, and how its deliveries go."""

    webhook: Webhook
    health: EndpointHealth
    #: Single events that fail and will be tried again, and those that were given up.
    retrying: int
    given_up: int
    #: The place of the first that was given up.
    first_given_up: int | None
    #: Since when the oldest of them fails.
    oldest: datetime | None


def webhooks(service: Service) -> tuple[Webhook, ...]:
    """The oldest first."""
    with service.store.reading() as records:
        return tuple(all_webhooks(records.key_value).values())


def find_webhook(service: Service, text: str) -> Webhook:
    """The webhook with this id, or whose id alone begins so. Raises `NotFound`, and `Refused` where
    several do."""
    known = webhooks(service)
    fit = [webhook for webhook in known if text and webhook.id.startswith(text.lower())]
    if len(fit) > 1:
        raise Refused("Several webhooks have an id that begins so. Write more of it.")
    if not fit:
        raise NotFound("There is no such webhook. `optin webhook list` names them.")
    return fit[0]


def webhook_status(service: Service) -> tuple[WebhookStatus, ...]:
    """All of them, the oldest first."""
    with service.store.reading() as records:
        return webhook_status_in(records)


def webhook_status_in(records: Records) -> tuple[WebhookStatus, ...]:
    """The same, inside a transaction."""
    known = all_webhooks(records.key_value)
    records.expect(Expected(key_value=[name for id in known for name in names_of(id)]))
    return tuple(_status(records, webhook) for webhook in known.values())


def _status(records: Records, webhook: Webhook) -> WebhookStatus:
    lanes = [get_lane(records.key_value, webhook.id, number) for number in range(LANES)]
    parked = [event for lane in lanes for event in lane.parked]
    failed = [*parked, *(lane.failing for lane in lanes if lane.failing)]
    given_up = [event.seq for event in failed if event.next_at is None]
    return WebhookStatus(
        webhook=webhook,
        health=get_health(records.key_value, webhook.id),
        retrying=sum(event.next_at is not None for event in failed),
        given_up=len(given_up),
        first_given_up=min(given_up, default=None),
        oldest=min((event.first_at for event in failed), default=None),
    )
