"""What the installer is told about a Slack channel that takes no alerts, and what to do."""

from __future__ import annotations

from bot.consent.alerts import Alert
from handlers.slack.alerts.shared import SHARED, UNSEEN
from handlers.slack.blocks.formatting import inert

_HERE = "Invite it: write /invite @Optin in that channel."
#: Slack's word for why a channel takes nothing, and what to do.
_CURES = {
    "not_in_channel": f"Optin is not in it. {_HERE}",
    "channel_not_found": "Optin can't find it. If it is private, write /invite @Optin there; if it "
    "is gone, set OPTIN_ALERT_CHANNEL to another channel's id.",
    "is_archived": "It is archived. Unarchive it, or set OPTIN_ALERT_CHANNEL to another channel's "
    "id.",
    "message_limit_exceeded": "The workspace has reached Slack's limit of messages. Slack lifts it "
    "by itself, or with a paid plan.",
}
#: Why nothing is posted to a channel that would take it, and what to do.
_WITHHELD = {
    SHARED: "it is shared with another organisation, which would read them, or an invitation to "
    "one is open. Stop sharing it, or set OPTIN_ALERT_CHANNEL and OPTIN_APPROVAL_CHANNEL to a "
    "channel of your own.",
    UNSEEN: "Optin may not ask Slack whether another organisation reads them there. Add the scopes "
    "channels:read and groups:read under OAuth & Permissions, and install the app again.",
}
_RESTRICTED = (
    "Apps may not post there. Ask a workspace admin to allow it, or set OPTIN_ALERT_CHANNEL to "
    "another channel's id."
)


def cure_of_channel(word: str) -> str:
    """What to do where a channel takes nothing, by Slack's word for why."""
    return _RESTRICTED if word.startswith("restricted_action") else _CURES.get(word, "")


def notice(alert: Alert) -> list[str]:
    word = alert.text or ""
    if word in _WITHHELD:
        return [
            f"⚠️ *Optin posts no alerts to <#{inert(alert.about or '')}>*: {_WITHHELD[word]} "
            "Alerts are kept, and come by themselves when it works again. Opt-outs are stored all "
            "the same."
        ]
    return [
        f"⚠️ *Optin can't post alerts to <#{inert(alert.about or '')}>* (Slack says "
        f"{inert(word)}). {cure_of_channel(word)} Alerts are kept, and come by themselves when it "
        "works again. Opt-outs are stored all the same."
    ]
