"""The head of the Activity Log, for a channel that is a witness."""

from __future__ import annotations

from bot.consent.alerts import Alert
from bot.consent.log.heads import head_text, read_head_text
from handlers.slack.blocks.formatting import date


def head_message(alert: Alert) -> list[str]:
    return [
        f"🔏 *The Activity Log has {alert.count:,} entries*, {date(alert.last_at)}. This message "
        "shows later that none of them was changed: `optin verify --witness slack` compares.",
        f"```{head_text(read_head_text(alert.text or ''))}```",
    ]
