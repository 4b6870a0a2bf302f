"""Events of Slack that some replica has answered, so that an answer is posted once.

Slack repeats an event for an hour where it heard no acknowledgement, and another replica may get
it then. https://docs.slack.dev/apis/events-api/#retries
"""

from __future__ import annotations

import json
import zlib
from datetime import timedelta

from bot.consent.use_cases.context import Service

#: How long an event is remembered.
KEEP_EVENTS = timedelta(hours=2)
#: Ids are kept in so many stored values, and as many as this in each of them: the newest.
_VALUES, MOST_IN_A_VALUE = 64, 64
_LONGEST_ID = 64


def claim_event(service: Service, event_id: str) -> bool:
    """Whether nobody has answered this event. Whoever claims it answers it. Raises
    `StorageFailed`."""
    id = event_id[:_LONGEST_ID]
    name = f"events:{zlib.crc32(id.encode()) % _VALUES}"
    now = service.now().timestamp()
    with service.store.transaction() as records:
        stored: dict[str, float] = json.loads(records.key_value.get(name) or "{}")
        if id in stored and now - stored[id] < KEEP_EVENTS.total_seconds():
            return False
        stored[id] = now
        newest = sorted(stored.items(), key=lambda one: one[1])[-MOST_IN_A_VALUE:]
        kept = {id: at for id, at in newest if now - at < KEEP_EVENTS.total_seconds()}
        records.key_value.put(name, json.dumps(kept))
    return True
