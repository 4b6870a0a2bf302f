"""Notify the installer, once a day, that a Slack channel takes no alerts."""

from __future__ import annotations

import secrets

from bot.consent.alerts import INSTALLER, Alert, AlertKind
from bot.consent.use_cases.context import Service


def notify_installer(service: Service, slack_channel: str, word: str) -> bool:
    """Enqueues a notice; `word` is Slack's for why. Returns whether today's notice is new."""
    now = service.now()
    key = f"{AlertKind.NOTICE}:{slack_channel}:{now.date()}"
    with service.store.reading() as records:
        if records.outbox.newest_for(key) is not None:
            return False
    with service.store.transaction() as records:
        if records.outbox.newest_for(key) is not None:
            return False
        records.outbox.put(
            Alert(
                id=secrets.token_hex(16),
                key=key,
                kind=AlertKind.NOTICE,
                slack_channel=INSTALLER,
                first_at=now,
                last_at=now,
                about=slack_channel,
                text=word,
            )
        )
    return True
