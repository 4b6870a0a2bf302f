"""The first run: a message to the installer with three steps, which tick themselves.

It is shown once for a storage, redrawn as the steps are done, and goes quiet when all are.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import islice

from bot.consent.alerts import INSTALLER, Alert, AlertKind, revise
from bot.consent.errors import Refused
from bot.consent.frozen import replace
from bot.consent.model import Actor
from bot.consent.permissions import Action, authorize
from bot.consent.records import KeyValue
from bot.consent.store import Records
from bot.consent.use_cases.context import Service

#: The key of the stored value: the id of the message, or that there is nothing to do any more.
FIRST_RUN, OVER = "first run", "over"
#: Alerts among which one that was posted is looked for.
_MOST_LOOKED_AT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstSteps:
    """What is done of the three steps."""

    #: Slack's id of the channel that is told; None where no setting names one.
    channel: str | None = None
    #: Something was posted there.
    posted: bool = False
    managers: bool = False
    #: There is a contact, or a provider has sent something.
    data: bool = False

    @property
    def done(self) -> bool:
        return self.posted and self.managers and self.data


def steps_of(alert: Alert) -> FirstSteps:
    """What an alert of the kind FIRST_RUN shows."""
    return FirstSteps(**json.loads(alert.text or "{}"))


def look_at_first_run(
    service: Service, *, managers: bool, heard: Callable[[KeyValue], bool]
) -> None:
    """Shows the steps, and ticks those that are done. `managers` says whether anybody is named who
    can be told; `heard`, whether a provider has sent anything."""
    with service.store.reading() as records:
        mark = records.key_value.get(FIRST_RUN)
        if mark == OVER or (not mark and not managers):
            return  # or nobody can be told yet
        alert = records.outbox.get(mark) if mark else None
        before = steps_of(alert) if alert else FirstSteps()
        steps = _steps(service, records, before, managers=managers, heard=heard)
    if steps == before and mark:
        return
    with service.store.transaction() as records:
        if records.key_value.get(FIRST_RUN) != mark:
            return  # another replica did it
        alert = records.outbox.get(mark) if mark else _message(service)
        if alert is None or (not mark and steps.done):
            records.key_value.put(FIRST_RUN, OVER)
            return
        text = json.dumps(asdict(steps))
        shown = revise(alert, text=text) if mark else replace(alert, text=text)
        records.outbox.put(shown)
        records.key_value.put(FIRST_RUN, OVER if steps.done else alert.id)


def send_test_alert(service: Service, actor: Actor) -> str:
    """Enqueues an alert that is about nobody, and returns Slack's id of its channel. Raises
    `NotAllowed` for anybody but a manager, and `Refused`."""
    authorize(actor, Action.QUIET)
    if not service.alert_channel:
        raise Refused(
            "No channel is set for alerts. Whoever runs Optin sets OPTIN_ALERT_CHANNEL to a "
            "channel's id."
        )
    now = service.now()
    id = secrets.token_hex(16)
    with service.store.transaction() as records:
        records.outbox.put(
            Alert(
                id=id,
                key=f"{AlertKind.TEST}:{id}",
                kind=AlertKind.TEST,
                slack_channel=service.alert_channel,
                first_at=now,
                last_at=now,
                about=actor.id,
            )
        )
    return service.alert_channel


def _steps(
    service: Service,
    records: Records,
    before: FirstSteps,
    *,
    managers: bool,
    heard: Callable[[KeyValue], bool],
) -> FirstSteps:
    channel = service.alert_channel
    return FirstSteps(
        channel=channel,
        posted=bool(channel) and (before.posted or _is_posted(records, channel or "")),
        managers=managers,
        data=before.data or records.contacts.count() > 0 or heard(records.key_value),
    )


def _is_posted(records: Records, slack_channel: str) -> bool:
    # The oldest are posted first.
    return any(
        alert.slack_channel == slack_channel and alert.delivery.ts is not None
        for alert in islice(records.outbox.all(), _MOST_LOOKED_AT)
    )


def _message(service: Service) -> Alert:
    now = service.now()
    return Alert(
        id=secrets.token_hex(16),
        key=AlertKind.FIRST_RUN,
        kind=AlertKind.FIRST_RUN,
        slack_channel=INSTALLER,
        first_at=now,
        last_at=now,
    )
