"""Every operation of the API, in the order of its documentation."""

from __future__ import annotations

from handlers.api.case_operations import CASES
from handlers.api.check_operation import CHECK
from handlers.api.event_operation import EVENTS
from handlers.api.feed_operation import CHANGES
from handlers.api.read_operations import READS
from handlers.api.webhook_operations import WEBHOOKS
from handlers.api.write_operations import WRITES

OPERATIONS = (CHECK, CHANGES, *READS, *WRITES, EVENTS, *CASES, *WEBHOOKS)
