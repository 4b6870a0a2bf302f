"""Who records what a provider's lists show: Optin itself, in the provider's name."""

from __future__ import annotations

from datetime import datetime

from bot.consent.store import Records
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.record import Recorder


def list_recorder(service: Service, records: Records, provider: str, now: datetime) -> Recorder:
    """The recorder for one transaction."""
    return Recorder(
        service=service,
        records=records,
        actor="system",
        source=f"provider:{provider}",
        now=now,
    )
