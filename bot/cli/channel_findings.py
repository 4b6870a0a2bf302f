"""What `optin doctor` says of the Slack channels that Optin posts to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.cli.finding import Finding
from bot.config.settings import Settings
from bot.consent.errors import OptinError
from bot.consent.use_cases.alerts.digest_settings import (
    DigestEvery,
    digest_channels,
    read_digest,
)
from handlers.slack.alerts.shared import is_shared
from storage import open_store

#: What a digest's channel is called here, in place of a setting.
_DIGEST = "digest"


def channel_findings(client: WebClient, settings: Settings, *, post: bool) -> Iterator[Finding]:
    """A line for each channel of the settings and for each with a digest. `post` tries each."""
    channels = {
        "OPTIN_ALERT_CHANNEL": settings.alert_channel,
        "OPTIN_APPROVAL_CHANNEL": settings.approval_channel,
    }
    named = {channel: name for name, channel in reversed(channels.items()) if channel}
    if not named:
        yield Finding(
            what="No channel is set for alerts.",
            cure="Set OPTIN_ALERT_CHANNEL to a channel's id, and /invite the bot there.",
            advice=True,
        )
    for channel, name in named.items():
        found = _found(client, channel)
        if is_shared(found):
            yield _shared(channel, name, f"set {name} to a channel of your own")
        elif post:
            yield _post(client, channel, name)
        else:
            yield Finding(what=f"{name} is {channel}; --post tries whether the bot can post there.")
    for channel in _digest_channels(settings):
        if channel not in named:
            yield _digest(client, channel, post=post)


def _digest_channels(settings: Settings) -> list[str]:
    try:
        with closing(open_store(settings.storage)) as store, store.reading() as records:
            return [
                channel
                for channel in digest_channels(records.key_value, settings.alert_channel)
                if read_digest(records.key_value, channel).settings.every is not DigestEvery.OFF
            ]
    except OptinError:
        return []  # another line says so


def _digest(client: WebClient, channel: str, *, post: bool) -> Finding:
    """Of a channel with a digest: nobody looks for a message that does not come."""
    found = _found(client, channel)
    other = "choose another channel for the digest in Optin's Home tab"
    if is_shared(found):
        return _shared(channel, _DIGEST, other)
    if post:
        return _post(client, channel, _DIGEST)
    if found.get("is_archived"):
        return Finding(
            what=f"{channel} ({_DIGEST}) is archived: its digest is not posted.",
            cure=f"Unarchive it, or {other}.",
        )
    if found.get("error") == "channel_not_found" or found.get("is_member") is False:
        return Finding(
            what=f"The bot is not in {channel} ({_DIGEST}): its digest is not posted.",
            cure=f"Type /invite @Optin in that channel, or {other}.",
        )
    return Finding(what=f"{channel} has a digest; --post tries whether the bot can post there.")


def _found(client: WebClient, channel: str) -> Mapping[str, Any]:
    """What Slack says of the channel; else its `error`."""
    try:
        found: Mapping[str, Any] = client.conversations_info(channel=channel)["channel"]
    except SlackApiError as error:
        return {"error": error.response.get("error")}
    return found


def _shared(channel: str, name: str, instead: str) -> Finding:
    return Finding(
        what=f"{channel} ({name}) is shared with another organisation, or an invitation "
        "to one is open: nothing is posted there.",
        cure=f"Stop sharing it, or {instead}.",
    )


def _post(client: WebClient, channel: str, name: str) -> Finding:
    try:
        posted = client.chat_postMessage(channel=channel, text="Optin can post to this channel.")
        client.chat_delete(channel=channel, ts=str(posted["ts"]))
    except SlackApiError as error:
        return Finding(
            what=f"The bot can't post to {channel} ({name}): {error.response.get('error')}.",
            cure="Check the channel's id, and type /invite @Optin in that channel.",
        )
    return Finding(what=f"The bot can post to {channel} ({name}).")
