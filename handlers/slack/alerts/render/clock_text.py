"""The alert that a clock may be wrong."""

from __future__ import annotations

from bot.consent.alerts import Alert
from handlers.slack.blocks.formatting import date, inert

#: Characters.
_LONGEST = 300


def clock_alert(alert: Alert) -> list[str]:
    if not alert.text:
        return [
            f"✓ *The clock of Optin's machine agrees again*, {date(alert.last_at)}. "
            f"The difference was noticed on {date(alert.first_at)}."
        ]
    return [
        "⚠️ *The clock of Optin's machine may be wrong:* "
        f"{inert(alert.text, _LONGEST)}. Deadlines and the order of opt-outs depend on it.",
        "An operator compares the clock with others, and sets it. Until then, webhooks may be "
        "refused whose signed time is far off. Their provider repeats them.",
    ]
