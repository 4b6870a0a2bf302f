"""What SendGrid's event webhook says, in Optin's words.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.consent.events import Event, EventKind
from bot.consent.model import Channel
from handlers.webhooks.payload_parsing import (
    at,
    checked,
    id_at,
    json_body,
    mailbox,
    moment,
    text_at,
)
from handlers.webhooks.provider import Parsed, Request, read_each
from handlers.webhooks.providers.sendgrid.codes import failure_of

NAME = "sendgrid"

_KINDS: Mapping[str, EventKind] = {
    "delivered": EventKind.DELIVERED,
    "bounce": EventKind.FAILED,
    "dropped": EventKind.FAILED,
    "deferred": EventKind.FAILED,
    "spamreport": EventKind.COMPLAINT,
    "unsubscribe": EventKind.UNSUBSCRIBED,
    "group_unsubscribe": EventKind.UNSUBSCRIBED,
    "group_resubscribe": EventKind.RESUBSCRIBED,
}
_UNINTERESTING = {"processed", "open", "click", "account_status_change"}


def read(request: Request) -> Parsed:
    """One batch. Raises `InvalidPayload`."""
    batch = json_body(request)
    return read_each(batch if isinstance(batch, list) else [batch], _item)


def _item(item: Any) -> Parsed:
    item = checked(item)
    word = text_at(item, "event")
    if word in _UNINTERESTING:
        return Parsed(ignored=(word,))
    kind = _KINDS.get(word)
    if kind is None:
        return Parsed(skipped=("a kind of event that is in no table",))
    code, (failure, sentence) = failure_of(word, item)
    group = text_at(item, "asm_group_id") if word.startswith("group_") else ""
    event = Event(
        provider=NAME,
        id=f"sendgrid:{id_at(item, 'sg_event_id')}",
        kind=kind,
        channel=Channel.EMAIL,
        address=mailbox(text_at(item, "email")),
        occurred_at=moment(at(item, "timestamp")),
        sender="sendgrid-account",
        scope=f"asm_group:{group}" if group else None,
        failure=failure,
        code=code or None,
        meaning=sentence,
        # Not there when a bounce comes late.
        message=text_at(item, "sg_message_id") or None,
    )
    return Parsed(events=(event,))
