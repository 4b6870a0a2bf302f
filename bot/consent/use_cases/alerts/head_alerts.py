"""The head of the Activity Log as a message in the alert channel, which is then a witness."""

from __future__ import annotations

import secrets

from bot.consent.alerts import Alert, AlertKind
from bot.consent.errors import Refused
from bot.consent.log.heads import LogHead, head_text, read_head_text
from bot.consent.use_cases.context import Service

#: The name under which the newest head that was enqueued is stored.
_NEWEST = "log-head:slack"


def post_head(service: Service, head: LogHead) -> None:
    """Enqueues the head, once. A muted channel gets it too: it is one message a day. Raises
    `Refused` where there is no alert channel, and `StorageFailed`."""
    channel = service.alert_channel
    if channel is None:
        raise Refused("OPTIN_ALERT_CHANNEL is not set, so no channel of Slack can be a witness.")
    key = _key(channel, head)
    with service.store.transaction() as records:
        if records.outbox.newest_for(key) is None:
            records.outbox.put(
                Alert(
                    id=secrets.token_hex(16),
                    key=key,
                    kind=AlertKind.HEAD,
                    slack_channel=channel,
                    first_at=head.at,
                    last_at=head.at,
                    count=head.size,
                    text=head_text(head),
                )
            )
        records.key_value.put(_NEWEST, head_text(head))


def newest_posted(service: Service) -> LogHead | None:
    """The newest head that was enqueued; None where there is none."""
    with service.store.reading() as records:
        text = records.key_value.get(_NEWEST)
    return read_head_text(text) if text else None


def head_waits(service: Service) -> bool:
    """Whether the newest head that was enqueued is still to be posted."""
    head = newest_posted(service)
    if head is None or service.alert_channel is None:
        return False
    with service.store.reading() as records:
        alert = records.outbox.newest_for(_key(service.alert_channel, head))
    return alert is not None and alert.delivery.due


def _key(channel: str, head: LogHead) -> str:
    return f"{AlertKind.HEAD}:{channel}:{head.log}:{head.size}:{head.chain[:16]}"
