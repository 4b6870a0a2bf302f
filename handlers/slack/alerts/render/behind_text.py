"""What the alert channel is told when the storage went back to an older copy."""

from __future__ import annotations

from bot.consent.alerts import Alert
from bot.consent.storage_behind import MAY_BE_NEW
from bot.consent.use_cases.rollback import rollback_news
from handlers.slack.blocks.formatting import date, inert
from handlers.vocabulary import person


def behind_alert(alert: Alert) -> list[str]:
    news = rollback_news(alert)
    behind, where = news.behind, inert(news.behind.where, 60)
    if behind.missing:
        many = "1 entry" if behind.missing == 1 else f"{behind.missing:,} entries"
        lacks = f"its Activity Log lacks {many}, the newest of {date(behind.at)}"
    else:
        lacks = f"entry {behind.size:,} of its Activity Log is not the one of {date(behind.at)}"
    if news.accepted_by and news.accepted_at:
        return [
            f"✓ *{person(news.accepted_by)} accepted that newer records are lost*, "
            f"{date(news.accepted_at)}. Optin answers from the records that it has.",
            f"It was noticed on {date(behind.since)}: {lacks}.",
        ]
    return [
        f"🚨 *Optin works with old records:* {lacks}, says {where}. Opt-outs may be among them, so "
        "no answer is YES now. New opt-outs are stored.",
        "An operator stops Optin and puts the newest copy of the storage back. If it is lost for "
        "good, `optin verify --accept-rollback` goes on without it, and Optin asks the providers "
        "what it missed.",
        *([MAY_BE_NEW] if behind.may_be_new else []),
    ]
