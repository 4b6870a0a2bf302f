"""Tells alerts from a process of its own, until it is killed.

    python tests/support/alerts_worker.py STORAGE API_URL TOKEN CHANNEL OFFSET

Its clock goes OFFSET seconds ahead, and it paces its calls at twenty times the usual speed. Writes
a line when it begins.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.runtime.jobs import Timers, timers
from handlers.slack.alerts.channel_health import Health
from handlers.slack.alerts.client import AlertClient, client
from handlers.slack.alerts.worker import Worker
from handlers.slack.roles import Roles
from tests.support.consent_fixtures import open_service


def main(storage: str, api_url: str, token: str, channel: str, offset: str) -> None:
    ahead = timedelta(seconds=float(offset))
    service = open_service(Path(storage), lambda: datetime.now(UTC) + ahead)
    service = replace(service, alert_channel=channel)
    slack = AlertClient(client=client(token, api_url), roles=Roles())
    worker = Worker(service, slack, Health(), monotonic=lambda: time.monotonic() * 20)
    timed = Timers(timers(service, worker), service.now)
    threading.Thread(target=run_timers, args=(timed,), daemon=True).start()
    os.write(1, b"working\n")
    worker.work()


def run_timers(timed: Timers) -> None:
    while True:
        timed.run_due()
        time.sleep(0.25)


if __name__ == "__main__":
    main(*sys.argv[1:])
