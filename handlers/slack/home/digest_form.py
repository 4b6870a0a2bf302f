"""The channels that get a digest, as rows of the settings, and the form of one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from bot.consent.errors import Invalid
from bot.consent.use_cases.alerts.digest_settings import MOST_DIGESTS, DigestEvery, DigestSettings
from handlers.slack import ids
from handlers.slack.blocks.elements import button, confirm, option
from handlers.slack.blocks.formatting import Block, inert, plain, section
from handlers.slack.blocks.modal_frame import Metadata, View, modal, select
from handlers.slack.interaction import INCOMPLETE, states

CHANNEL = "digest_channel"
_EVERY, _DAY, _HOUR, _ZONE = "digest", "digest_day", "digest_hour", "digest_zone"
_EVERIES = {DigestEvery.DAY: "Every day", DigestEvery.WEEK: "Every week"}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def digest_rows(digests: Mapping[str, DigestSettings], paused: Mapping[str, str]) -> list[Block]:
    """`paused` are the channels in which Slack takes nothing, with Slack's word for why."""
    return [
        section(
            "A digest is one message with what was counted since the last one, and no names. Where "
            "nothing happened there is none."
        ),
        *(_row(channel, digest, paused.get(channel)) for channel, digest in digests.items()),
        {"type": "actions", "elements": [button("Add a digest", ids.DIGEST_ADD, "add")]},
    ]


def add_form(digests: Mapping[str, DigestSettings], first: str | None, zone: tzinfo | None) -> View:
    """For another channel; `first` is offered, and `zone` is the person's own."""
    element: Block = {
        "type": "conversations_select",
        "action_id": CHANNEL,
        "placeholder": plain("Choose a channel", 100),
        "filter": {
            "include": ["public", "private"],
            "exclude_external_shared_channels": True,
            "exclude_bot_users": True,
        },
    }
    if first and first not in digests:
        element |= {"initial_conversation": first}
    field: Block = {
        "type": "input",
        "block_id": CHANNEL,
        "label": plain("Channel", 24),
        "hint": plain("Optin has to be in it: write /invite @Optin there.", 200),
        "element": element,
    }
    every = DigestSettings(every=DigestEvery.DAY, zone=_key(zone) or "UTC")
    fields = [field, *_fields(every, [_key(zone), *(one.zone for one in digests.values())])]
    return modal(ids.DIGEST_MODAL, "Add a digest", fields, Metadata(), submit="Save")


def edit_form(slack_channel: str, digest: DigestSettings, zone: tzinfo | None) -> View:
    """For the digest of this channel."""
    remove = button("Remove", ids.DIGEST_REMOVE, slack_channel, style="danger")
    remove |= {
        "confirm": confirm(
            "Remove this digest?", "The channel gets no more digests.", do="Remove", leave="Keep"
        )
    }
    blocks = [
        section(f"The digest of <#{inert(slack_channel)}>") | {"accessory": remove},
        *_fields(digest, [digest.zone, _key(zone)]),
    ]
    metadata = Metadata(slack_channel=slack_channel)
    return modal(ids.DIGEST_MODAL, "Digest", blocks, metadata, submit="Save")


def chosen_channel(view: dict[str, Any]) -> str:
    """Raises `Invalid`."""
    found = states(view).get(CHANNEL, {}).get(CHANNEL, {})
    channel = found.get("selected_conversation")
    if not isinstance(channel, str) or not channel:
        raise Invalid("Choose the channel that gets the digest.", field=CHANNEL)
    return channel


def chosen_digest(view: dict[str, Any]) -> DigestSettings:
    """Raises `Invalid`."""
    every, day, hour, zone = (_chosen(view, name) for name in (_EVERY, _DAY, _HOUR, _ZONE))
    numbers = all(one.isascii() and one.isdigit() and len(one) < 3 for one in (day, hour))
    if every not in list(_EVERIES) or not numbers:
        raise Invalid(ids.OUTDATED)
    chosen = DigestSettings(every=DigestEvery(every), day=int(day), hour=int(hour), zone=zone[:80])
    _ = chosen.zone_info
    return chosen


def digest_time(digest: DigestSettings) -> str:
    """When it comes."""
    weekly = digest.every is DigestEvery.WEEK
    when = f"every {_DAYS[digest.day]}" if weekly else "every day"
    return f"{when} at {digest.hour}:00 ({inert(digest.zone.replace('_', ' '))})"


def _row(slack_channel: str, digest: DigestSettings, paused: str | None) -> Block:
    lines = [f"<#{inert(slack_channel)}>: {digest_time(digest)}"]
    if paused:
        lines.append(f"🔴 Slack takes nothing there: {inert(paused)}.")
    return section(*lines) | {"accessory": button("Edit", ids.DIGEST_EDIT, slack_channel)}


def _fields(digest: DigestSettings, zones: list[str | None]) -> Iterator[Block]:
    often = [option(text, one) for one, text in _EVERIES.items()]
    days = [option(name, str(day)) for day, name in enumerate(_DAYS)]
    hours = [option(f"{hour}:00", str(hour)) for hour in range(24)]
    known = list(dict.fromkeys(zone for zone in (*zones, "UTC") if zone))
    where = [option(zone.replace("_", " "), zone) for zone in known[: MOST_DIGESTS + 2]]
    yield select(_EVERY, "Digest", often, digest.every)
    yield select(_DAY, "Day", days, str(digest.day)) | {"hint": plain("Of a weekly one.", 200)}
    yield select(_HOUR, "Hour", hours, str(digest.hour))
    yield select(_ZONE, "Time zone", where, digest.zone)


def _chosen(view: dict[str, Any], name: str) -> str:
    found = states(view).get(name, {}).get(name, {}).get("selected_option")
    if not isinstance(found, dict):
        raise Invalid(INCOMPLETE)
    return str(found.get("value"))


def _key(zone: tzinfo | None) -> str | None:
    return zone.key if isinstance(zone, ZoneInfo) else None
