"""Delivers webhooks from a process of its own, until it is killed.

    python tests/support/delivery_process.py STORAGE_URL OFFSET

Its clock goes OFFSET seconds ahead, so that the leases of a process that was killed have ended.
Writes a line when it begins.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from handlers.outbound.delivery_health import OutboundHealth
from handlers.outbound.delivery_worker import DeliveryWorker
from tests.support.consent_fixtures import open_service_at
from tests.support.endpoints import LOOPBACK, client_of


def main(url: str, offset: str) -> None:
    ahead = timedelta(seconds=float(offset))
    service = open_service_at(url, lambda: datetime.now(UTC) + ahead)
    service = replace(service, webhook_allow=LOOPBACK)
    os.write(1, b"working\n")
    DeliveryWorker(service, client_of(), OutboundHealth()).work()


if __name__ == "__main__":
    main(*sys.argv[1:])
