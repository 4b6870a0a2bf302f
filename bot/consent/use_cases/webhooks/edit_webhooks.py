"""Add, pause, resume, replay, rotate and remove webhooks.

Whoever calls these has checked the right: an operator at the command line, or an API key with the
scope `webhooks`. `actor` is their id.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from bot.consent.errors import Invalid, NotFound, Refused
from bot.consent.frozen import replace
from bot.consent.records import KeyValue
from bot.consent.store import Records
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.feed import FeedType
from bot.consent.use_cases.webhooks.endpoint_url import check_url
from bot.consent.use_cases.webhooks.webhook_records import (
    all_webhooks,
    get_lane,
    names_of,
    put_health,
    put_lane,
    put_webhook,
    put_webhooks,
)
from bot.consent.webhooks import (
    HEALTHY,
    LANES,
    FailedEvent,
    Lane,
    Webhook,
    WebhookSecret,
    WebhookState,
)

#: The types of events that a webhook can ask for.
EVENTS = tuple(str(type) for type in FeedType)
#: How long the old secret signs beside the new one.
ROTATION = timedelta(hours=24)
_MOST_WEBHOOKS = 50
#: Why Optin paused it, behind "it".
KEY_REVOKED = "was made with a key that is revoked"

_UNKNOWN = "There is no such webhook. `optin webhook list` names them."


def add_webhook(
    service: Service,
    actor: str,
    *,
    url: str,
    events: Collection[str] = (),
    include_address: bool = False,
) -> Webhook:
    """Delivers what happens from now on to this URL. Without `events`, of every type. The secret in
    the result is shown once. Raises `Invalid`, and `Refused` where there are too many."""
    check_url(url, service.webhook_allow)
    chosen = _chosen(events)
    with service.store.transaction() as records:
        known = all_webhooks(records.key_value)
        if len(known) >= _MOST_WEBHOOKS:
            raise Refused(f"There are {len(known)} webhooks already. Remove one first.")
        webhook = Webhook(
            id=secrets.token_hex(8),
            url=url,
            events=chosen,
            secrets=(WebhookSecret(text=_new_secret()),),
            include_address=include_address,
            created_at=service.now(),
            created_by=actor,
        )
        head, _ = records.log.head()
        for number in range(LANES):
            put_lane(records.key_value, webhook.id, number, Lane(cursor=head))
        put_webhooks(records.key_value, {**known, webhook.id: webhook})
    return webhook


def pause_webhook(service: Service, id: str) -> Webhook:
    """Delivers nothing until somebody resumes it. Its place in the log stays."""
    with service.store.transaction() as records:
        return _put(records, _get(records, id), state=WebhookState.PAUSED, problem="")


def pause_webhooks_of(records: Records, actor: str) -> None:
    """Pauses what a key made that is revoked: whoever had the key chose where these deliver to."""
    for webhook in all_webhooks(records.key_value).values():
        if webhook.created_by == actor and webhook.state is WebhookState.ACTIVE:
            _put(records, webhook, state=WebhookState.PAUSED, problem=KEY_REVOKED)


def resume_webhook(service: Service, id: str, *, after: int | None = None) -> Webhook:
    """Delivers again, from where it stopped, or what is behind this place in the log. What failed
    is tried at once."""
    with service.store.transaction() as records:
        webhook = _get(records, id)
        now = service.now()
        put_health(records.key_value, id, HEALTHY)
        _change_lanes(records.key_value, id, lambda lane: _tried_now(lane, now))
        if after is not None:
            _restart(records, id, after)
        return _put(records, webhook, state=WebhookState.ACTIVE, problem="")


def replay_webhook(service: Service, id: str, *, after: int) -> Webhook:
    """Delivers once more what is behind this place in the log, each event with its id."""
    with service.store.transaction() as records:
        webhook = _get(records, id)
        _restart(records, id, after)
        return _put(records, webhook)


def rotate_secret(service: Service, id: str) -> Webhook:
    """Makes a new secret. The old one signs beside it for a day. A third one is dropped."""
    with service.store.transaction() as records:
        webhook = _get(records, id)
        old = replace(webhook.secrets[0], ends_at=service.now() + ROTATION)
        return _put(records, webhook, secrets=(WebhookSecret(text=_new_secret()), old))


def remove_webhook(service: Service, id: str) -> Webhook:
    """Delivers nothing any more, and forgets the secret."""
    with service.store.transaction() as records:
        webhook = _get(records, id)
        known = all_webhooks(records.key_value)
        put_webhooks(records.key_value, {key: one for key, one in known.items() if key != id})
        for name in names_of(id):
            records.key_value.put(name, None)
    return webhook


def place_of_time(service: Service, at: datetime) -> int:
    """The place in the log before the first entry that was recorded at this time or later."""
    with service.store.reading() as records:
        low, high = 0, records.log.head()[0]
        # The entries up to `low` are older, those behind `high` are not.
        while low < high:
            middle = (low + high + 1) // 2
            (entry,) = records.log.entries(before=middle + 1, limit=1)
            if entry.recorded_at < at:
                low = middle
            else:
                high = middle - 1
    return low


def _chosen(events: Collection[str]) -> tuple[str, ...]:
    if strangers := sorted(set(events) - set(EVENTS)):
        raise Invalid(
            f"{strangers[0]!r} is no type of event. Choose some of {', '.join(EVENTS)}.",
            field="events",
        )
    return tuple(event for event in EVENTS if event in events) or EVENTS


def _new_secret() -> str:
    return f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"


def _get(records: Records, id: str) -> Webhook:
    webhook = all_webhooks(records.key_value).get(id)
    if webhook is None:
        raise NotFound(_UNKNOWN)
    return webhook


def _put(records: Records, webhook: Webhook, **changes: object) -> Webhook:
    changed = replace(webhook, revision=webhook.revision + 1, **changes)
    put_webhook(records.key_value, changed)
    return changed


def _restart(records: Records, id: str, after: int) -> None:
    head, _ = records.log.head()
    if not 0 <= after <= head:
        raise Invalid(f"The log's places go from 0 to {head}.", field="after")
    _change_lanes(records.key_value, id, lambda lane: replace(lane, restart_at=after))


def _change_lanes(key_value: KeyValue, id: str, change: Callable[[Lane], Lane]) -> None:
    for number in range(LANES):
        put_lane(key_value, id, number, change(get_lane(key_value, id, number)))


def _tried_now(lane: Lane, now: datetime) -> Lane:
    def at_once(event: FailedEvent) -> FailedEvent:
        return replace(event, attempts=0, first_at=now, last_at=now, next_at=now)

    failing = at_once(lane.failing) if lane.failing else None
    return replace(lane, failing=failing, parked=tuple(at_once(event) for event in lane.parked))
