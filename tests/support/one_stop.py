"""A process that takes one STOP when it is told to: for faults at each of its system calls."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from bot.consent.errors import StorageFailed
from bot.consent.events import Event, EventKind
from bot.consent.model import Channel
from bot.consent.use_cases.ingest import ingest
from bot.runtime import clock
from tests.support.consent_fixtures import open_service

PHONE = "+14155550101"


def stop() -> Event:
    return Event(
        provider="twilio",
        id="twilio:in:SM1",
        kind=EventKind.REPLY,
        channel=Channel.SMS,
        address=PHONE,
        text="STOP",
        occurred_at=clock.now(),
    )


def main(storage: str) -> None:
    """Says `ready`, waits for SIGUSR1, and says what became of it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    service = open_service(Path(storage), clock.now)
    os.write(1, b"ready\n")
    signal.sigwait({signal.SIGUSR1})
    try:
        ingest(service, [stop()])
    except StorageFailed as error:
        os.write(1, f"refused: {error.sentence}\n".encode())
    else:
        os.write(1, b"stored\n")
    os._exit(0)
