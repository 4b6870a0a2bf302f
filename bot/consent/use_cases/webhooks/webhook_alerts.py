"""Alerts about an endpoint that fails, was paused or works again. They name the URL's host, and
nothing else of it."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from bot.consent.alerts import INSTALLER, Alert, AlertKind, revise
from bot.consent.store import Records
from bot.consent.use_cases.context import Service
from bot.consent.webhooks import EndpointHealth, Webhook


class EndpointState(StrEnum):
    """What an alert about an endpoint says."""

    FAILING = "failing"
    RECOVERED = "recovered"
    PAUSED = "paused"
    #: It refuses some events, and takes others.
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointTrouble:
    """The text of such an alert, as values."""

    state: EndpointState
    host: str
    problem: str
    since: datetime
    #: When Optin pauses it, when it worked again, when it was paused, or when events were given up.
    at: datetime
    #: The place in the log before the first event that was given up.
    after: int = 0


def trouble_of(alert: Alert) -> EndpointTrouble:
    """What an alert of the kind WEBHOOK is about."""
    kept = json.loads(alert.text or "{}")
    times = {name: datetime.fromisoformat(kept[name]) for name in ("since", "at")}
    return EndpointTrouble(**{**kept, **times, "state": EndpointState(kept["state"])})


def announce_failing(
    service: Service,
    records: Records,
    webhook: Webhook,
    health: EndpointHealth,
    until: datetime,
) -> None:
    """Once for an outage; `until` is when Optin pauses the webhook."""
    since = health.since or until
    key = _key(webhook, EndpointState.FAILING, since)
    if records.outbox.newest_for(key) is None:
        trouble = EndpointTrouble(
            state=EndpointState.FAILING,
            host=webhook.host,
            problem=health.problem,
            since=since,
            at=until,
        )
        _enqueue(service, records, key, webhook, trouble)


def announce_paused(
    service: Service, records: Records, webhook: Webhook, health: EndpointHealth, at: datetime
) -> None:
    since = health.since or at
    trouble = EndpointTrouble(
        state=EndpointState.PAUSED,
        host=webhook.host,
        problem=health.problem,
        since=since,
        at=at,
    )
    _enqueue(service, records, _key(webhook, EndpointState.PAUSED, since), webhook, trouble)


def announce_given_up(
    service: Service, records: Records, webhook: Webhook, at: datetime, first: int
) -> None:
    """Once a day; `first` is the place of an event that was given up."""
    key = f"{AlertKind.WEBHOOK}:{webhook.id}:{EndpointState.GIVEN_UP}:{at.date()}"
    if records.outbox.newest_for(key) is None:
        trouble = EndpointTrouble(
            state=EndpointState.GIVEN_UP,
            host=webhook.host,
            problem="",
            since=at,
            at=at,
            after=first - 1,
        )
        _enqueue(service, records, key, webhook, trouble)


def announce_recovered(
    records: Records, webhook: Webhook, since: datetime, at: datetime | None
) -> None:
    """Updates the alert that says that it fails."""
    alert = records.outbox.newest_for(_key(webhook, EndpointState.FAILING, since))
    if alert is not None:
        failing = trouble_of(alert)
        trouble = EndpointTrouble(
            state=EndpointState.RECOVERED,
            host=failing.host,
            problem=failing.problem,
            since=failing.since,
            at=at or failing.since,
        )
        records.outbox.put(revise(alert, text=_text(trouble)))


def _enqueue(
    service: Service, records: Records, key: str, webhook: Webhook, trouble: EndpointTrouble
) -> None:
    now = service.now()
    records.outbox.put(
        Alert(
            id=secrets.token_hex(16),
            key=key,
            kind=AlertKind.WEBHOOK,
            slack_channel=service.alert_channel or INSTALLER,
            first_at=now,
            last_at=now,
            about=webhook.id,
            text=_text(trouble),
        )
    )


def _key(webhook: Webhook, state: EndpointState, since: datetime) -> str:
    return f"{AlertKind.WEBHOOK}:{webhook.id}:{state}:{since.isoformat()}"


def _text(trouble: EndpointTrouble) -> str:
    return json.dumps(asdict(trouble), default=datetime.isoformat)
