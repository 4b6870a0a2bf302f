"""The body of a delivery: small, and without personal data unless the webhook asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from bot.consent.use_cases.feed import FeedRow
from handlers import json_shapes

#: The type of the event that `optin webhook test` sends.
TEST = "webhook.test"
#: Characters of an external id. Somebody may have imported a longer one.
_LONGEST = 1_000


def body_of(row: FeedRow, *, include_address: bool) -> bytes:
    """JSON, less than 20 kB."""
    data = json_shapes.change(row)
    del data["type"]
    if data["external_id"]:
        data["external_id"] = data["external_id"][:_LONGEST]
    if include_address:
        data["address"] = row.entry.address
        data["phone"] = row.contact.phone if row.contact else None
        data["email"] = row.contact.email if row.contact else None
    return _encoded(row.type, row.entry.occurred_at, data)


def sample_body(now: datetime) -> bytes:
    """The body of `optin webhook test`."""
    return _encoded(TEST, now, {"text": "Optin can deliver events here."})


def _encoded(type: str, at: datetime, data: Mapping[str, Any]) -> bytes:
    told = {"type": str(type), "timestamp": json_shapes.instant(at), "data": data}
    return msgspec.json.encode(told)
