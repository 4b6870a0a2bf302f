"""Which Slack channels get a digest, how often, and when. Managers choose it; each channel has its
own."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.consent.errors import Invalid
from bot.consent.model import Actor
from bot.consent.permissions import Action, authorize
from bot.consent.records import KeyValue
from bot.consent.use_cases.context import Service

#: Channels with a digest.
MOST_DIGESTS = 20
#: The stored value that names the channels.
_CHANNELS = "digests"


class DigestEvery(StrEnum):
    """How often a channel gets its digest."""

    OFF = "off"
    DAY = "daily"
    WEEK = "weekly"


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestSettings:
    """When a channel gets its digest."""

    every: DigestEvery = DigestEvery.OFF
    #: Of a weekly digest: 0 is Monday.
    day: int = 0
    #: Of the day, in `zone`.
    hour: int = 9
    #: The name of a time zone.
    zone: str = "UTC"

    @property
    def zone_info(self) -> ZoneInfo:
        """Raises `Invalid` for a zone that this machine does not know."""
        try:
            return ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise Invalid("Optin does not know this time zone.") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDigest:
    """The settings of a channel as they are stored, and how far its digests came."""

    settings: DigestSettings = DigestSettings()
    #: When somebody chose them: what was due before is not made up for.
    chosen_at: str = ""
    #: The newest day whose digest was enqueued, or had nothing to say.
    done: str = ""
    #: The end of what that digest was about: the next one goes on from there. Earlier versions
    #: stored none.
    until: str = ""


def digest_settings(service: Service, slack_channel: str) -> DigestSettings:
    """Of this channel; off where nobody chose anything."""
    with service.store.reading() as records:
        return read_digest(records.key_value, slack_channel).settings


def all_digests(service: Service) -> dict[str, DigestSettings]:
    """By Slack channel, those that are on. The alert channel's is the first one."""
    with service.store.reading() as records:
        kept = {
            channel: read_digest(records.key_value, channel).settings
            for channel in digest_channels(records.key_value, service.alert_channel)
        }
    return {channel: one for channel, one in kept.items() if one.every is not DigestEvery.OFF}


def change_digest(
    service: Service, slack_channel: str, settings: DigestSettings, actor: Actor
) -> None:
    """From the next hour of the digest on. `DigestEvery.OFF` removes it. Raises `NotAllowed` for
    anybody but a manager, and `Invalid`."""
    authorize(actor, Action.QUIET)
    if not 0 <= settings.hour <= 23:
        raise Invalid("The hour of a digest is between 0 and 23.")
    if not 0 <= settings.day <= 6:
        raise Invalid("The day of a digest is a day of the week.")
    _ = settings.zone_info
    with service.store.transaction() as records:
        channels = digest_channels(records.key_value, service.alert_channel)
        before = read_digest(records.key_value, slack_channel)
        if before.settings == settings:
            return
        if settings.every is DigestEvery.OFF:
            channels = [channel for channel in channels if channel != slack_channel]
            records.key_value.put(_key(slack_channel), None)
        else:
            channels = list(dict.fromkeys([*channels, slack_channel]))
            if len(channels) > MOST_DIGESTS:
                raise Invalid(
                    f"{MOST_DIGESTS} channels have a digest, which is as many as Optin posts. "
                    "Remove one of them first."
                )
            chosen_at = service.now().isoformat()
            changed = replace(before, settings=settings, chosen_at=chosen_at)
            keep_digest(records.key_value, slack_channel, changed)
        records.key_value.put(_CHANNELS, json.dumps(channels) if channels else None)


def digest_channels(key_value: KeyValue, alert_channel: str | None) -> list[str]:
    """The channels that may have a digest. Earlier versions had one for the alert channel, and
    named no channels."""
    named = json.loads(key_value.get(_CHANNELS) or "[]")
    if alert_channel and key_value.get(_key(alert_channel)) is not None:
        named = [alert_channel, *named]
    return list(dict.fromkeys(named))


def read_digest(key_value: KeyValue, slack_channel: str) -> StoredDigest:
    text = key_value.get(_key(slack_channel))
    if text is None:
        return StoredDigest()
    kept = json.loads(text)
    settings = kept.pop("settings")
    return StoredDigest(
        settings=DigestSettings(**{**settings, "every": DigestEvery(settings["every"])}), **kept
    )


def keep_digest(key_value: KeyValue, slack_channel: str, stored: StoredDigest) -> None:
    key_value.put(_key(slack_channel), json.dumps(asdict(stored)))


def _key(slack_channel: str) -> str:
    return f"digest:{slack_channel}"
